package io.quoin.qcow2.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.qcow2.file.ChannelImageFile;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.qcow2.hostile.MemoryImageFile;
import io.quoin.qcow2.hostile.SmallImage;
import io.quoin.qcow2.layout.L2Entry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A repair that makes copies of clusters ends, whatever an image asks for. */
@Timeout(60)
class CopyLimitTest {
    private static final int CLUSTER = 1 << 16;
    private static final int L2 = 4 * CLUSTER;
    private static final int DATA = 5 * CLUSTER;
    private static final int REFCOUNT_BLOCK = 2 * CLUSTER;
    private static final int REFCOUNT_ORDER = 96;
    private static final int ENTRIES = CLUSTER / L2Entry.SIZE_BYTES;

    @TempDir Path folder;

    /** Each of 8192 entries would get a cluster of its own: 512 MiB from an image of 1 MiB. */
    @Test
    void shouldStopCopyingWhenImageWouldGrowManyTimes() throws IOException {
        Path image = folder.resolve("shared.qcow2");
        Files.write(image, manyReferences());
        List<String> findings = new ArrayList<>();
        CheckResult result;
        try (ImageFile file = ChannelImageFile.open(image, true)) {
            result =
                    Qcow2Check.check(
                            file,
                            RepairMode.ALL,
                            new CheckListener() {
                                @Override
                                public void finding(String text) {
                                    findings.add(text);
                                }
                            });
        }
        assertThat(Files.size(image)).isLessThan(80 << 20);
        assertThat(result.exitCode()).isEqualTo(CheckResult.EXIT_CORRUPT);
        assertThat(findings).anyMatch(text -> text.contains("no more copies are made"));
        // The last ones still share a cluster, whose count cannot say so.
        ByteBuffer after = ByteBuffer.wrap(Files.readAllBytes(image));
        assertThat(after.getLong(L2 + CLUSTER - L2Entry.SIZE_BYTES)).isEqualTo(DATA);
    }

    /** New refcounts that the header is not read for again would be corrected in the old place. */
    @Test
    void shouldWriteNothingWhenNoReferenceCanBeChanged() {
        byte[] bytes = manyReferences();
        MemoryImageFile file = new MemoryImageFile(bytes, bytes.length);
        ClosedImage image = ClosedImage.open(file);
        ReferenceCounts counts = new ReferenceCounts(Qcow2Check.MEMORY_BYTES_MAX);
        CheckReport report = new CheckReport(CheckListener.SILENT);
        Relocations relocations = new Relocations(image, 0, Qcow2Check.MEMORY_BYTES_MAX);
        ReferenceWalk walk = new ReferenceWalk(image, counts, report, relocations);
        walk.walk();
        assertThat(relocations.isEmpty()).isFalse();
        assertThat(relocations.carryOut(false, counts, walk.refcountClusters(), report)).isFalse();
        assertThat(file.changes()).isZero();
    }

    private static byte[] manyReferences() {
        byte[] bytes = SmallImage.plain(16).toArray();
        ByteBuffer image = ByteBuffer.wrap(bytes).putInt(REFCOUNT_ORDER, 0);
        for (int i = 0; i < ENTRIES; i++) {
            image.putLong(L2 + i * L2Entry.SIZE_BYTES, DATA);
        }
        for (int at = 0; at < CLUSTER; at += 8) {
            image.putLong(REFCOUNT_BLOCK + at, 0);
        }
        image.put(REFCOUNT_BLOCK, (byte) 0xff);
        return bytes;
    }
}
