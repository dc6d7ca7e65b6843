package io.quoin.qcow2.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.qcow2.check.QemuImages.Kind;
import io.quoin.qcow2.file.ChannelImageFile;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.qcow2.layout.RefcountLayout;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerResult;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A repair that is cut off anywhere: no count comes below the references that are on disk, and the
 * next repair ends it, with the same content.
 */
@Timeout(300)
class RepairCrashTest {
    private static final int TORN = 3;

    @TempDir Path folder;

    @ParameterizedTest
    @EnumSource(
            value = Damage.class,
            names = {
                "ENTRY_TO_HEADER",
                "ENTRY_TO_ACTIVE_L1",
                "ENTRY_TO_OWN_L2",
                "ENTRY_TO_REFCOUNT_BLOCK",
                "TWO_ENTRIES_ONE_CLUSTER",
                "L1_ENTRY_TO_REFCOUNT_TABLE",
                "L2_ENTRY_RESERVED",
                "L2_ENTRY_COPIED_WRONG",
                "ZERO_ENTRY_UNALIGNED",
                "REFCOUNT_BLOCK_IS_L2",
                "REFCOUNT_TABLE_CLUSTERS_NONE",
                "REFCOUNT_TOO_HIGH",
                "REFCOUNT_ZERO",
                "SNAPSHOT_L1_IS_ACTIVE_L1",
                "SNAPSHOT_EXTRA_NONE",
                "DIRTY_BIT_AND_COUNTS"
            })
    @DisplayName("QCOW2 120, 121, 124: a repair that is cut off leaves what the next one repairs")
    void shouldMendWhenRepairWasCutOff(Damage damage) throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        Path image = QemuImages.make(folder, Kind.BITMAPS_SNAPSHOT, new Random(5));
        try (ImageFile file = ChannelImageFile.open(image, true)) {
            assertThat(damage.apply(ClosedImage.open(file), new Random(7))).isTrue();
        }
        RecordedFile file = new RecordedFile(Files.readAllBytes(image));
        long below = belowReferences(file.content());
        CheckResult result = Qcow2Check.check(file, RepairMode.ALL, CheckListener.SILENT);
        assertThat(result.isClean()).isTrue();
        byte[] expected = raw(file.content());
        long seed = damage.name().hashCode();
        Random random = new Random(seed);
        int states = 0;
        for (int count = 1; count <= file.events(); count++) {
            for (int torn = 0; torn <= TORN; torn++) {
                byte[] state = file.after(count, torn == 0 ? 100 : 30 * torn, random);
                String what = damage + ", after " + count + " of " + file.events() + ", " + torn;
                assertThat(belowReferences(state)).as(what).isLessThanOrEqualTo(below);
                RecordedFile again = new RecordedFile(state);
                List<String> findings = new java.util.ArrayList<>();
                CheckResult repaired = Qcow2Check.check(again, RepairMode.ALL, telling(findings));
                assertThat(repaired.isClean()).as("%s: %s", what, findings).isTrue();
                states++;
                if (count == file.events() || random.nextInt(20) == 0) {
                    assertThat(raw(again.content())).as(what).isEqualTo(expected);
                }
            }
        }
        System.out.println(damage + ": " + states + " states, seed " + seed);
    }

    private static CheckListener telling(List<String> findings) {
        return new CheckListener() {
            @Override
            public void finding(String text) {
                findings.add(text);
            }
        };
    }

    /** Clusters whose refcount is lower than the references that are found. */
    private static long belowReferences(byte[] image) {
        ClosedImage open = ClosedImage.openForRepair(new RecordedFile(image));
        ReferenceCounts counts = new ReferenceCounts(1L << 30);
        CheckReport report = new CheckReport(CheckListener.SILENT);
        new ReferenceWalk(open, counts, report, false, null).walk();
        RefcountLayout layout = open.header.refcounts();
        long below = 0;
        for (long cluster = 0; cluster < open.clusters(); cluster++) {
            long index = layout.blockIndex(cluster) * 8;
            long block = index < open.refcountTableBytes() ? blockAt(open, index) : 0;
            long count = 0;
            if (block != 0) {
                ByteBuffer bytes = ByteBuffer.allocate(open.clusterSize);
                open.read(block, bytes, open.clusterSize);
                count = layout.get(bytes, layout.indexInBlock(cluster));
            }
            below += count < counts.get(cluster) ? 1 : 0;
        }
        return below;
    }

    private static long blockAt(ClosedImage image, long index) {
        long entry =
                image.read(image.header.refcountTableOffset() + index, ByteBuffer.allocate(8), 8)
                        .getLong(0);
        boolean valid =
                RefcountLayout.tableFault(entry, image.clusterBits, image.fileSizeBytes).isNone();
        return valid ? RefcountLayout.blockHostOffset(entry) : 0;
    }

    private byte[] raw(byte[] image) throws IOException {
        Path file = folder.resolve("state.qcow2");
        Path raw = folder.resolve("state.raw");
        Files.write(file, image);
        Files.deleteIfExists(raw);
        PeerResult result =
                Peer.QEMU_IMG
                        .command(
                                "convert",
                                "--salvage",
                                "-f",
                                "qcow2",
                                "-O",
                                "raw",
                                file.toString(),
                                raw.toString())
                        .run();
        assertThat(result.exitCode()).as(result.stderr()).isZero();
        return Files.readAllBytes(raw);
    }
}
