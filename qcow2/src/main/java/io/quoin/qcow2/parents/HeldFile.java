package io.quoin.qcow2.parents;

import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.XlatorFile;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * A file that is held for as long as it is open.
 *
 * <p>Threading: confined(loop).
 */
public final class HeldFile extends PassThroughFile {
    private final Hold hold;

    HeldFile(XlatorFile below, Hold hold) {
        super(below);
        this.hold = hold;
    }

    /** The opened file, or the failure, and then the hold ends here. */
    @SuppressWarnings("NullAway") // handle passes null where the stage did not fail
    public static CompletionStage<XlatorFile> of(XlatorFile file, Throwable failure, Hold hold) {
        if (failure == null) {
            return CompletableFuture.completedFuture(new HeldFile(file, hold));
        }
        hold.release();
        return CompletableFuture.failedFuture(failure);
    }

    @Override
    public CompletionStage<Void> close() {
        return below().close().whenComplete((nothing, failure) -> hold.release());
    }
}
