package io.quoin.qcow2.crash;

import io.quoin.block.BlockException;
import io.quoin.qcow2.ImageFixture;
import io.quoin.qcow2.QemuVerdict;
import io.quoin.qcow2.snapshot.SnapshotControl;
import io.quoin.qcow2.snapshot.SnapshotInfo;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.crash.CrashReplay;
import io.quoin.testkit.crash.FlatBytes;
import io.quoin.testkit.crash.FlatFiles;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;

/**
 * Judges what a crash has left of a disk and its snapshots, as found and after it has been served
 * until no count is too high.
 *
 * <p>Threading: confined to the test.
 */
final class SnapshotJudge implements CrashReplay.Judge {
    static final String IMAGE = "disk.qcow2";
    private static final int SECTOR = SectorStamp.SECTOR_BYTES;

    /** What each snapshot that has ever been there reads as. */
    final Map<UUID, byte[]> contents = new TreeMap<>();

    /** Those that have to be there at this moment of the replay. */
    final Set<UUID> promised = new HashSet<>();

    /** Those that must not be there. */
    final Set<UUID> gone = new HashSet<>();

    final List<String> findings = new ArrayList<>();
    int states;
    int unclean;
    int reclaimed;
    private final Path folder;
    private final SectorModel model;

    SnapshotJudge(Path folder, SectorModel model) {
        this.folder = folder;
        this.model = model;
    }

    @Override
    public void judge(String state, Map<String, FlatBytes> files) {
        states++;
        FlatBytes image = files.get(IMAGE);
        FlatFiles brick = new FlatFiles();
        files.forEach(brick::put);
        ImageFixture images = new ImageFixture(folder, new MemoryXlator("none"), brick, Map.of());
        try {
            checkAtWorst(state, image);
            add(state, model.judge(read(images, IMAGE)));
            checkSnapshots(state, images);
            byte[] expected = serve(state, images);
            if (!Arrays.equals(read(images, IMAGE), expected)) {
                add(state, "reads as something else after it was served");
            }
            checkSnapshots(state + ", served", images);
            checkServed(state, image);
        } catch (BlockException | AssertionError e) {
            add(state, "image cannot be used: " + e);
        }
    }

    private void add(String state, String wrong) {
        if (!wrong.isEmpty()) {
            findings.add(state + ": " + wrong);
        }
    }

    /** Open for writing until counts have been lowered, by turns with changes; what it reads as. */
    private byte[] serve(String state, ImageFixture images) {
        XlatorFile file = images.open(IMAGE, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        byte[] expected = driver.read(0, (int) file.geometry().sizeBytes());
        Random random = new Random(states);
        for (int i = 0; i < 6 && states % 2 == 0; i++) {
            int at = random.nextInt(expected.length / SECTOR - 16) * SECTOR;
            byte[] data = SectorStamp.bytes(i + 1, at, (random.nextInt(16) + 1) * SECTOR);
            driver.write(at, data);
            System.arraycopy(data, 0, expected, at, data.length);
            images.loops.advance(random.nextInt(1_500_000));
        }
        images.loops.runUntilIdle();
        Object reclaim = file.details().get("leak-reclaim");
        images.close(file);
        if (reclaim != null) {
            reclaimed++;
            add(state, reclaim.toString().contains("state=done") ? "" : "walk: " + reclaim);
        }
        return expected;
    }

    private void checkSnapshots(String state, ImageFixture images) {
        XlatorFile file = images.open(IMAGE, OpenMode.READ_ONLY);
        List<SnapshotInfo> all = SnapshotControl.of(file).orElseThrow().list();
        images.close(file);
        Set<UUID> missing = new HashSet<>(promised);
        for (SnapshotInfo snapshot : all) {
            missing.remove(snapshot.uuid());
            byte[] content = read(images, IMAGE + "@" + snapshot.name());
            if (!Arrays.equals(content, contents.get(snapshot.uuid()))) {
                add(state, "snapshot " + snapshot + " reads as something else");
            }
            if (gone.contains(snapshot.uuid())) {
                add(state, "snapshot " + snapshot + " was deleted");
            }
        }
        add(state, missing.isEmpty() ? "" : "snapshots are lost: " + missing);
    }

    private void checkAtWorst(String state, FlatBytes image) {
        if (isDirty(image)) {
            return; // its counts mean nothing
        }
        PeerResult qemu = qemuCheck(image);
        unclean += qemu.exitCode() == 0 ? 0 : 1;
        if (!QemuVerdict.isLeaksAndFlagsAtWorst(qemu)) {
            add(state, "qemu-img check: " + qemu);
        }
    }

    /** Version 2 has no place for the mark of ADR 0010: there all waits for a check. */
    private void checkServed(String state, FlatBytes image) {
        PeerResult qemu = qemuCheck(image);
        boolean good =
                versionOf(image) == 2
                        ? QemuVerdict.isLeaksAndFlagsAtWorst(qemu)
                        : qemu.exitCode() == 0;
        if (!good || isDirty(image)) {
            add(state, "qemu-img check of what was served: " + qemu);
        }
    }

    private PeerResult qemuCheck(FlatBytes image) {
        try {
            Files.write(folder.resolve(IMAGE), image.content());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Peer.QEMU_IMG.command("check", IMAGE).directory(folder).run();
    }

    private static int versionOf(FlatBytes image) {
        return header(image)[7];
    }

    private static boolean isDirty(FlatBytes image) {
        return versionOf(image) == 3 && (header(image)[79] & 1) != 0;
    }

    private static byte[] header(FlatBytes image) {
        byte[] header = new byte[80];
        image.read(0, ByteBuffer.wrap(header));
        return header;
    }

    /** All that the disk or snapshot of that name reads as. */
    static byte[] read(ImageFixture images, String name) {
        XlatorFile file = images.open(name, OpenMode.READ_ONLY);
        byte[] content = images.driver(file).read(0, (int) file.geometry().sizeBytes());
        images.close(file);
        return content;
    }
}
