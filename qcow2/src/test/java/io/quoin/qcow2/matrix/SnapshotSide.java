package io.quoin.qcow2.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.QemuVerdict;
import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.matrix.SequenceStep.Kind;
import io.quoin.qcow2.served.CheckControl;
import io.quoin.qcow2.snapshot.SnapshotControl;
import io.quoin.qcow2.snapshot.SnapshotInfo;
import io.quoin.qcow2.snapshot.SnapshotProgress;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Carries out the steps of a sequence with snapshots, with the model: what Quoin does to snapshots
 * goes on beside the requests that follow, until a step needs its end.
 *
 * <p>Threading: confined to the test.
 */
final class SnapshotSide {
    private static final String CLONE = "clone.qcow2";
    private static final int JOBS_MAX = 3;

    private final Path folder;
    private final ImageSpec spec;
    private final QuoinSide quoin;
    private final SequenceModel model;
    private final Random random;
    private final List<Job> jobs = new ArrayList<>();
    private byte[] answered;

    /** Counts may be too high, and COPIED off, for a reason that is known. */
    private boolean excess;

    /** What Quoin does beside requests. */
    private record Job(
            SequenceStep step,
            CompletableFuture<Boolean> end,
            SnapshotMoments moments,
            List<String> findings) {
        boolean isEndedEarly() {
            return step.kind() == Kind.SNAPSHOT_REMOVE && step.stamp() > 0;
        }
    }

    SnapshotSide(Path folder, ImageSpec spec, QuoinSide quoin, SequenceModel model, long seed) {
        this.folder = folder;
        this.spec = spec;
        this.quoin = quoin;
        this.model = model;
        this.random = new Random(seed);
        this.answered = model.content();
    }

    /** Carries out one step, on the model too; false: it was not possible. */
    boolean apply(SequenceStep step) throws IOException {
        if (!isPossible(step)) {
            return false;
        }
        switch (step.kind()) {
            case WRITE, COMPRESSED, ZERO, DISCARD, FLUSH -> request(step);
            case SNAPSHOT_CREATE, SNAPSHOT_REMOVE, SNAPSHOT_RENAME, CHECK -> begin(step);
            case RESIZE -> {
                quoin.apply(step);
                model.apply(step);
                answered = model.content();
            }
            default -> {
                join();
                alone(step);
                answered = model.content();
            }
        }
        return true;
    }

    private boolean isPossible(SequenceStep step) {
        boolean fits = step.end() <= model.disk.sizeBytes();
        boolean old = spec.version() == 2;
        return switch (step.kind()) {
            case WRITE, ZERO, DISCARD, QEMU -> fits;
            case COMPRESSED -> fits && isOfWholeClusters(step);
            case RESIZE -> !old || (model.snapshots.isEmpty() && jobs.isEmpty());
            case SNAPSHOT_REMOVE, SNAPSHOT_RENAME -> isThere(step.name());
            case SNAPSHOT_DELETE, CLONE, KILL_REMOVE -> isThere(step.name());
            case SNAPSHOT_ROLLBACK, KILL_ROLLBACK -> isThere(step.name());
            // QEMU fails half-way where counts are too narrow.
            case SNAPSHOT_APPLY -> isThere(step.name()) && (spec.refcountBits() > 2 || !excess);
            case SNAPSHOT ->
                    spec.refcountBits() > 2 || (!excess && model.snapshots.isEmpty() && joined());
            default -> true;
        };
    }

    /** The plan does not know whether a rollback had come to its end when it was killed. */
    private boolean isOfWholeClusters(SequenceStep step) {
        return step.end() % spec.clusterSize() == 0 || step.end() == model.disk.sizeBytes();
    }

    private boolean joined() {
        join();
        return true;
    }

    /** Whether the snapshot is in the model, once what uses it has ended. */
    private boolean isThere(String name) {
        if (jobs.stream().anyMatch(job -> uses(job.step, name))) {
            join();
        }
        return model.snapshots.containsKey(name);
    }

    private static boolean uses(SequenceStep step, String name) {
        return step.name().equals(name)
                || (step.kind() == Kind.SNAPSHOT_RENAME && step.newName().equals(name));
    }

