package io.quoin.qcow2.crash;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockException;
import io.quoin.qcow2.ImageFixture;
import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.check.CheckResult;
import io.quoin.qcow2.check.Qcow2Check;
import io.quoin.qcow2.check.RepairMode;
import io.quoin.qcow2.flatten.FlattenControl;
import io.quoin.qcow2.flatten.FlattenProgress;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.crash.CrashReplay;
import io.quoin.testkit.crash.DiskRecorder;
import io.quoin.testkit.crash.FlatBytes;
import io.quoin.testkit.crash.FlatFiles;
import io.quoin.testkit.fault.ReorderingXlator;
import io.quoin.testkit.log.LogsErrors;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Every crash point of an image that is flattened under writes: it stands on its backing file, or
 * on nothing once its header says so, with what was flushed in both cases; and it can be flattened
 * then.
 */
@Tag("format")
@Timeout(1200)
class FlattenCrashTest {
    private static final int ROUNDS = Integer.getInteger("quoin.crash.rounds", 0);
    private static final String IMAGE = "disk.qcow2";
    private static final String BASE = "base.raw";
    private static final int BASE_STAMP = 0x2000_0001;
    private static final int STAMP_AFTER = 0x4000_0001;
    private static final int SECTOR = SectorStamp.SECTOR_BYTES;

    @TempDir Path folder;

