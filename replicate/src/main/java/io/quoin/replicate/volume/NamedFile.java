package io.quoin.replicate.volume;

import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.XlatorFile;
import java.util.concurrent.CompletionStage;

/**
 * A file that is in {@link OpenFiles} until it is closed.
 *
 * <p>Threading: confined(loop).
 */
final class NamedFile extends PassThroughFile {
    private final Runnable whenClosed;

    NamedFile(XlatorFile below, Runnable whenClosed) {
        super(below);
        this.whenClosed = whenClosed;
    }

    @Override
    public CompletionStage<Void> close() {
        return below().close().whenComplete((none, failure) -> whenClosed.run());
    }
}
