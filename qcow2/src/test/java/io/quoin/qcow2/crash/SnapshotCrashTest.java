package io.quoin.qcow2.crash;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockException;
import io.quoin.qcow2.ImageFixture;
import io.quoin.qcow2.QemuVerdict;
import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.check.Qcow2Check;
import io.quoin.qcow2.check.RepairMode;
import io.quoin.qcow2.snapshot.SnapshotControl;
import io.quoin.qcow2.snapshot.SnapshotInfo;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.crash.CrashReplay;
import io.quoin.testkit.crash.DiskRecorder;
import io.quoin.testkit.crash.FlatBytes;
import io.quoin.testkit.crash.FlatFiles;
import io.quoin.testkit.fault.ReorderingXlator;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.io.UncheckedIOException;
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
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every crash point of snapshots that are made under writes: what was flushed is in the disk, a
 * snapshot is there with its content, or not at all, and always once {@code create} has ended; the
 * image has leaks and differences of COPIED at worst. {@code -Dquoin.crash.rounds=1} takes each
 * change, not some of them.
 */
@Tag("format")
@Timeout(1200)
class SnapshotCrashTest {
    private static final int ROUNDS = Integer.getInteger("quoin.crash.rounds", 0);
    private static final int EVERY = Integer.MAX_VALUE;
    private static final String IMAGE = "disk.qcow2";
    private static final int SIZE = 200_192;
    private static final int SECTOR = SectorStamp.SECTOR_BYTES;

    @TempDir Path folder;

    private final MemoryXlator brick = new MemoryXlator("brick");
    private final DiskRecorder recorder = new DiskRecorder(brick, false);
    private final SectorModel model = new SectorModel(SIZE, SIZE);
    private final Set<String> promised = new HashSet<>();
    private final Map<String, byte[]> contents = new TreeMap<>();
    private final List<String> findings = new ArrayList<>();
    private int states;
    private int withSnapshots;
    private RandomChanges changes = new RandomChanges(new Random(), SIZE, 512);