    private final MemoryXlator brick = new MemoryXlator("brick");
    private final List<String> findings = new ArrayList<>();
    private final FlatBytes flattened = new FlatBytes();
    private SectorModel replayed = new SectorModel(SECTOR, SECTOR);
    private byte[] base = {};
    private boolean promised;
    private int states;
    private int overlays;
    private int flat;

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = ';',
            value = {
                "cluster_size=512; 300032",
                "cluster_size=512,compat=0.10; 300032",
                "cluster_size=4k; 700416",
                "cluster_size=64k; 1500160",
                "cluster_size=4k,lazy_refcounts=on; 700416",
                "cluster_size=16k,extended_l2=on; 700416"
            })
    void shouldBeAnOverlayOrFlatWhenItCrashesAnywhere(String options, int size) throws IOException {
        long seed = RandomOperations.seed();
        crash(options, size, seed, false);
        assertThat(findings.stream().limit(3)).as("%s, seed=%d", options, seed).isEmpty();
        assertThat(overlays).isGreaterThan(20);
        assertThat(flat).isPositive();
    }

    /** The judge must be able to see a loss: this file says that it has flushed, and has not. */
    @Test
    @LogsErrors("image is corrupt: ")
    void shouldSeeTheLossWhenAFileLiesAboutFlush() throws IOException {
        long seed = RandomOperations.seed();
        crash("cluster_size=4k", 700_416, seed, true);
        assertThat(findings).as("seed=%d", seed).isNotEmpty();
    }

    private void crash(String options, int size, long seed, boolean lying) throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG);
        DiskRecorder recorder = new DiskRecorder(brick, lying);
        SectorModel model = make(options, size);
        Map<String, byte[]> initial = Map.of(IMAGE, brick.content(IMAGE));
        replayed = model.copy();
        run(model, recorder, options, size, seed);
        promised = false;
        new CrashReplay(initial, recorder.events)
                .run(
                        this::judge,
                        new Random(seed),
                        ROUNDS > 0 ? Integer.MAX_VALUE : 100,
                        ROUNDS > 0 ? Math.max(3, ROUNDS) : 1);
        System.out.println(
                "flatten crash: "
                        + options
                        + ", seed="
                        + seed
                        + ", states="
                        + states
                        + ", overlays="
                        + overlays
                        + ", flat="
                        + flat
                        + ", findings="
                        + findings.size());
    }

    private SectorModel make(String options, int size) throws IOException {
        int length = size * 3 / 4 / SECTOR * SECTOR;
        base = SectorStamp.bytes(BASE_STAMP, 0, length);
        brick.put(BASE, base);
        Files.write(folder.resolve(BASE), base);
        Peer.QEMU_IMG
                .command(
                        "create", "-q", "-f", "qcow2", "-o", options, "-b", BASE, "-F", "raw",
                        IMAGE, "" + size)
                .directory(folder)
                .runOk();
        brick.put(IMAGE, Files.readAllBytes(folder.resolve(IMAGE)));
        SectorModel model = new SectorModel(size, size);
        model.present(0, length, BASE_STAMP);
        return model;
    }

    private void run(
            SectorModel model, DiskRecorder recorder, String options, int size, long seed) {
        RandomChanges changes =
                new RandomChanges(new Random(seed), size, RandomChanges.clusterSizeOf(options));
        ImageFixture images =
                new ImageFixture(
                        folder, brick, new ReorderingXlator("reorder", recorder, seed), Map.of());
        XlatorFile opened = images.open(IMAGE, OpenMode.READ_WRITE);
        ModelFile file = new ModelFile(opened, model, replayed, recorder, 1);
        FileDriver driver = images.driver(file);
        changes.group(driver);
        CompletableFuture<FlattenProgress> pending = flatten(images, opened);
        CompletableFuture<Void> unused =
                pending.thenRun(() -> recorder.mark(() -> promised = true));
        for (int i = 0; i < 3 || (i < 40 && !pending.isDone()); i++) {
            changes.group(driver);
        }
        images.loops.await(pending);
        changes.group(driver);
        images.close(file);
    }

    private static CompletableFuture<FlattenProgress> flatten(
            ImageFixture images, XlatorFile file) {
        FlattenControl control = FlattenControl.of(file).orElseThrow();
        return images.loops
                .loop(0)
                .call(() -> control.begin().thenCompose(nothing -> advance(control)))
                .toCompletableFuture();
    }

    private static CompletionStage<FlattenProgress> advance(FlattenControl control) {
        return control.advance()
                .thenCompose(
                        now ->
                                now.flat()
                                        ? CompletableFuture.completedFuture(now)
                                        : advance(control));
    }

    private void judge(String state, Map<String, FlatBytes> files) {
        states++;
        int before = findings.size();
        try {
            FlatBytes image = files.get(IMAGE);
            boolean isFlat = isFlat(image);
            flat += isFlat ? 1 : 0;
            overlays += isFlat ? 0 : 1;
            if (promised && !isFlat) {
                findings.add("flatten has ended, and the image has a backing file");
            }
            boolean wasDirty = isDirty(image);
            checkMetadata(image, wasDirty);
            if (states % 20 == 0) {
                checkByQemu(image, wasDirty);
            }
            // A flat image finds no backing file.
            String wrong = replayed.judge(read(files, !isFlat));
            if (!wrong.isEmpty()) {
                findings.add(wrong);
            }
            flattenAndWrite(files, isFlat);
        } catch (BlockException | AssertionError | IOException e) {
            findings.add("image cannot be used: " + e);
        }
        for (int i = before; i < findings.size(); i++) {
            findings.set(i, state + ": " + findings.get(i));
        }
    }

    private static boolean isFlat(FlatBytes image) {
        byte[] header = header(image);
        return ByteBuffer.wrap(header).getLong(8) == 0;
    }

    private static boolean isDirty(FlatBytes image) {
        byte[] header = header(image);
        return header[7] == 3 && (header[79] & 1) != 0;
    }

    private static byte[] header(FlatBytes image) {
        byte[] header = new byte[80];
        image.read(0, ByteBuffer.wrap(header));
        return header;
    }

    private void checkMetadata(FlatBytes image, boolean wasDirty) {
        String wrong = ReferenceCheck.check(image, !wasDirty);
        if (!wrong.isEmpty()) {
            findings.add(wrong);
        }
        if (!wasDirty) {
            CheckResult result =
                    Qcow2Check.check(new FlatImage(image), RepairMode.NONE, CheckListener.SILENT);
            if (result.corruptions() > 0 || result.checkErrors() > 0) {
                findings.add("check: " + result);
            }
        }
    }

    private void checkByQemu(FlatBytes image, boolean wasDirty) throws IOException {
        Files.write(folder.resolve(IMAGE), image.content());
        PeerResult qemu =
                (wasDirty
                                ? Peer.QEMU_IMG.command("check", "-r", "all", IMAGE)
                                : Peer.QEMU_IMG.command("check", IMAGE))
                        .directory(folder)
                        .run();
        if (qemu.exitCode() != 0 && qemu.exitCode() != 3) {
            findings.add("qemu-img check: " + qemu);
        }
    }

    private ImageFixture over(Map<String, FlatBytes> files, boolean withBase) {
        FlatFiles flatFiles = new FlatFiles();
        files.forEach(flatFiles::put);
        if (withBase) {
            flatFiles.put(BASE, new FlatBytes(base));
        }
        return new ImageFixture(folder, new MemoryXlator("none"), flatFiles, Map.of());
    }

    private byte[] read(Map<String, FlatBytes> files, boolean withBase) {
        ImageFixture images = over(files, withBase);
        XlatorFile file = images.open(IMAGE, OpenMode.READ_ONLY);
        byte[] content = images.driver(file).read(0, (int) file.geometry().sizeBytes());
        images.close(file);
        return content;
    }

    /** What was left is flattened, if it is not yet, with a write beside it. */
    private void flattenAndWrite(Map<String, FlatBytes> files, boolean isFlat) {
        flattened.copyFrom(files.get(IMAGE));
        Map<String, FlatBytes> copies = new TreeMap<>(files);
        copies.put(IMAGE, flattened);
        ImageFixture images = over(copies, !isFlat);
        XlatorFile file = images.open(IMAGE, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        byte[] expected = driver.read(0, (int) file.geometry().sizeBytes());
        CompletableFuture<FlattenProgress> pending =
                isFlat ? CompletableFuture.completedFuture(null) : flatten(images, file);
        int at = states * 31 % (expected.length / SECTOR - 3) * SECTOR;
        byte[] data = SectorStamp.bytes(STAMP_AFTER, at, 3 * SECTOR);
        driver.write(at, data);
        System.arraycopy(data, 0, expected, at, data.length);
        images.loops.await(pending);
        images.close(file);
        if (!Arrays.equals(read(copies, false), expected)) {
            findings.add("reads something else when it is flattened after the crash");
        }
        if (!isFlat(flattened)) {
            findings.add("not flat when it is flattened after the crash");
        }
        checkMetadata(flattened, false);
    }
}
