package io.quoin.qcow2.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.check.QemuImages.Kind;
import io.quoin.qcow2.file.ChannelImageFile;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerResult;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Checklist sections 5, 13 and 15: repairs leave what qemu-img calls clean, and the data as they
 * were.
 */
@Timeout(120)
class RepairTest {
    @TempDir Path folder;

    @ParameterizedTest
    @EnumSource(
            value = Kind.class,
            names = {
                "V3",
                "V2",
                "CLUSTER_512",
                "WIDTH_1",
                "WIDTH_64",
                "SNAPSHOTS",
                "COMPRESSED_SNAPSHOT",
                "EXTENDED_L2",
                "BITMAPS"
            })
    @DisplayName("QCOW2 135: refcounts are rebuilt when all are lost")
    void shouldRebuildRefcountsWhenAllAreLost(Kind kind) throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        Path image = QemuImages.make(folder, kind, new Random(kind.name().hashCode()));
        Path before = folder.resolve("before.qcow2");
        Files.copy(image, before, StandardCopyOption.REPLACE_EXISTING);
        try (ImageFile file = ChannelImageFile.open(image, true)) {
            ClosedImage open = ClosedImage.open(file);
            // No refcount block is known any more, as after a crash with lazy refcounts at its
            // worst.
            open.write(open.header.refcountTableOffset(), ByteBuffer.allocate(open.clusterSize));
            if (open.header.version() >= 3) {
                open.writeFeatures(
                        open.header.incompatibleFeatures()
                                | Qcow2Header.DIRTY
                                | Qcow2Header.CORRUPT,
                        open.header.autoclearFeatures());
            }
        }
        List<String> findings = new ArrayList<>();
        assertThat(Qcow2CheckTest.ownCheck(image, RepairMode.LEAKS, findings))
                .containsEntry("exit", 2L);
        Map<String, Long> repaired = Qcow2CheckTest.ownCheck(image, RepairMode.ALL, findings);
        assertThat(repaired).as("%s", findings).containsEntry("exit", 0L);
        assertThat(repaired.get("corruptions-fixed")).isPositive();
        assertThat(QemuImages.check(image)).containsEntry("exit", 0L);
        try (ImageFile file = ChannelImageFile.open(image, false)) {
            Qcow2Header header = ClosedImage.open(file).header;
            assertThat(header.isDirty()).isFalse();
            assertThat(header.isCorrupt()).isFalse();
        }
        PeerResult same =
                Peer.QEMU_IMG.command("compare", before.toString(), image.toString()).runOk();
        assertThat(same.stdout()).contains("identical");
        Peer.QEMU_IO.command("-f", "qcow2", "-c", "write -P 9 0 1M", image.toString()).runOk();
        assertThat(QemuImages.check(image)).containsEntry("exit", 0L);
    }

    @Test
    @DisplayName("QCOW2 134: counts are settled after a writer with lazy refcounts died")
    void shouldSettleRefcountsWhenWriterWithLazyRefcountsDied() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        Path image = QemuImages.make(folder, Kind.LAZY, new Random(134));
        // qemu-io ends itself without closing the image: the counts stay in its memory.
        Peer.QEMU_IO
                .command(
                        "-f",
                        "qcow2",
                        "-c",
                        "write -P 5 3M 1M",
                        "-c",
                        "write -P 6 1M 300k",
                        "-c",
                        "flush",
                        "-c",
                        "abort",
                        image.toString())
                .run();
        try (ImageFile file = ChannelImageFile.open(image, true)) {
            assertThat(ClosedImage.open(file).header.isDirty()).isTrue();
            CheckResult result = Qcow2Check.settleDirty(file, CheckListener.SILENT);
            assertThat(result.isClean()).isTrue();
            assertThat(ClosedImage.open(file).header.isDirty()).isFalse();
        }
        assertThat(QemuImages.check(image)).containsEntry("exit", 0L);
        Peer.QEMU_IO
                .command(
                        "-f",
                        "qcow2",
                        "-c",
                        "read -P 5 3M 1M",
                        "-c",
                        "read -P 6 1M 300k",
                        image.toString())
                .runOk();
    }

    @Test
    @DisplayName("QCOW2 29: a check keeps unknown autoclear bits, a repair clears them")
    void shouldClearUnknownAutoclearBitsOnlyWhenRepairing() throws IOException {
        Peer.QEMU_IMG.assumeAvailable();
        Path image = QemuImages.make(folder, Kind.EMPTY, new Random(29));
        try (ImageFile file = ChannelImageFile.open(image, true)) {
            ClosedImage open = ClosedImage.open(file);
            open.writeFeatures(0, 1L << 60);
            Qcow2Check.check(file, RepairMode.NONE, CheckListener.SILENT);
            assertThat(ClosedImage.open(file).header.autoclearFeatures()).isEqualTo(1L << 60);
            Qcow2Check.check(file, RepairMode.LEAKS, CheckListener.SILENT);
            assertThat(ClosedImage.open(file).header.autoclearFeatures()).isZero();
        }
    }

    @Test
    void shouldTakeNothingForLeakedWhenBrokenTableHidesReferences() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        Path image = QemuImages.make(folder, Kind.CLUSTER_4K, new Random(3));
        try (ImageFile file = ChannelImageFile.open(image, true)) {
            ClosedImage open = ClosedImage.open(file);
            long entryOffset = open.header.l1TableOffset();
            long entry = open.read(entryOffset, ByteBuffer.allocate(8), 8).getLong(0);
            assertThat(L1Entry.isAllocated(entry)).isTrue();
            open.writeEntry(entryOffset, entry + 512);
            CheckResult result = Qcow2Check.check(file, RepairMode.ALL, CheckListener.SILENT);
            assertThat(result.exitCode()).isEqualTo(CheckResult.EXIT_CORRUPT);
            assertThat(result.leaks()).isPositive();
            assertThat(result.leaksFixed()).isZero();
            open.writeEntry(entryOffset, entry);
            assertThat(Qcow2Check.check(file, RepairMode.NONE, CheckListener.SILENT).isClean())
                    .isTrue();
        }
    }

    @Test
    @DisplayName("QCOW2 148: counts that need too much memory are refused")
    void shouldStopWhenCountsNeedMoreMemoryThanAllowed() throws IOException {
        Peer.QEMU_IMG.assumeAvailable();
        Path image = QemuImages.make(folder, Kind.V3, new Random(148));
        try (ImageFile file = ChannelImageFile.open(image, false)) {
            assertThatThrownBy(
                            () ->
                                    Qcow2Check.check(
                                            file, RepairMode.NONE, CheckListener.SILENT, 1000))
                    .isInstanceOfSatisfying(
                            BlockException.class,
                            e -> assertThat(e.error()).isEqualTo(BlockError.ENOMEM));
        }
    }

    @Test
    @DisplayName("QCOW2 148: a huge sparse file costs no more memory")
    void shouldStayBoundedWhenSparseFileIsHuge() throws IOException {
        Peer.QEMU_IMG.assumeAvailable();
        Path image = folder.resolve("huge.qcow2");
        Peer.QEMU_IMG
                .command(
                        "create",
                        "-q",
                        "-f",
                        "qcow2",
                        "-o",
                        "cluster_size=512",
                        image.toString(),
                        "1M")
                .runOk();
        try (RandomAccessFile raw = new RandomAccessFile(image.toFile(), "rw")) {
            raw.setLength(1L << 42);
        }
        try (ImageFile file = ChannelImageFile.open(image, false)) {
            assertThat(Qcow2Check.check(file, RepairMode.NONE, CheckListener.SILENT).isClean())
                    .isTrue();
        }
    }

    @Test
    void shouldEndInResultOrExceptionWhenMetadataAreGarbage() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        long seed = 154;
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        Path sound = QemuImages.make(folder, Kind.CLUSTER_4K, random);
        byte[] bytes = Files.readAllBytes(sound);
        Path image = folder.resolve("garbage.qcow2");
        int results = 0;
        for (int round = 0; round < 60; round++) {
            byte[] copy = bytes.clone();
            for (int i = 0; i < 50; i++) {
                // The first clusters hold header, refcounts and L1; L2 tables lie behind them.
                int at = random.nextInt(round % 2 == 0 ? 8 << 12 : copy.length);
                copy[at] = (byte) random.nextInt(256);
            }
            Files.write(image, copy);
            try (ImageFile file = ChannelImageFile.open(image, true)) {
                Qcow2Check.check(
                        file, List.of(RepairMode.values()).get(round % 3), CheckListener.SILENT);
                results++;
            } catch (BlockException e) {
                assertThat(e.getMessage()).isNotBlank();
            }
        }
        assertThat(results).isPositive();
    }
}
