package io.quoin.replicate.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.Stages;
import io.quoin.xlator.loop.Loop;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Opens a file's gateway: asks the bricks, chooses an epoch, and lets the gateway ask for promises.
 * It is tried for some seconds: links may be about to come up, and a process that was killed counts
 * as one that has the file until its bricks have not heard of it for ten seconds.
 *
 * <p>Threading: confined(loop), the file's.
 */
final class FileOpening {
    private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    /** More than a brick takes a silent gateway for alive. */
    private static final long TRIED_NANOS = TimeUnit.SECONDS.toNanos(12);

    private final LinkedFiles files;
    private final UUID file;
    private final String fileName;
    private final Loop loop;
    private final boolean mustBeThere;
    private final CompletableFuture<GatewayCopies> opened = new CompletableFuture<>();
    private long beganNanos;

    /**
     * @param mustBeThere whether one that is not there is ENOENT, rather than made
     */
    FileOpening(LinkedFiles files, UUID file, String fileName, Loop loop, boolean mustBeThere) {
        this.files = files;
        this.file = file;
        this.fileName = fileName;
        this.loop = loop;
        this.mustBeThere = mustBeThere;
    }

    /**
     * Begins. ENOENT, ENOTCONN: too few bricks, EBUSY: another process has it. Completes on the
     * loop.
     */
    CompletionStage<GatewayCopies> begin() {
        loop.execute(
                () -> {
                    beganNanos = loop.nanoTime();
                    probe();
                });
        return opened;
    }

    private void probe() {
        files.links()
                .askAll(link -> link.probe(file))
                .whenCompleteAsync(
                        (answers, failure) -> {
                            if (failure == null) {
                                probed(new Probes(files.links().layout(), answers));
                            } else {
                                opened.completeExceptionally(failure);
                            }
                        },
                        loop);
    }

    private void probed(Probes probes) {
        if (probes.nextEpoch().isEmpty()) {
            later(files.links().tooFew(fileName));
        } else if (mustBeThere && !probes.isThere()) {
            opened.completeExceptionally(LinkedFiles.missing(fileName));
        } else if (probes.isAttended(files::isOwn)) {
            later(
                    new BlockException(
                            BlockError.EBUSY, "file is open in another process: name=" + fileName));
        } else {
            open(probes.nextEpoch().getAsLong());
        }
    }

    private void open(long epoch) {
        GatewayCopies copies =
                new GatewayCopies(file, fileName, files.nextGateway(), epoch, files.links(), loop);
        boolean isNew = !mustBeThere && !file.equals(LinkedFiles.CATALOGUE);
        copies.open(isNew).whenCompleteAsync((none, failure) -> ended(copies, failure), loop);
    }

    private void ended(GatewayCopies copies, @Nullable Throwable failure) {
        if (failure == null) {
            opened.complete(copies);
            return;
        }
        BlockException why = Stages.asBlockException(failure);
        if (why.error() == BlockError.EBADE) {
            later(why);
        } else {
            opened.completeExceptionally(why);
        }
    }

    /** Once more, or fails as it does now. */
    private void later(BlockException why) {
        if (loop.nanoTime() - beganNanos > TRIED_NANOS) {
            opened.completeExceptionally(why);
        } else {
            loop.schedule(RETRY_NANOS, this::probe);
        }
    }
}