    private void request(SequenceStep step) throws IOException {
        byte[] before = model.content();
        boolean performed = quoin.apply(step);
        if (performed) {
            model.apply(step);
        }
        byte[] after = model.content();
        if (quoin.under.size() <= 1) {
            answered = quoin.under.isEmpty() ? after : before;
        }
        jobs.forEach(job -> job.moments.add(answered, after));
    }

    private void begin(SequenceStep step) {
        boolean second = jobs.stream().anyMatch(job -> job.step.kind() == step.kind());
        if (jobs.size() == JOBS_MAX || (second && step.kind() == Kind.CHECK)) {
            join();
        }
        SnapshotMoments moments = new SnapshotMoments();
        moments.add(answered, model.content());
        List<String> findings = new ArrayList<>();
        CompletionStage<Boolean> end =
                start(
                        file ->
                                step.kind() == Kind.CHECK
                                        ? check(file, findings)
                                        : change(file, step, stoppedAt(step.stamp())));
        jobs.add(new Job(step, end.toCompletableFuture(), moments, findings));
    }

    private CompletionStage<Boolean> start(Function<XlatorFile, CompletionStage<Boolean>> use) {
        return quoin.images.loops.loop(0).call(() -> use.apply(quoin.file()));
    }

    private static CompletionStage<Boolean> change(
            XlatorFile file, SequenceStep step, SnapshotProgress progress) {
        SnapshotControl control = SnapshotControl.of(file).orElseThrow();
        String name = step.name();
        return switch (step.kind()) {
            case SNAPSHOT_CREATE, SNAPSHOT_CUT_OFF, KILL_CREATE ->
                    control.create(name, progress).thenApply(info -> true);
            case SNAPSHOT_REMOVE, KILL_REMOVE ->
                    control.delete(name, progress).thenApply(gone -> true);
            case SNAPSHOT_RENAME -> control.rename(name, step.newName()).thenApply(info -> true);
            default -> control.rollback(name, progress).thenApply(gone -> true);
        };
    }

    private static CompletionStage<Boolean> check(XlatorFile file, List<String> findings) {
        return CheckControl.of(file)
                .orElseThrow()
                .check(
                        false,
                        new CheckListener() {
                            @Override
                            public void finding(String text) {
                                findings.add(text);
                            }
                        })
                .thenApply(looked -> true);
    }

    private static SnapshotProgress stoppedAt(int calls) {
        int[] left = {calls};
        return (done, total) -> calls == 0 || --left[0] > 0;
    }

    /** Awaits what is beside requests, and judges it. */
    void join() {
        List<Job> ending = List.copyOf(jobs);
        jobs.clear();
        // A check may see what a delete leaves that was asked for later and ended by its caller.
        excess |= ending.stream().anyMatch(Job::isEndedEarly);
        for (Job job : ending) {
            SequenceStep step = job.step;
            BlockError error = await(job.end);
            switch (step.kind()) {
                case SNAPSHOT_CREATE -> created(job, error);
                case CHECK -> {
                    assertThat(error).as("check").isEqualTo(BlockError.OK);
                    assertThat(job.findings)
                            .as("check of an open image")
                            .allMatch(text -> excess && isLeakOrFlag(text));
                }
                default -> {
                    assertThat(error).as("%s", step).isEqualTo(BlockError.OK);
                    model.apply(step);
                }
            }
        }
        checkNames();
    }

    private BlockError await(CompletionStage<Boolean> stage) {
        try {
            quoin.images.loops.await(stage);
            return BlockError.OK;
        } catch (BlockException e) {
            return e.error();
        }
    }

    private static boolean isLeakOrFlag(String text) {
        return text.contains("OFLAG_COPIED")
                || text.startsWith("Leaked ")
                || text.startsWith("and more: ");
    }

    private void created(Job job, BlockError error) {
        String name = job.step.name();
        if (error == BlockError.EFBIG && spec.refcountBits() < 16) {
            excess = true;
            return;
        }
        assertThat(error).as("%s", job.step).isEqualTo(BlockError.OK);
        byte[] content = quoin.snapshot(name);
        assertThat(job.moments.has(content)).as("snapshot " + name + ": one moment").isTrue();
        model.snapshots.put(name, content);
    }

