package io.quoin.management.volume;

import io.quoin.block.ring.DiskRing;
import io.quoin.block.ring.RingOptions;
import io.quoin.xlator.Stages;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * An open disk: a file of the graph, the loop that owns it, and the one ring in front of it.
 *
 * <p>Threading: immutable; the file is confined to the loop.
 */
record OpenDisk(XlatorFile file, DiskRing ring, Loop loop, @Nullable String whyReadOnly) {

    /**
     * On the loop. The file is closed if there can be no ring in front of it.
     *
     * @param whyReadOnly null for a disk that is open for writing
     */
    static CompletionStage<OpenDisk> of(XlatorFile file, Loop loop, @Nullable String whyReadOnly) {
        try {
            DiskRing ring =
                    DiskRing.create(
                            file, loop, loop::inLoop, loop.requests(), RingOptions.defaults());
            return CompletableFuture.completedFuture(new OpenDisk(file, ring, loop, whyReadOnly));
        } catch (RuntimeException | Error e) {
            return Stages.failAfterClose(file, e);
        }
    }

    /** Answers what was accepted, flushes and closes. */
    CompletableFuture<Void> close() {
        CompletableFuture<Void> closed = new CompletableFuture<>();
        loop.execute(
                () ->
                        ring.close()
                                .handle((none, failure) -> failure)
                                .thenComposeAsync(this::closeFile, loop)
                                .whenComplete(
                                        (none, failure) -> {
                                            if (failure == null) {
                                                closed.complete(null);
                                            } else {
                                                closed.completeExceptionally(failure);
                                            }
                                        }));
        return closed;
    }

    private CompletionStage<Void> closeFile(@Nullable Throwable ringFailure) {
        CompletionStage<Void> fileClosed = file.close();
        return ringFailure == null
                ? fileClosed
                : fileClosed.thenCompose(none -> CompletableFuture.failedFuture(ringFailure));
    }
}
