package io.quoin.qcow2.layout;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A header says the same by its own bytes as by the whole first cluster. */
@Timeout(60)
class HeaderPrefixTest {
    private static final int CLUSTER = 1 << 16;
    private static final long FILE = 64L * CLUSTER;
    private static final int PREFIX = 4096;

    @Test
    void shouldNeedNoMoreThanTheHeaderFills() {
        ByteBuffer bytes = image(64, "base.qcow2", 3);
        int needed = HeaderLayout.bytesNeeded(bytes.duplicate().limit(PREFIX));
        assertThat(needed).isBetween(HeaderLayout.VERSION_3_BYTES, 1024);
        Qcow2Header header = Qcow2Header.parse(bytes.duplicate().limit(needed), FILE);
        assertThat(header.backingFile()).isEqualTo("base.qcow2");
        assertThat(header.encode()).isEqualTo(Qcow2Header.parse(bytes, FILE).encode());
    }

    @Test
    void shouldNeedTheWholeClusterWhenTheHeaderGoesOnBehindWhatWasRead() {
        ByteBuffer bytes = image(5000, "base.qcow2", 3);
        assertThat(HeaderLayout.bytesNeeded(bytes.duplicate().limit(PREFIX))).isEqualTo(CLUSTER);
        assertThat(HeaderLayout.bytesNeeded(bytes)).isBetween(5000, 6000);
    }

    @Test
    void shouldFindTheSameInAnyBytes() {
        long seed = Long.getLong("quoin.seed", new Random().nextLong());
        System.out.println("header prefix: -Dquoin.seed=" + seed);
        Random random = new Random(seed);
        int shorter = 0;
        for (int i = 0; i < 20_000; i++) {
            int opaque = random.nextInt(4) == 0 ? 3800 + random.nextInt(400) : random.nextInt(200);
            String backing = random.nextBoolean() ? "base.qcow2" : "";
            ByteBuffer bytes = image(opaque, backing, 2 + random.nextInt(2));
            for (int n = random.nextInt(4); n > 0; n--) {
                int at = random.nextBoolean() ? random.nextInt(400) : random.nextInt(PREFIX + 200);
                bytes.put(at, (byte) (random.nextBoolean() ? 0 : random.nextInt()));
            }
            long fileBytes = random.nextInt(8) == 0 ? random.nextInt(2 * PREFIX) : FILE;
            bytes.limit((int) Math.min(fileBytes, CLUSTER));
            ByteBuffer first = bytes.duplicate().limit(Math.min(PREFIX, bytes.limit()));
            int needed;
            try {
                needed = HeaderLayout.bytesNeeded(first);
            } catch (BlockException e) {
                needed = 0;
            }
            assertThat(needed).isBetween(0, 1 << HeaderLayout.CLUSTER_BITS_MAX);
            if (needed <= first.limit()) {
                shorter++;
                assertThat(outcome(first, fileBytes)).isEqualTo(outcome(bytes, fileBytes));
            }
        }
        assertThat(shorter).isGreaterThan(1000);
    }

    private static String outcome(ByteBuffer bytes, long fileBytes) {
        try {
            Qcow2Header header = Qcow2Header.parse(bytes.duplicate(), fileBytes);
            return header.sizeBytes() + " " + header.backingFile() + " " + header.extensions();
        } catch (BlockException e) {
            return e.error() + " " + e.getMessage();
        }
    }

    private static ByteBuffer image(int opaqueBytes, String backing, int version) {
        HeaderBuilder header =
                Qcow2Header.builder()
                        .version(version)
                        .sizeBytes(1L << 30)
                        .refcountTable(CLUSTER, 1)
                        .l1(2, 3L * CLUSTER)
                        .extensions(
                                List.of(
                                        new HeaderExtension(
                                                0x1234,
                                                OpaqueBytes.copyOf(new byte[opaqueBytes]))));
        if (!backing.isEmpty()) {
            header.backingFile(backing)
                    .extension(Qcow2Header.backingFormatExtension("qcow2"))
                    .extension(
                            new HeaderExtension(
                                    0x5678,
                                    OpaqueBytes.copyOf(
                                            "more".getBytes(StandardCharsets.US_ASCII))));
        }
        return header.build().encode();
    }
}