    private Set<String> names() {
        return SnapshotControl.of(quoin.file()).orElseThrow().list().stream()
                .map(SnapshotInfo::name)
                .collect(Collectors.toSet());
    }

    private void checkNames() {
        assertThat(names()).as("names of snapshots").isEqualTo(model.snapshots.keySet());
    }

    private void alone(SequenceStep step) throws IOException {
        quoin.drain();
        switch (step.kind()) {
            case SNAPSHOT_ROLLBACK -> rollBack(step);
            case SNAPSHOT_CUT_OFF -> cutOff(step);
            case KILL_CREATE, KILL_REMOVE, KILL_ROLLBACK -> kill(step);
            case CLONE -> overlay(step);
            case QEMU_REPAIR -> {
                quoin.images.loops.runUntilIdle();
                quoin.apply(SequenceStep.of(Kind.REOPEN));
                quoin.images.loops.runUntilIdle();
                if (!losesSnapshots()) {
                    quoin.betweenSessions(this::repair);
                }
            }
            default -> {
                settle();
                quoin.apply(step);
                model.apply(step);
                excess |= quoin.markLost;
            }
        }
        checkNames();
    }

    /** At times what is too high is given back before the image is closed. */
    private void settle() {
        if (random.nextInt(3) > 0) {
            quoin.images.loops.runUntilIdle();
        }
    }

    private void rollBack(SequenceStep step) throws IOException {
        boolean mayNot = step.stamp() > 0 || spec.refcountBits() < 16;
        BlockError error = await(start(file -> change(file, step, stoppedAt(step.stamp()))));
        if (error.isOk()) {
            model.apply(step);
        } else {
            assertThat(mayNot).as("%s: %s", step, error).isTrue();
            quoin.check(model.disk);
        }
        excess = true;
        quoin.apply(SequenceStep.of(Kind.REOPEN));
        quoin.check(model.disk);
    }

    private void cutOff(SequenceStep step) throws IOException {
        int[] calls = new int[1];
        CompletionStage<Boolean> end =
                start(
                        file ->
                                change(
                                        file,
                                        step,
                                        (done, total) -> {
                                            calls[0]++;
                                            return true;
                                        }));
        boolean[] ended = new boolean[1];
        CompletionStage<Boolean> unused = end.whenComplete((value, failure) -> ended[0] = true);
        quoin.images.loops.runUntil(() -> ended[0] || calls[0] >= step.stamp());
        quoin.apply(SequenceStep.of(Kind.REOPEN));
        BlockError error = await(end);
        if (error.isOk()) {
            model.snapshots.put(step.name(), model.content());
        } else {
            excess = true;
            boolean narrow = error == BlockError.EFBIG && spec.refcountBits() < 16;
            assertThat(narrow || error == BlockError.ESHUTDOWN).as("%s: %s", step, error).isTrue();
        }
    }

    /** All has been flushed; it may end before it is killed. */
    private void kill(SequenceStep step) throws IOException {
        assertThat(quoin.driver().flush()).isEqualTo(BlockError.OK);
        CompletionStage<Boolean> end = start(file -> change(file, step, stoppedAt(0)));
        boolean[] ended = new boolean[1];
        CompletionStage<Boolean> unused = end.whenComplete((value, failure) -> ended[0] = true);
        int[] tasks = new int[1];
        quoin.images.loops.runUntil(() -> ended[0] || tasks[0]++ >= step.length());
        byte[] left = quoin.bytes();
        boolean was = ended[0];
        BlockError error = await(end);
        boolean narrow = error == BlockError.EFBIG && spec.refcountBits() < 16;
        assertThat(error.isOk() || narrow).as("%s: %s", step, error).isTrue();
        quoin.reopenAs(left);
        excess = true;
        boolean there = names().contains(step.name());
        switch (step.kind()) {
            case KILL_CREATE -> {
                assertThat(there || !was || narrow).as("%s: it had ended", step).isTrue();
                if (there) {
                    model.snapshots.put(step.name(), model.content());
                }
            }
            case KILL_REMOVE -> {
                assertThat(!there || !was).as("%s: it had ended", step).isTrue();
                if (!there) {
                    model.snapshots.remove(step.name());
                }
            }
            default -> {
                byte[] now = quoin.driver().read(0, (int) quoin.file().geometry().sizeBytes());
                boolean same = Arrays.equals(now, model.content());
                boolean back = Arrays.equals(now, model.snapshot(step.name()));
                assertThat((was && !narrow) ? back : (same || back)).as("%s", step).isTrue();
                if (!same) {
                    model.apply(SequenceStep.of(Kind.SNAPSHOT_ROLLBACK, step.name(), 0));
                }
            }
        }
        quoin.check(model.disk);
    }

