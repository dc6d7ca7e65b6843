package io.quoin.qcow2.crash;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.qcow2.ImageFixture;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.crash.CrashReplay;
import io.quoin.testkit.crash.DiskRecorder;
import io.quoin.testkit.fault.ReorderingXlator;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * Carries out a {@link Workload} with a recorder under the image, then judges its crash states.
 *
 * <p>Threading: confined to the test.
 */
final class CrashRun {
    private static final int SECTOR = SectorStamp.SECTOR_BYTES;
    private static final int DEPTH = 4;
    private static final int SESSIONS = 2;
    private static final int BASE_STAMP = 0x2000_0001;
    private static final String BASE = "base.raw";

    private final Path folder;
    private final Workload workload;
    private final Random random;
    private final long seed;
    private final MemoryXlator brick = new MemoryXlator("brick");
    private final SectorModel model;
    private final DiskRecorder recorder;
    private final Map<String, byte[]> readOnlyFiles = new TreeMap<>();
    private final Workload.Before more;
    private final Kept kept = new Kept();
    private int number = 1;

    /**
     * @param more what is done before beside that of the workload
     */
    CrashRun(Path folder, Workload workload, Workload.Before more, long seed, boolean lying) {
        this.more = more;
        this.folder = folder;
        this.workload = workload;
        this.seed = seed;
        this.random = new Random(seed);
        this.model = new SectorModel(workload.sizeBytes(), workload.sizeBytesMax());
        this.recorder = new DiskRecorder(brick, lying);
    }

    /** What the judge has found; {@code crashes} and {@code torn} as in {@link CrashReplay#run}. */
    CrashJudge run(int crashes, int torn, int qemuEvery) throws IOException {
        create();
        session(new SectorModel(workload.sizeBytes(), workload.sizeBytesMax()), 12, List.of());
        prepare();
        recorder.events.clear();
        Map<String, byte[]> initial = files();
        SectorModel replayed = model.copy();
        for (int i = 0; i < SESSIONS; i++) {
            List<Integer> all = workload.resizes();
            int half = all.size() / SESSIONS;
            session(
                    replayed,
                    workload.steps() / SESSIONS,
                    i == 0 ? all.subList(0, half) : all.subList(half, all.size()));
        }
        CrashJudge judge = new CrashJudge(folder, replayed, kept, readOnlyFiles, qemuEvery);
        for (String race : recorder.races) {
            judge.findings.add(new CrashJudge.Finding(CrashJudge.Loss.RACE, race));
        }
        new CrashReplay(initial, recorder.events).run(judge, new Random(seed + 1), crashes, torn);
        String lost = kept.judgeBitmapAtTheEnd(brick.content(CrashJudge.IMAGE));
        if (!lost.isEmpty()) {
            judge.findings.add(new CrashJudge.Finding(CrashJudge.Loss.DATA, lost));
        }
        return judge;
    }

    private Map<String, byte[]> files() {
        Map<String, byte[]> files = new TreeMap<>();
        for (FileInfo info : new ImageFixture(folder).loops.await(brick.list())) {
            if (!readOnlyFiles.containsKey(info.fileName())) {
                files.put(info.fileName(), brick.content(info.fileName()));
            }
        }
        return files;
    }

    private void create() throws IOException {
        if (workload.backing()) {
            int length = workload.sizeBytes() / 2 / SECTOR * SECTOR;
            byte[] base = SectorStamp.bytes(BASE_STAMP, 0, length);
            brick.put(BASE, base);
            readOnlyFiles.put(BASE, base);
            Files.write(folder.resolve(BASE), base);
            model.present(0, length, BASE_STAMP);
        }
        if (workload.options().isEmpty()) {
            Map<String, String> options = new HashMap<>();
            options.put("cluster_size", String.valueOf(workload.clusterSize()));
            if (workload.backing()) {
                options.put("backing_file", BASE);
                options.put("backing_fmt", "raw");
            }
            new ImageFixture(folder, brick, Map.of())
                    .create(CrashJudge.IMAGE, workload.sizeBytes(), options);
            return;
        }
        List<String> command = new ArrayList<>(List.of("create", "-q", "-f", "qcow2", "-o"));
        command.add("cluster_size=" + workload.clusterSize() + "," + workload.options());
        if (workload.backing()) {
            command.addAll(List.of("-b", BASE, "-F", "raw"));
        }
        command.addAll(List.of(CrashJudge.IMAGE, String.valueOf(workload.sizeBytes())));
        Files.deleteIfExists(folder.resolve("disk.data"));
        Peer.QEMU_IMG.command(command).directory(folder).runOk();
        take(CrashJudge.IMAGE);
        if (Files.exists(folder.resolve("disk.data"))) {
            take("disk.data");
        }
    }

    private void take(String name) throws IOException {
        brick.put(name, Files.readAllBytes(folder.resolve(name)));
    }

    private void prepare() throws IOException {
        if (workload.before() == more && more == Workload.Before.NOTHING) {
            return;
        }
        Path path = folder.resolve(CrashJudge.IMAGE);
        Files.write(path, brick.content(CrashJudge.IMAGE));
        prepare(workload.before());
        prepare(more);
        take(CrashJudge.IMAGE);
    }

