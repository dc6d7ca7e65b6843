package io.quoin.management.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.snapshot.PendingSnapshot;
import io.quoin.qcow2.snapshot.SnapshotControl;
import io.quoin.qcow2.snapshot.SnapshotInfo;
import io.quoin.qcow2.snapshot.SnapshotProgress;
import io.quoin.qcow2.snapshot.SnapshottedFile;
import io.quoin.testkit.MemoryXlator;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Files in memory with snapshots that are names alone, and work on them that ends when told. */
final class FakeSnapshots implements SnapshotControl {
    final List<SnapshotInfo> infos = new ArrayList<>();

    /** Work goes on until it is stopped. */
    volatile boolean endless;

    volatile int givenBack;

    volatile boolean isTemplate;
    volatile String rolledBackTo = "";

    /** The files below, those with an @ in their name read-only. */
    Xlator above(MemoryXlator below) {
        return new PassThroughXlator("fake", "testkit/fake", below) {
            @Override
            public CompletionStage<XlatorFile> open(
                    String fileName, OpenOptions options, Loop loop) {
                if (!options.isReadOnly() && (isTemplate || fileName.contains("@"))) {
                    return CompletableFuture.failedFuture(
                            new BlockException(BlockError.EROFS, "used by=vm2"));
                }
                return subvolume()
                        .open(fileName, options, loop)
                        .thenApply(file -> new File(file, FakeSnapshots.this));
            }
        };
    }

    /** A file whose snapshots are those of all. */
    private static final class File extends PassThroughFile implements SnapshottedFile {
        private final SnapshotControl control;

        File(XlatorFile below, SnapshotControl control) {
            super(below);
            this.control = control;
        }

        @Override
        public SnapshotControl snapshots() {
            return control;
        }
    }

    @Override
    public synchronized List<SnapshotInfo> list() {
        return List.copyOf(infos);
    }

    synchronized SnapshotInfo add(String name) {
        SnapshotInfo info =
                new SnapshotInfo(
                        Integer.toString(infos.size() + 1),
                        name,
                        null,
                        1_800_000_000L,
                        7,
                        512,
                        0,
                        null,
                        false);
        infos.add(info);
        return info;
    }

    private static <T> CompletionStage<T> untilStopped(SnapshotProgress progress) {
        return CompletableFuture.supplyAsync(
                () -> {
                    while (progress.advanced(1, 2)) {
                        Thread.onSpinWait();
                    }
                    throw new BlockException(BlockError.ESHUTDOWN, "stopped");
                });
    }

    @Override
    public CompletionStage<SnapshotInfo> create(String name, UUID uuid, SnapshotProgress progress) {
        return endless ? untilStopped(progress) : CompletableFuture.completedFuture(add(name));
    }

    @Override
    public CompletionStage<PendingSnapshot> prepare(
            String name, UUID uuid, @Nullable UUID group, SnapshotProgress progress) {
        return CompletableFuture.failedFuture(new BlockException(BlockError.ENOTSUP, "a fake"));
    }

    @Override
    public CompletionStage<Void> withdraw(UUID group) {
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public synchronized CompletionStage<Void> delete(String name, SnapshotProgress progress) {
        infos.removeIf(info -> info.name().equals(name) || info.id().equals(name));
        // Stopped, it is gone all the same.
        return endless
                ? FakeSnapshots.<Void>untilStopped(progress).exceptionally(stopped -> null)
                : CompletableFuture.completedFuture(null);
    }

    @Override
    public synchronized CompletionStage<Void> giveBack(SnapshotProgress progress) {
        givenBack++;
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public synchronized CompletionStage<SnapshotInfo> rename(String name, String newName) {
        infos.removeIf(info -> info.name().equals(name));
        return CompletableFuture.completedFuture(add(newName));
    }

    @Override
    public CompletionStage<Void> rollback(String name, SnapshotProgress progress) {
        rolledBackTo = name;
        return CompletableFuture.completedFuture(null);
    }
}
