package io.quoin.qcow2.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.ImageFixture;
import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.check.Qcow2Check;
import io.quoin.qcow2.check.RepairMode;
import io.quoin.qcow2.snapshot.SnapshotControl;
import io.quoin.qcow2.snapshot.SnapshotProgress;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.crash.CrashReplay;
import io.quoin.testkit.crash.DiskRecorder;
import io.quoin.testkit.crash.FlatBytes;
import io.quoin.testkit.crash.FlatFiles;
import io.quoin.testkit.fault.ReorderingXlator;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Disks are rolled back to snapshots that QEMU made; at every crash point it is one or the other.
 */
@Tag("format")
@Timeout(600)
class SnapshotRollbackTest {
    private static final int ROUNDS = Integer.getInteger("quoin.crash.rounds", 0);
    private static final String NAME = "disk.qcow2";
    private static final int SIZE = 2 << 20;
    private static final SnapshotProgress GO_ON = (done, total) -> true;

    @TempDir Path folder;
    private final MemoryXlator brick = new MemoryXlator("brick");
    private final DiskRecorder recorder = new DiskRecorder(brick, false);
    private final List<String> findings = new ArrayList<>();
    private boolean done;
    private int rolledBack;
    private int states;
    private ImageFixture images;

    @BeforeEach
    void start() {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        images =
                new ImageFixture(
                        folder, brick, new ReorderingXlator("reorder", recorder, 7), Map.of());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "cluster_size=512                | true",
                "cluster_size=4k                 | true",
                "cluster_size=64k                | true",
                "cluster_size=2M                 | true",
                "cluster_size=16k,extended_l2=on | true",
                "cluster_size=4k,compat=0.10     | false",
                "cluster_size=4k,lazy_refcounts=on | true",
            })
    void shouldBeTheSnapshotOrAsBeforeWhenItCrashesAnywhere(String options, boolean resized)
            throws IOException {
        make(options.strip(), resized);
        byte[] before = images.qemuContent(NAME);
        byte[] one = snapshotContent("one");
        byte[] two = snapshotContent("two");
        Map<String, byte[]> initial = Map.of(NAME, brick.content(NAME));
        recorder.events.clear();
        rollBack("one");
        recorder.mark(() -> done = true);
        assertThat(images.qemuContent(NAME)).isEqualTo(one);
        long seed = RandomOperations.seed();
        new CrashReplay(initial, recorder.events)
                .run(
                        (state, files) -> judge(state, files, before, one, two),
                        new Random(seed),
                        ROUNDS > 0 ? Integer.MAX_VALUE : 40,
                        ROUNDS > 0 ? Math.max(3, ROUNDS) : 1);
        System.out.println("rollback: " + options + ", seed=" + seed + ", states=" + states);
        assertThat(findings.stream().limit(3)).as("%s, seed=%d", options, seed).isEmpty();
        assertThat(states).isGreaterThan(10);
        assertThat(rolledBack).isBetween(1, states - 1);
        serveAgain(images);
        if (!options.contains("0.10")) {
            images.checkClean(NAME);
        }
        assertThat(images.qemuContent(NAME)).isEqualTo(one);
        assertThat(snapshotContent("one")).isEqualTo(one);
        assertThat(snapshotContent("two")).isEqualTo(two);
    }

    @Test
    void shouldGoOnAsBeforeWhenItIsStopped() throws IOException {
        make("cluster_size=4k", false);
        byte[] before = images.qemuContent(NAME);
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        assertThatThrownBy(() -> images.loops.await(rollBack(file, "one", (done, total) -> false)))
                .hasStackTraceContaining("not rolled back to: name=one");
        images.driver(file).write(0, new byte[4096]);
        Arrays.fill(before, 0, 4096, (byte) 0);
        images.close(file);
        serveAgain(images);
        images.checkClean(NAME);
        assertThat(images.qemuContent(NAME)).isEqualTo(before);
    }

    /** QEMU sets COPIED in tables that a snapshot shares with the disk it goes back from. */
    @ParameterizedTest
    @ValueSource(
            strings = {"cluster_size=4k", "cluster_size=512", "cluster_size=16k,extended_l2=on"})
    void shouldBeTheSnapshotWhenQemuHasLeftCopiedInItsTables(String options) throws IOException {
        make(options, false);
        images.export(NAME);
        qemu("snapshot", "-c", "three", NAME);
        qemu("snapshot", "-a", "one", NAME);
        load();
        byte[] three = snapshotContent("three");
        rollBack("three");
        serveAgain(images);
        images.checkClean(NAME);
        assertThat(images.qemuContent(NAME)).isEqualTo(three);
        Peer.QEMU_IO.command("-c", "write -P 9 0 2M", images.export(NAME) + "").runOk();
        load();
        assertThat(snapshotContent("three")).isEqualTo(three);
        images.checkClean(NAME);
    }

    /** The snapshot's L1 table is longer than the disk's. */
    @ParameterizedTest
    @ValueSource(strings = {"cluster_size=512", "cluster_size=4k"})
    void shouldBeTheSnapshotWhenTheDiskWasShrunkSince(String options) throws IOException {
        make(options, false);
        byte[] two = snapshotContent("two");
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        images.loops.await(images.loops.loop(0).call(() -> file.shrink(100 << 10)));
        images.loops.await(rollBack(file, "two", GO_ON));
        images.close(file);
        serveAgain(images);
        images.checkClean(NAME);
        assertThat(images.qemuContent(NAME)).isEqualTo(two);
    }

    @Test
    void shouldTakeNoChangeWhenItWasRolledBack() throws IOException {
        make("cluster_size=4k", false);
        byte[] one = snapshotContent("one");
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        images.loops.await(rollBack(file, "one", GO_ON));
        FileDriver driver = images.driver(file);
        assertThat(driver.await(driver.startWrite(0, new byte[4096], 0)))
                .isEqualTo(BlockError.ESTALE);
        assertThatThrownBy(() -> images.loops.await(rollBack(file, "two", GO_ON)))
                .hasStackTraceContaining("opened again");
        images.close(file);
        assertThat(images.qemuContent(NAME)).isEqualTo(one);
        XlatorFile again = images.open(NAME, OpenMode.READ_WRITE);
        images.driver(again).write(100 << 10, new byte[8192]);
        images.loops.runUntilIdle();
        images.close(again);
        images.checkClean(NAME);
        Arrays.fill(one, 100 << 10, (100 << 10) + 8192, (byte) 0);
        assertThat(images.qemuContent(NAME)).isEqualTo(one);
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "bitmap"})
    void shouldRefuseWhatCannotBeRolledBackTo(String why) throws IOException {
        make("cluster_size=4k", false);
        if (why.equals("bitmap")) {
            images.export(NAME);
            qemu("bitmap", "--add", NAME, "b");
            load();
        }
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        String name = why.equals("bitmap") ? "one" : why;
        assertThatThrownBy(() -> images.loops.await(rollBack(file, name, GO_ON)))
                .hasStackTraceContaining(why);
        images.close(file);
        images.checkClean(NAME);
    }

    private void judge(
            String state, Map<String, FlatBytes> files, byte[] before, byte[] one, byte[] two) {
        states++;
        try {
            check(state, files.get(NAME), true);
            ImageFixture found = over(files);
            byte[] head = read(found, NAME);
            boolean isOne = Arrays.equals(head, one);
            rolledBack += isOne ? 1 : 0;
            add(state, !isOne && (done || !Arrays.equals(head, before)), "disk is neither");
            for (boolean served : new boolean[] {false, true}) {
                if (served) {
                    serveAgain(found);
                    boolean version2 = found(files)[7] == 2;
                    check(state + ", served again", files.get(NAME), version2);
                }
                String when = served ? ", served again" : "";
                add(state + when, !Arrays.equals(read(found, NAME), head), "disk changed");
                add(state + when, !Arrays.equals(read(found, NAME + "@one"), one), "one changed");
                add(state + when, !Arrays.equals(read(found, NAME + "@two"), two), "two changed");
            }
        } catch (BlockException | AssertionError e) {
            findings.add(state + ": image cannot be used: " + e);
        }
    }

    private static byte[] found(Map<String, FlatBytes> files) {
        byte[] header = new byte[80];
        files.get(NAME).read(0, java.nio.ByteBuffer.wrap(header));
        return header;
    }

    private void add(String state, boolean wrong, String what) {
        if (wrong) {
            findings.add(state + ": " + what);
        }
    }

    /** The counts of a dirty image mean nothing. */
    private void check(String state, FlatBytes image, boolean leaksAllowed) {
        byte[] header = found(Map.of(NAME, image));
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
                        if (!allowed || !leaksAllowed) {
                            findings.add(state + ": " + text);
                        }
                    }
                });
    }

    private static void serveAgain(ImageFixture images) {
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        images.loops.runUntilIdle();
        images.close(file);
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

    private void rollBack(String name) {
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        images.loops.await(rollBack(file, name, GO_ON));
        images.close(file);
    }

    private CompletionStage<Void> rollBack(
            XlatorFile file, String name, SnapshotProgress progress) {
        return images.loops
                .loop(0)
                .call(() -> SnapshotControl.of(file).orElseThrow().rollback(name, progress));
    }

    private byte[] snapshotContent(String name) throws IOException {
        return read(new ImageFixture(folder, brick, Map.of()), NAME + "@" + name);
    }

    private void qemu(String... command) throws IOException {
        Peer.QEMU_IMG.command(command).directory(folder).runOk();
    }

    private void load() throws IOException {
        brick.put(NAME, Files.readAllBytes(folder.resolve(NAME)));
    }

    private void make(String options, boolean resized) throws IOException {
        String path = folder.resolve(NAME) + "";
        qemu("create", "-q", "-f", "qcow2", "-o", options, NAME, SIZE + "");
        Peer.QEMU_IO.command("-c", "write -P 1 0 1M", "-c", "write -P 2 1500k 300k", path).runOk();
        qemu("snapshot", "-c", "one", NAME);
        if (resized) {
            qemu("resize", "-q", NAME, SIZE + (1 << 20) + "");
        }
        Peer.QEMU_IO.command("-c", "write -P 3 500k 500k", "-c", "discard 0 200k", path).runOk();
        qemu("snapshot", "-c", "two", NAME);
        Peer.QEMU_IO.command("-c", "write -P 4 1M 100k", "-c", "write -z 1500k 64k", path).runOk();
        load();
    }
}