    /** The overlay is written and read while the disk is open; its snapshot is not deleted. */
    private void overlay(SequenceStep step) throws IOException {
        byte[] expected = model.snapshot(step.name()).clone();
        QemuSide.qemuImg(
                folder,
                "create",
                "-q",
                "-u",
                "-f",
                "qcow2",
                "-b",
                SpecImage.IMAGE + "@" + step.name(),
                "-F",
                "qcow2",
                CLONE,
                "" + expected.length);
        quoin.put(CLONE, Files.readAllBytes(folder.resolve(CLONE)));
        XlatorFile clone = quoin.images.open(CLONE, OpenMode.READ_WRITE);
        FileDriver driver = quoin.images.driver(clone);
        int at = random.nextInt(expected.length / 512) * 512;
        byte[] data = new byte[Math.min(expected.length - at, 20 * 512)];
        Arrays.fill(data, (byte) step.stamp());
        driver.write(at, data);
        System.arraycopy(data, 0, expected, at, data.length);
        BlockError error = await(start(file -> change(file, remove(step.name()), stoppedAt(0))));
        assertThat(error)
                .as("delete of %s under an overlay", step.name())
                .isEqualTo(BlockError.EBUSY);
        byte[] head = Arrays.copyOf(data, Math.min(data.length, model.disk.sizeBytes()));
        SequenceStep more = new SequenceStep(Kind.WRITE, 0, head.length, step.stamp(), 0, "");
        quoin.apply(more);
        model.apply(more);
        quoin.drain();
        assertThat(Arrays.equals(driver.read(0, expected.length), expected))
                .as("overlay of " + step.name())
                .isTrue();
        quoin.images.close(clone);
        quoin.remove(CLONE);
        Files.delete(folder.resolve(CLONE));
    }

    private static SequenceStep remove(String name) {
        return SequenceStep.of(Kind.SNAPSHOT_REMOVE, name, 0);
    }

    /**
     * QEMU 7.2 writes a header without snapshots before it repairs, where an autoclear bit is one
     * that it does not know, or there are bitmaps.
     */
    private boolean losesSnapshots() {
        return !model.snapshots.isEmpty() && (spec.bitmaps() || quoin.wouldBeMarkedByABit());
    }

    private void repair() {
        PeerResult check = QemuSide.check(folder, "-q", "-r", "all");
        assertThat(check.exitCode()).as("%s", check).isZero();
        excess = false;
        quoin.markLost = false;
    }

    /** Compares the open image with the model: the disk and each snapshot. */
    void check() {
        join();
        quoin.check(model.disk);
        for (String name : model.snapshots.keySet()) {
            assertThat(Arrays.equals(quoin.snapshot(name), model.snapshot(name)))
                    .as("snapshot " + name + " as Quoin reads it")
                    .isTrue();
        }
    }

    /**
     * Closes the image, and has QEMU look at it: nothing but what is known is wrong with it, and
     * that is gone after the next session, unless only a check finds it.
     */
    void checkByQemu() throws IOException {
        check();
        if (excess) {
            quoin.apply(SequenceStep.of(Kind.REOPEN));
            quoin.images.loops.runUntilIdle();
            quoin.apply(SequenceStep.of(Kind.REOPEN));
        }
        boolean forgiven = excess && (spec.version() == 2 || quoin.markLost);
        quoin.close();
        quoin.export();
        PeerResult verdict = QemuSide.check(folder);
        assertThat(forgiven ? QemuVerdict.isLeaksAndFlagsAtWorst(verdict) : verdict.exitCode() == 0)
                .as("%s", verdict)
                .isTrue();
        excess = forgiven;
        Set<String> listed = new HashSet<>(QemuSide.snapshotNames(folder));
        assertThat(listed).as("qemu-img snapshot -l").isEqualTo(model.snapshots.keySet());
        quoin.reopen();
    }
}