    @ParameterizedTest(name = "{0}")
    @ValueSource(
            strings = {
                "cluster_size=512",
                "cluster_size=512,compat=0.10",
                "cluster_size=4k",
                "cluster_size=64k",
                "cluster_size=4k,lazy_refcounts=on",
                "cluster_size=16k,extended_l2=on",
                "cluster_size=2M"
            })
    void shouldHaveAllOfASnapshotOrNothingWhenItCrashesAnywhere(String options) throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG);
        long seed = RandomOperations.seed();
        Random random = new Random(seed);
        changes = new RandomChanges(random, SIZE, RandomChanges.clusterSizeOf(options));
        Peer.QEMU_IMG
                .command("create", "-q", "-f", "qcow2", "-o", options, IMAGE, "" + SIZE)
                .directory(folder)
                .runOk();
        brick.put(IMAGE, Files.readAllBytes(folder.resolve(IMAGE)));
        int number = session(new SectorModel(SIZE, SIZE), seed, 1, "");
        recorder.events.clear();
        promised.clear();
        Map<String, byte[]> initial = Map.of(IMAGE, brick.content(IMAGE));
        SectorModel replayed = model.copy();
        number = session(replayed, seed, number, "one");
        session(replayed, seed + 1, number, "two");
        promised.clear();
        // Each state of an image of large clusters takes as long as five of another.
        int crashes = ROUNDS > 0 ? EVERY : options.contains("2M") ? 20 : 70;
        new CrashReplay(initial, recorder.events)
                .run(
                        (state, files) -> judge(state, files, replayed),
                        new Random(seed),
                        crashes,
                        ROUNDS > 0 ? Math.max(3, ROUNDS) : 1);
        System.out.println(
                "snapshot crash: "
                        + options
                        + ", seed="
                        + seed
                        + ", states="
                        + states
                        + ", with snapshots="
                        + withSnapshots);
        assertThat(findings.stream().limit(3)).as("%s, seed=%d", options, seed).isEmpty();
        assertThat(withSnapshots).isPositive();
        assertThat(states).isGreaterThan(Math.min(60, crashes));
    }

    private int session(SectorModel replayed, long seed, int number, String snapshot) {
        ImageFixture images =
                new ImageFixture(
                        folder, brick, new ReorderingXlator("reorder", recorder, seed), Map.of());
        XlatorFile opened = images.open(IMAGE, OpenMode.READ_WRITE);
        ModelFile file = new ModelFile(opened, model, replayed, recorder, number);
        FileDriver driver = images.driver(file);
        for (int i = 0; i < 4; i++) {
            changes.group(driver);
        }
        if (!snapshot.isEmpty()) {
            SnapshotControl control = SnapshotControl.of(opened).orElseThrow();
            CompletableFuture<SnapshotInfo> pending =
                    images.loops
                            .loop(0)
                            .call(() -> control.create(snapshot, (done, total) -> true))
                            .toCompletableFuture();
            CompletableFuture<Void> unused =
                    pending.thenRun(() -> recorder.mark(() -> promised.add(snapshot)));
            for (int i = 0; i < 100 && (i < 3 || !pending.isDone()); i++) {
                changes.group(driver);
            }
            images.loops.await(pending);
            changes.group(driver);
        }
        images.close(file);
        if (!snapshot.isEmpty()) {
            ImageFixture reader = new ImageFixture(folder, brick, Map.of());
            contents.put(snapshot, read(reader, IMAGE + "@" + snapshot));
        }
        return file.number();
    }

    private void judge(String state, Map<String, FlatBytes> files, SectorModel replayed) {
        states++;
        try {
            if (states % 10 == 0) {
                checkByQemu(state, files.get(IMAGE));
            }
            check(state, files.get(IMAGE));
            ImageFixture images = over(files);
            add(state, replayed.judge(read(images, IMAGE)));
            checkSnapshots(state + ", as found", images);
            XlatorFile file = images.open(IMAGE, OpenMode.READ_WRITE);
            FileDriver driver = images.driver(file);
            byte[] expected = driver.read(0, SIZE);
            int at = states * 31 % (SIZE / SECTOR - 3) * SECTOR;
            byte[] data = SectorStamp.bytes(7, at, 3 * SECTOR);
            driver.write(at, data);
            System.arraycopy(data, 0, expected, at, data.length);
            images.close(file);
            if (!Arrays.equals(read(images, IMAGE), expected)) {
                add(state, "reads something else after one more write");
            }
            checkSnapshots(state + ", written again", images);
            check(state + ", written again", files.get(IMAGE));
        } catch (BlockException | AssertionError e) {
            add(state, "image cannot be used: " + e);
        }
    }

    private void add(String state, String wrong) {
        if (!wrong.isEmpty()) {
            findings.add(state + ": " + wrong);
        }
    }

    private void checkSnapshots(String state, ImageFixture images) {
        XlatorFile file = images.open(IMAGE, OpenMode.READ_ONLY);
        List<SnapshotInfo> all = SnapshotControl.of(file).orElseThrow().list();
        images.close(file);
        Set<String> missing = new HashSet<>(promised);
        for (SnapshotInfo snapshot : all) {
            missing.remove(snapshot.name());
            byte[] content = read(images, IMAGE + "@" + snapshot.name());
            if (!Arrays.equals(content, contents.get(snapshot.name()))) {
                add(state, "snapshot " + snapshot.name() + " reads something else");
            }
        }
        withSnapshots += all.isEmpty() ? 0 : 1;
        add(state, missing.isEmpty() ? "" : "lost: " + missing);
    }

    /** Leaks and flags apart; the counts of a dirty image mean nothing. */
    private void check(String state, FlatBytes image) {
        byte[] header = new byte[80];
        image.read(0, java.nio.ByteBuffer.wrap(header));
        if (header[7] == 3 && (header[79] & 1) != 0) {
            return;
        }
        Qcow2Check.check(
                new FlatImage(image),
                RepairMode.NONE,
                new CheckListener() {
                    @Override
                    public void finding(String text) {
                        boolean allowed =
                                text.contains("OFLAG_COPIED")
                                        || text.startsWith("Leaked ")
                                        || text.startsWith("and more: ");
                        if (!allowed) {
                            add(state, text);
                        }
                    }
                });
    }

    private void checkByQemu(String state, FlatBytes image) {
        try {
            Files.write(folder.resolve(IMAGE), image.content());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        byte[] header = new byte[80];
        image.read(0, java.nio.ByteBuffer.wrap(header));
        if (header[7] == 3 && (header[79] & 1) != 0) {
            return;
        }
        PeerResult qemu = Peer.QEMU_IMG.command("check", IMAGE).directory(folder).run();
        if (!QemuVerdict.isLeaksAndFlagsAtWorst(qemu)) {
            add(state, "qemu-img check: " + qemu);
        }
    }

    private ImageFixture over(Map<String, FlatBytes> files) {
        FlatFiles flat = new FlatFiles();
        files.forEach(flat::put);
        return new ImageFixture(folder, new MemoryXlator("none"), flat, Map.of());
    }

    private static byte[] read(ImageFixture images, String name) {
        XlatorFile file = images.open(name, OpenMode.READ_ONLY);
        byte[] content = images.driver(file).read(0, (int) file.geometry().sizeBytes());
        images.close(file);
        return content;
    }
}
