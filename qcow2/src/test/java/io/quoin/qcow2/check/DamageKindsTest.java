package io.quoin.qcow2.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockException;
import io.quoin.qcow2.check.QemuImages.Kind;
import io.quoin.qcow2.file.ChannelImageFile;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.qcow2.layout.HeaderLayout;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerResult;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Checklist lines 141, 143 and 144, a defect at a time: what qemu-img finds is found, what it
 * repairs is repaired, and what could be read before reads the same.
 */
@Tag("format")
@Timeout(600)
class DamageKindsTest {
    /** Images of different kinds that each defect is made in. */
    private static final int KINDS = Integer.getInteger("quoin.damage.kinds", 1);

    /** Which qemu-img lets pass. */
    private static final Set<Damage> STRICTER =
            EnumSet.of(Damage.ZERO_ENTRY_COPIED, Damage.SUBCLUSTER_ZERO_FLAG);

    /** Shared by all tests: an image of each kind is made once. */
    @TempDir static Path folder;

    @ParameterizedTest
    @EnumSource(Damage.class)
    @DisplayName("QCOW2 141, 143, 144: each defect is found and repaired as by QEMU, or better")
    void shouldRepairWhatQemuRepairsWhenDamaged(Damage damage) throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        List<Kind> kinds = new ArrayList<>(List.of(Kind.values()));
        Collections.shuffle(kinds, new Random(damage.name().hashCode()));
        int applied = 0;
        for (Kind kind : kinds) {
            Path sound = folder.resolve(kind + ".qcow2");
            if (!Files.exists(sound)) {
                QemuImages.make(folder, kind, new Random(kind.name().hashCode()));
            }
            Path image = folder.resolve("damaged.qcow2");
            Files.copy(sound, image, StandardCopyOption.REPLACE_EXISTING);
            if (applied < KINDS && damage(image, damage, kind)) {
                applied++;
                judge(image, damage, kind);
            }
        }
        assertThat(applied).isPositive();
    }

    private static boolean damage(Path path, Damage damage, Kind kind) throws IOException {
        try (ImageFile file = ChannelImageFile.open(path, true)) {
            return damage.apply(ClosedImage.open(file), new Random(kind.name().hashCode()));
        }
    }

    private void judge(Path image, Damage damage, Kind kind) throws IOException {
        String what = damage + " in " + kind;
        Map<String, Long> qemu = QemuImages.check(image);
        List<String> findings = new ArrayList<>();
        Map<String, Long> own;
        try {
            own = Qcow2CheckTest.ownCheck(image, RepairMode.NONE, findings);
        } catch (BlockException e) {
            System.out.println(what + ": refused, qemu " + qemu.get("exit"));
            assertThat(qemu.get("exit")).as("%s: %s", what, e.getMessage()).isNotZero();
            return;
        }
        if (STRICTER.contains(damage)) {
            assertThat(own.get("exit")).as(what).isEqualTo(2);
        } else if (qemu.get("exit") == 1) {
            assertThat(own.get("exit")).as("%s %s", what, findings).isNotZero();
        } else {
            assertThat(own.get("exit"))
                    .as("%s, qemu %s, own %s %s", what, qemu, own, findings)
                    .isEqualTo(qemu.get("exit"));
        }
        Map<String, byte[]> before = contents(image);
        if (!STRICTER.contains(damage)) {
            repair(image, qemu.get("exit"), RepairMode.LEAKS, what, before);
        }
        // An L1 table that is its own L2 table is what the guest reads, and is repaired.
        boolean sameContent = damage != Damage.L1_ENTRY_TO_ACTIVE_L1;
        repair(image, qemu.get("exit"), RepairMode.ALL, what, sameContent ? before : Map.of());
    }

    /** By the names of snapshots, and "" for the disk: what can be read. */
    private static Map<String, byte[]> contents(Path image) throws IOException {
        Map<String, byte[]> contents = new TreeMap<>();
        for (String snapshot : List.of("", "1")) {
            byte[] content = content(image, snapshot);
            if (content != null) {
                contents.put(snapshot, content);
            }
        }
        return contents;
    }

    /**
     * @param found what QEMU says of the image, which it need not be asked again where a repair
     *     changes nothing
     */
    private void repair(
            Path image, long found, RepairMode mode, String what, Map<String, byte[]> before)
            throws IOException {
        String name = mode == RepairMode.ALL ? "all" : "leaks";
        Path byQemu = copy(image, "qemu.qcow2");
        QemuImages.check(byQemu, "-r", name);
        // With bitmaps in the image, QEMU 7.2 writes a header without its snapshots.
        boolean keepsSnapshots = snapshots(byQemu) == snapshots(image);
        long qemu = keepsSnapshots ? exit(byQemu, image, found) : -1;
        Path repaired = copy(image, "own.qcow2");
        List<String> findings = new ArrayList<>();
        Map<String, Long> own = Qcow2CheckTest.ownCheck(repaired, mode, findings);
        long judged = exit(repaired, image, found);
        System.out.println(
                what + " -r " + name + ": qemu leaves " + qemu + ", own " + own.get("exit"));
        if (qemu == 0) {
            assertThat(own.get("exit")).as("%s -r %s: %s", what, name, findings).isZero();
        }
        if (own.get("exit") == 0) {
            assertThat(judged).as("%s: %s", what, findings).isZero();
        }
        assertThat(Qcow2CheckTest.ownCheck(repaired, RepairMode.NONE, findings).get("exit"))
                .as(what)
                .isEqualTo(own.get("exit"));
        if (Files.mismatch(repaired, image) >= 0) {
            for (Map.Entry<String, byte[]> content : before.entrySet()) {
                assertThat(content(repaired, content.getKey()))
                        .as("content after %s -r %s, %s", what, name, findings)
                        .isEqualTo(content.getValue());
            }
        }
    }

    /** What QEMU says of a file, or has said of another one of the same bytes. */
    private static long exit(Path file, Path other, long ofOther) throws IOException {
        return Files.mismatch(file, other) < 0 ? ofOther : QemuImages.check(file).get("exit");
    }

    private static int snapshots(Path image) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "r")) {
            file.seek(HeaderLayout.SNAPSHOT_FIELDS_OFFSET);
            return file.readInt();
        }
    }

    private static Path copy(Path image, String name) throws IOException {
        return Files.copy(image, folder.resolve(name), StandardCopyOption.REPLACE_EXISTING);
    }

    /** What can be read, zeros for the rest; null if nothing can. */
    private static byte @Nullable [] content(Path image, String snapshot) throws IOException {
        Path raw = folder.resolve("content.raw");
        Files.deleteIfExists(raw);
        List<String> arguments =
                new ArrayList<>(List.of("convert", "--salvage", "-f", "qcow2", "-O", "raw"));
        if (!snapshot.isEmpty()) {
            arguments.addAll(List.of("-l", "snapshot.id=" + snapshot));
        }
        arguments.addAll(List.of(image.toString(), raw.toString()));
        PeerResult result = Peer.QEMU_IMG.command(arguments).run();
        return result.exitCode() == 0 ? Files.readAllBytes(raw) : null;
    }
}
