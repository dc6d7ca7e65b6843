package io.quoin.qcow2.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockException;
import io.quoin.qcow2.check.QemuImages.Kind;
import io.quoin.qcow2.file.ChannelImageFile;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.qcow2.layout.BitmapsExtension;
import io.quoin.qcow2.layout.EntryFault;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.qcow2.layout.RefcountLayout;
import io.quoin.testkit.peer.Peer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Checklist lines 141 to 144: what qemu-img says of damaged images, this check says too; and its
 * repairs hold.
 */
@Tag("format")
@Timeout(300)
class DamagedImageTest {
    private static final long ROUNDS = Long.getLong("quoin.damage.rounds", 8);

    @TempDir Path folder;

    @ParameterizedTest
    @EnumSource(Kind.class)
    @DisplayName("QCOW2 141, 143, 144: damaged images are judged and repaired as by QEMU")
    void shouldAgreeWithQemuWhenImageIsDamaged(Kind kind) throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        Path sound = QemuImages.make(folder, kind, new Random(kind.name().hashCode()));
        for (int round = 0; round < ROUNDS; round++) {
            long seed = kind.name().hashCode() * 1000L + round;
            Path image = folder.resolve("damaged.qcow2");
            Files.copy(sound, image, StandardCopyOption.REPLACE_EXISTING);
            String damage = damage(image, new Random(seed));
            String what = kind + " seed " + seed + ": " + damage;
            System.out.println(what);
            List<String> findings = new ArrayList<>();
            Map<String, Long> qemu = QemuImages.check(image);
            Map<String, Long> own;
            try {
                own = Qcow2CheckTest.ownCheck(image, RepairMode.NONE, findings);
            } catch (BlockException e) {
                assertThat(qemu.get("exit")).as("%s, own %s", what, e.getMessage()).isNotZero();
                continue;
            }
            if (damage.startsWith("bitmap")) {
                // Which of the two depends on how far QEMU gets before it gives up.
                assertThat(own.get("exit") == 0).as(what).isEqualTo(qemu.get("exit") == 0);
                continue;
            }
            boolean isHeader = damage.startsWith("header");
            if (isHeader && qemu.get("exit") == CheckResult.EXIT_NOT_COMPLETED) {
                // What it does not open, a backing or a data file say, is not looked for here.
                continue;
            }
            if (qemu.get("exit") != 0
                    || !findings.stream().allMatch(DamagedImageTest::isStricter)) {
                assertThat(own.get("exit"))
                        .as("%s, qemu %s, own %s %s", what, qemu, own, findings)
                        .isEqualTo(qemu.get("exit"));
            }
            if (own.get("exit") == CheckResult.EXIT_LEAKS) {
                assertThat(own.get("leaks")).as(what).isEqualTo(qemu.get("leaks"));
            }
            repair(image, own, what);
        }
    }

    private void repair(Path image, Map<String, Long> before, String what) throws IOException {
        Path copy = folder.resolve("repaired.qcow2");
        Files.copy(image, copy, StandardCopyOption.REPLACE_EXISTING);
        List<String> findings = new ArrayList<>();
        Map<String, Long> leaks = Qcow2CheckTest.ownCheck(copy, RepairMode.LEAKS, findings);
        if (before.get("exit") == CheckResult.EXIT_LEAKS) {
            assertThat(leaks).as("%s %s", what, findings).containsEntry("exit", 0L);
            assertThat(leaks.get("leaks-fixed")).as(what).isEqualTo(before.get("leaks"));
            assertThat(QemuImages.check(copy)).as(what).containsEntry("exit", 0L);
        }
        findings.clear();
        Map<String, Long> all = Qcow2CheckTest.ownCheck(image, RepairMode.ALL, findings);
        Map<String, Long> qemu = QemuImages.check(image);
        assertThat(qemu.get("exit"))
                .as("%s, qemu %s, own %s %s", what, qemu, all, findings)
                .isEqualTo(all.get("exit"));
        assertThat(Qcow2CheckTest.ownCheck(image, RepairMode.NONE, findings).get("exit"))
                .isEqualTo(all.get("exit"));
    }

    /** Rules of the format that QEMU lets pass. */
    private static boolean isStricter(String finding) {
        return finding.contains(EntryFault.COPIED_WITHOUT_OFFSET.text());
    }

    private static String damage(Path path, Random random) throws IOException {
        try (ImageFile file = ChannelImageFile.open(path, true)) {
            ClosedImage image = ClosedImage.open(file);
            int kind = random.nextInt(13);
            if (kind == 10 && image.header.snapshotCount() > 0) {
                return word(image, "snapshot table", image.header.snapshotsOffset(), 96, random);
            }
            BitmapsExtension bitmaps = image.header.bitmaps();
            if (kind >= 10 && bitmaps != null) {
                return bitmaps(image, bitmaps, random);
            }
            if (kind == 11) {
                return word(image, "header", 24, 80, random);
            }
            if (kind < 3 || kind > 10) {
                return refcount(image, random);
            }
            if (kind == 3) {
                return entry(image, "refcount table", image.header.refcountTableOffset(), random);
            }
            if (kind == 4 || l2Tables(image).isEmpty()) {
                return entry(image, "L1", image.header.l1TableOffset(), random);
            }
            List<Long> tables = l2Tables(image);
            long l2Offset = tables.get(random.nextInt(tables.size()));
            List<Long> used = new ArrayList<>();
            for (int at = 0; at < image.clusterSize; at += image.geometry.l2EntryBytes()) {
                if (read(image, l2Offset + at) != 0) {
                    used.add(l2Offset + at);
                }
            }
            if (used.isEmpty()) {
                return refcount(image, random);
            }
            return entry(image, "L2", used.get(random.nextInt(used.size())), random);
        }
    }

    private static String bitmaps(ClosedImage image, BitmapsExtension extension, Random random) {
        long directory = extension.directoryOffset();
        if (random.nextBoolean()) {
            return word(image, "bitmap directory", directory, 32, random);
        }
        return entry(image, "bitmap table", image.bitmaps().get(0).tableOffset(), random);
    }

    /** Turns over a few bits of one byte. */
    private static String word(
            ClosedImage image, String what, long hostOffset, int lengthBytes, Random random) {
        long at = hostOffset + random.nextInt(lengthBytes);
        byte old = image.read(at, ByteBuffer.allocate(1), 1).get(0);
        byte changed = (byte) (old ^ (1 << random.nextInt(8)));
        image.write(at, ByteBuffer.allocate(1).put(changed).flip());
        return String.format("%s byte %d: %x becomes %x", what, at - hostOffset, old, changed);
    }

    private static String entry(ClosedImage image, String what, long entryOffset, Random random) {
        long old = read(image, entryOffset);
        long changed =
                switch (random.nextInt(7)) {
                    case 0 -> 0L;
                    case 1 -> old ^ L2Entry.COPIED;
                    case 2 -> old ^ 1L << (9 + random.nextInt(Math.max(1, image.clusterBits - 9)));
                    case 3 -> old ^ 1L << (1 + random.nextInt(8));
                    case 4 -> old ^ 1L << (40 + random.nextInt(15));
                    case 5 -> old + image.clusterSize;
                    default -> old ^ 1L << (56 + random.nextInt(6));
                };
        image.writeEntry(entryOffset, changed);
        return String.format("%s entry at %d: %x becomes %x", what, entryOffset, old, changed);
    }

    private static String refcount(ClosedImage image, Random random) {
        RefcountLayout layout = image.header.refcounts();
        long blockOffset =
                RefcountLayout.blockHostOffset(read(image, image.header.refcountTableOffset()));
        ByteBuffer block =
                image.read(blockOffset, ByteBuffer.allocate(image.clusterSize), image.clusterSize);
        int cluster = random.nextInt((int) Math.min(layout.blockEntries(), image.clusters()));
        long old = layout.get(block, cluster);
        boolean up = random.nextBoolean() && old != layout.countMax();
        long changed = up ? old + 1 : Math.max(0, old - 1);
        layout.set(block, cluster, changed);
        image.write(blockOffset, block.clear());
        return "refcount of cluster " + cluster + ": " + old + " becomes " + changed;
    }

    private static List<Long> l2Tables(ClosedImage image) {
        List<Long> tables = new ArrayList<>();
        for (int i = 0; i < image.header.l1Size(); i++) {
            long entry = read(image, image.header.l1TableOffset() + (long) i * L1Entry.SIZE_BYTES);
            if (L1Entry.isAllocated(entry)) {
                tables.add(L1Entry.hostOffset(entry));
            }
        }
        return tables;
    }

    private static long read(ClosedImage image, long hostOffset) {
        return image.read(hostOffset, ByteBuffer.allocate(8), 8).getLong(0);
    }
}
