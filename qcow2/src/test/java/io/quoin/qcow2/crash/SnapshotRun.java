package io.quoin.qcow2.crash;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.qcow2.ImageFixture;
import io.quoin.qcow2.snapshot.SnapshotControl;
import io.quoin.qcow2.snapshot.SnapshotInfo;
import io.quoin.qcow2.snapshot.SnapshotProgress;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.crash.CrashReplay;
import io.quoin.testkit.crash.DiskRecorder;
import io.quoin.testkit.fault.ReorderingXlator;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/**
 * Records what becomes of a disk with two snapshots, and has every crash of it judged.
 *
 * <p>Threading: confined to the test.
 */
final class SnapshotRun {
    private static final int SIZE = 200_192;
    private static final String IMAGE = SnapshotJudge.IMAGE;
    private static final SnapshotProgress GO_ON = (done, total) -> true;

    /** What is recorded. */
    enum Scenario {
        /** The first snapshot is deleted; the walk goes to its end. */
        DELETE,
        /** The image is closed in the middle of the walk, and served again. */
        STOP,
        /** A third one is made, deleted, and made again by the same name. */
        AGAIN
    }

    private final Path folder;
    private final long seed;
    private final RandomChanges changes;
    private final MemoryXlator brick = new MemoryXlator("brick");
    private final SectorModel model = new SectorModel(SIZE, SIZE);
    private final DiskRecorder recorder;
    private SectorModel replayed = model.copy();
    private SnapshotJudge judge;
    private int number = 1;

    SnapshotRun(Path folder, String options, long seed, boolean lying) throws IOException {
        this.folder = folder;
        this.seed = seed;
        this.changes =
                new RandomChanges(new Random(seed), SIZE, RandomChanges.clusterSizeOf(options));
        this.recorder = new DiskRecorder(brick, lying);
        this.judge = new SnapshotJudge(folder, replayed);
        Peer.QEMU_IMG
                .command("create", "-q", "-f", "qcow2", "-o", options, IMAGE, SIZE + "")
                .directory(folder)
                .runOk();
        brick.put(IMAGE, Files.readAllBytes(folder.resolve(IMAGE)));
    }

    /** The judge of all; {@code crashes} and {@code torn} as in {@link CrashReplay#run}. */
    SnapshotJudge run(Scenario scenario, int crashes, int torn) throws IOException {
        record(scenario).run(judge, new Random(seed), crashes, torn);
        return judge;
    }

    /** The judge of all; {@code stride} as in {@link CrashReplay#runLone}. */
    SnapshotJudge runLone(Scenario scenario, int stride) throws IOException {
        record(scenario).runLone(judge, stride);
        return judge;
    }

    private CrashReplay record(Scenario scenario) throws IOException {
        Session before = new Session();
        before.groups(4);
        UUID one = before.create("one");
        byte[] contentOfOne = model.content();
        before.groups(4);
        UUID two = before.create("two");
        byte[] contentOfTwo = model.content();
        before.groups(4);
        before.close();
        recorder.events.clear();
        Map<String, byte[]> initial = Map.of(IMAGE, brick.content(IMAGE));
        replayed = model.copy();
        judge = new SnapshotJudge(folder, replayed);
        judge.contents.putAll(Map.of(one, contentOfOne, two, contentOfTwo));
        switch (scenario) {
            case DELETE -> delete(one);
            case STOP -> stop(one);
            case AGAIN -> again();
        }
        new ImageFixture(folder, brick, Map.of()).checkClean(IMAGE);
        judge.promised.addAll(Set.of(one, two));
        return new CrashReplay(initial, recorder.events);
    }

    private void delete(UUID one) {
        Session session = new Session();
        session.groups(2);
        session.groupsUntil(session.delete("one", one));
        session.groups(2);
        session.close();
        assertThat(isMarked()).isFalse();
    }

    private void stop(UUID one) {
        Session session = new Session();
        session.groups(2);
        CompletableFuture<Void> deleting = session.delete("one", one);
        session.images.loops.runUntil(() -> session.walking);
        session.close();
        assertThat(deleting).isCompletedExceptionally();
        assertThat(isMarked()).as("counts that are too high are left").isTrue();
        Session again = new Session();
        again.groups(4);
        again.images.loops.runUntilIdle();
        again.close();
        assertThat(isMarked()).isFalse();
    }

    private void again() {
        Session session = new Session();
        session.groups(1);
        UUID three = session.createUnderChanges("three");
        session.groupsUntil(session.delete("three", three));
        session.createUnderChanges("three");
        session.groups(1);
        session.close();
    }

    private boolean isMarked() {
        return ImageFixture.isMarked(brick.content(IMAGE));
    }

    /** The image while it is open. */
    private final class Session {
        final ImageFixture images =
                new ImageFixture(
                        folder, brick, new ReorderingXlator("reorder", recorder, seed), Map.of());
        private final XlatorFile opened = images.open(IMAGE, OpenMode.READ_WRITE);
        private final ModelFile file = new ModelFile(opened, model, replayed, recorder, number);
        private final FileDriver driver = images.driver(file);
        private final SnapshotControl control = SnapshotControl.of(opened).orElseThrow();
        boolean walking;

        void groups(int count) {
            for (int i = 0; i < count; i++) {
                changes.group(driver);
            }
        }

        void groupsUntil(CompletableFuture<?> pending) {
            for (int i = 0; i < 50 && (i < 3 || !pending.isDone()); i++) {
                changes.group(driver);
            }
            images.loops.await(pending);
        }

        /** A snapshot under changes, and what another reader finds in it. */
        UUID createUnderChanges(String name) {
            CompletableFuture<SnapshotInfo> creating = creating(name);
            groupsUntil(creating);
            ImageFixture reader = new ImageFixture(folder, brick, Map.of());
            UUID uuid = uuidOf(creating);
            judge.contents.put(uuid, SnapshotJudge.read(reader, IMAGE + "@" + name));
            return uuid;
        }

        /** A snapshot of a disk that nothing changes. */
        UUID create(String name) {
            CompletableFuture<SnapshotInfo> creating = creating(name);
            images.loops.await(creating);
            return uuidOf(creating);
        }

        private CompletableFuture<SnapshotInfo> creating(String name) {
            CompletableFuture<SnapshotInfo> creating =
                    images.loops
                            .loop(0)
                            .call(() -> control.create(name, GO_ON))
                            .toCompletableFuture();
            SnapshotJudge told = judge;
            CompletableFuture<Void> unused =
                    creating.thenAccept(
                            made ->
                                    recorder.mark(
                                            () ->
                                                    told.promised.add(
                                                            Objects.requireNonNull(made.uuid()))));
            return creating;
        }

        private static UUID uuidOf(CompletableFuture<SnapshotInfo> made) {
            return Objects.requireNonNull(made.join().uuid());
        }

        CompletableFuture<Void> delete(String name, UUID uuid) {
            SnapshotJudge told = judge;
            recorder.mark(() -> told.promised.remove(uuid));
            return images.loops
                    .loop(0)
                    .call(
                            () ->
                                    control.delete(
                                            name,
                                            (done, total) -> {
                                                if (!walking) {
                                                    walking = true;
                                                    recorder.mark(() -> told.gone.add(uuid));
                                                }
                                                return true;
                                            }))
                    .toCompletableFuture();
        }

        void close() {
            images.close(file);
            number = file.number();
        }
    }
}
