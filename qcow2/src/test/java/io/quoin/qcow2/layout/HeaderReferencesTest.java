package io.quoin.qcow2.layout;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class HeaderReferencesTest {
    private static final int CLUSTER_BITS = 21;

    @Test
    void shouldFindBothNamesWhereTheImageCannotBeOpened() {
        ByteBuffer bytes = header("base.qcow2", "data.raw");
        bytes.putLong(40, 12345); // L1 table
        bytes.putLong(72, -1); // incompatible features
        bytes.putInt(4, 7); // version
        assertThat(HeaderReferences.parse(bytes))
                .isEqualTo(new HeaderReferences("base.qcow2", "data.raw"));
    }

    @Test
    void shouldAskForTheFirstClusterWhenANameLiesBehindWhatWasRead() {
        ByteBuffer all = header("base.qcow2", "data.raw");
        all.putLong(8, all.limit() - 10L);
        byte[] name = "base.qcow2".getBytes(StandardCharsets.US_ASCII);
        all.put(all.limit() - 10, name);
        ByteBuffer first = all.duplicate().limit(4096);
        assertThat(HeaderReferences.bytesNeeded(first)).isEqualTo(1 << CLUSTER_BITS);
        assertThat(HeaderReferences.parse(all).backingFile()).isEqualTo("base.qcow2");
        assertThat(HeaderReferences.bytesNeeded(header("base.qcow2", "data.raw").limit(4096)))
                .isEqualTo(4096);
    }

    @Test
    void shouldNameNothingWhenTheFileIsNoImage() {
        assertThat(HeaderReferences.parse(ByteBuffer.allocate(0))).isEqualTo(HeaderReferences.NONE);
        assertThat(HeaderReferences.parse(ByteBuffer.allocate(4096)))
                .isEqualTo(HeaderReferences.NONE);
        assertThat(HeaderReferences.bytesNeeded(ByteBuffer.allocate(4096))).isZero();
    }

    @Test
    void shouldTakeAnyBytesForAHeader() {
        long seed = new Random().nextLong();
        System.out.println("header references: seed=" + seed);
        Random random = new Random(seed);
        for (int i = 0; i < 20_000; i++) {
            ByteBuffer bytes = header("base.qcow2", "data.raw").limit(72 + random.nextInt(400));
            for (int n = random.nextInt(12); n > 0; n--) {
                bytes.put(8 + random.nextInt(bytes.limit() - 8), (byte) random.nextInt());
            }
            assertThat(HeaderReferences.bytesNeeded(bytes)).isBetween(0, 1 << CLUSTER_BITS);
            assertThat(HeaderReferences.parse(bytes)).isNotNull();
        }
    }

    private static ByteBuffer header(String backingFile, String dataFile) {
        return Qcow2Header.builder()
                .version(3)
                .clusterBits(CLUSTER_BITS)
                .refcountOrder(4)
                .sizeBytes(1 << 20)
                .l1(1, 1 << CLUSTER_BITS)
                .refcountTable(2 << CLUSTER_BITS, 1)
                .backingFile(backingFile)
                .extension(
                        new HeaderExtension(
                                HeaderExtension.DATA_FILE,
                                OpaqueBytes.copyOf(dataFile.getBytes(StandardCharsets.UTF_8))))
                .build()
                .encode();
    }
}