    private void prepare(Workload.Before before) throws IOException {
        switch (before) {
            case NOTHING -> {}
            case SNAPSHOT -> {
                qemuImg("snapshot", "-c", Kept.SNAPSHOT, CrashJudge.IMAGE);
                kept.snapshotMade(model.content());
            }
            case BITMAP -> {
                qemuImg("bitmap", "--add", "-g", "512", CrashJudge.IMAGE, Kept.BITMAP);
                kept.bitmapMade(model.content(), workload.sizeBytesMin());
            }
            case COMPRESS -> {
                Files.write(folder.resolve("plain.raw"), model.content());
                String options = "cluster_size=" + workload.clusterSize();
                options += workload.options().isEmpty() ? "" : "," + workload.options();
                qemuImg(
                        "convert",
                        "-c",
                        "-f",
                        "raw",
                        "-O",
                        "qcow2",
                        "-o",
                        options,
                        "plain.raw",
                        CrashJudge.IMAGE);
            }
        }
    }

    private void qemuImg(String... arguments) {
        Peer.QEMU_IMG.command(arguments).directory(folder).runOk();
    }

    /** Opens, does {@code steps} groups of operations, and closes. */
    private void session(SectorModel replayed, int steps, List<Integer> resizes) {
        ImageFixture images =
                new ImageFixture(
                        folder,
                        brick,
                        new ReorderingXlator("reorder", recorder, seed),
                        Map.of("cache-size", String.valueOf(4 * workload.clusterSize())));
        XlatorFile opened = images.open(CrashJudge.IMAGE, OpenMode.READ_WRITE);
        ModelFile file = new ModelFile(opened, model, replayed, recorder, number);
        FileDriver driver = images.driver(file);
        int resized = 0;
        for (int step = 0; step < steps; step++) {
            if (resized < resizes.size() && step * resizes.size() >= resized * steps) {
                long size = resizes.get(resized++);
                images.loops.await(images.loops.loop(0).call(() -> file.resize(size)));
            }
            group(driver, (int) opened.geometry().sizeBytes());
        }
        images.close(file);
        number = file.number();
    }

    /** Some operations at once on ranges of their own, a flush among them at times. */
    private void group(FileDriver driver, int size) {
        List<FileDriver.Pending> pendings = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < DEPTH && from < size; i++) {
            int offset = random.nextInt((size - from) / SECTOR) * SECTOR + from;
            int most = Math.min(size - offset, Math.max(SECTOR, size / 8));
            int length = (random.nextInt(most / SECTOR) + 1) * SECTOR;
            FileDriver.Pending compressed = startCompressed(driver, from, offset, length, size);
            pendings.add(compressed == null ? start(driver, offset, length) : compressed);
            from = (int) pendings.get(i).request().endBytes();
            from = Math.max(from, offset + length);
        }
        for (FileDriver.Pending pending : pendings) {
            BlockError error = driver.await(pending);
            if (!error.isOk()) {
                throw new AssertionError(
                        workload + ": " + pending.request() + " ended in " + error);
            }
        }
    }

    /** A write of whole clusters around a place, compressed, if it is the turn of one. */
    private FileDriver.Pending startCompressed(
            FileDriver driver, int from, int offset, int length, int size) {
        int start = offset - offset % workload.clusterSize();
        int rounded = (length / workload.clusterSize() + 1) * workload.clusterSize();
        int end = Math.min(size, start + rounded);
        int share = workload.mix().compressed();
        if (start < from || share == 0 || random.nextInt(100) >= share) {
            return null;
        }
        int stamp = random.nextInt(1 << 20) + 1;
        int fua = random.nextInt(10) == 0 ? IoFlags.FUA : 0;
        return driver.startWrite(
                start, SectorStamp.bytes(stamp, start, end - start), IoFlags.COMPRESSED | fua);
    }

    private FileDriver.Pending start(FileDriver driver, int offset, int length) {
        Workload.Mix mix = workload.mix();
        int drawn = random.nextInt(100);
        int fua = random.nextInt(10) == 0 ? IoFlags.FUA : 0;
        if (drawn < mix.write()) {
            int stamp = random.nextInt(1 << 20) + 1;
            return driver.startWrite(offset, SectorStamp.bytes(stamp, offset, length), fua);
        }
        drawn -= mix.write();
        if (drawn < mix.zero()) {
            int unmap = random.nextInt(2) * IoFlags.MAY_UNMAP;
            return driver.start(IoOp.WRITE_ZEROES, offset, length, unmap | fua);
        }
        drawn -= mix.zero();
        if (drawn >= mix.discard() && drawn < mix.discard() + mix.compressed()) {
            return startCompressed(driver, offset, length, fua);
        }
        return drawn < mix.discard()
                ? driver.start(IoOp.DISCARD, offset, length, fua)
                : driver.start(IoOp.FLUSH, 0, 0, IoFlags.NONE);
    }

    /** Of the clusters that the range has wholly; without one of them it is a plain write. */
    private FileDriver.Pending startCompressed(FileDriver driver, int offset, int length, int fua) {
        int cluster = workload.clusterSize();
        int from = (offset + cluster - 1) / cluster * cluster;
        int to = (offset + length) / cluster * cluster;
        int stamp = random.nextInt(1 << 20) + 1;
        return from < to
                ? driver.startWrite(
                        from, SectorStamp.bytes(stamp, from, to - from), IoFlags.COMPRESSED | fua)
                : driver.startWrite(offset, SectorStamp.bytes(stamp, offset, length), fua);
    }
}
