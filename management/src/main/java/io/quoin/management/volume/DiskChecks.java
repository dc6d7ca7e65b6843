package io.quoin.management.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.served.OpenCheck;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Stages;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.loop.LoopGroup;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/**
 * The checks of a volume's disks that are running.
 *
 * <p>Threading: thread-safe.
 */
final class DiskChecks {
    private static final String STOPPING = "the check was stopped, as the service ends";

    private final Xlator graph;
    private final LoopGroup loops;
    private final OpenDisks disks;
    private final List<DiskCheck> running = new ArrayList<>();
    private boolean stopped;

    DiskChecks(Xlator graph, LoopGroup loops, OpenDisks disks) {
        this.graph = graph;
        this.loops = loops;
        this.disks = disks;
    }

    Optional<OpenCheck> run(String name, boolean repairLeaks, CheckEvents events) {
        AttachedDisk disk;
        try {
            disk = Stages.awaitTheEnd(disks.attach(name));
        } catch (BlockException e) {
            if (repairLeaks || e.error() == BlockError.ENOENT) {
                throw e;
            }
            return runReadOnly(name, events, e);
        }
        try {
            if (repairLeaks) {
                disk.requireWritable();
            }
            return run(new DiskCheck(disk.file(), disk.loop()), repairLeaks, events);
        } finally {
            Stages.await(disk.close());
        }
    }

    /** Of a disk that cannot be open for writing. */
    private Optional<OpenCheck> runReadOnly(
            String name, CheckEvents events, BlockException whyReadOnly) {
        Loop loop = loops.next();
        CompletableFuture<XlatorFile> opened = new CompletableFuture<>();
        CompletableFuture<Void> checked = new CompletableFuture<>();
        CompletionStage<Void> closed =
                disks.alone(name, () -> openUntil(checked, name, loop, opened));
        XlatorFile file;
        try {
            file = Stages.awaitTheEnd(opened.applyToEither(failureOf(closed), Function.identity()));
        } catch (BlockException e) {
            checked.complete(null); // if it is opened after all
            whyReadOnly.addSuppressed(e);
            throw whyReadOnly;
        }
        try {
            return run(new DiskCheck(file, loop), false, events);
        } finally {
            checked.complete(null);
            Stages.await(closed);
        }
    }

    private CompletionStage<Void> openUntil(
            CompletableFuture<Void> checked,
            String name,
            Loop loop,
            CompletableFuture<XlatorFile> opened) {
        return graph.open(name, OpenOptions.READ_ONLY, loop)
                .thenCompose(
                        file -> {
                            opened.complete(file);
                            return checked.thenComposeAsync(none -> file.close(), loop);
                        });
    }

    /** Never completes but with the failure of {@code stage}. */
    private static CompletableFuture<XlatorFile> failureOf(CompletionStage<Void> stage) {
        CompletableFuture<XlatorFile> failed = new CompletableFuture<>();
        stage.exceptionally(
                failure -> {
                    failed.completeExceptionally(failure);
                    return null;
                });
        return failed;
    }

    private Optional<OpenCheck> run(DiskCheck check, boolean repairLeaks, CheckEvents events) {
        synchronized (running) {
            if (stopped) {
                throw new BlockException(BlockError.ESHUTDOWN, STOPPING);
            }
            running.add(check);
        }
        try {
            return check.run(repairLeaks, events);
        } finally {
            synchronized (running) {
                running.remove(check);
            }
        }
    }

    /** Ends all of them, and lets none begin. */
    void stop() {
        synchronized (running) {
            stopped = true;
            running.forEach(check -> check.stop(STOPPING));
        }
    }
}
