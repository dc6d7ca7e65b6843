package io.quoin.qcow2.parents;

import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.XlatorFile;
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

    /** The opened file; the hold ends when it is closed, or if it cannot be opened. */
    public static CompletionStage<XlatorFile> of(CompletionStage<XlatorFile> opening, Hold hold) {
        return opening.<XlatorFile>thenApply(file -> new HeldFile(file, hold))
                .whenComplete(
                        (file, failure) -> {
                            if (failure != null) {
                                hold.release();
                            }
                        });
    }

    @Override
    public CompletionStage<Void> close() {
        return below().close().whenComplete((nothing, failure) -> hold.release());
    }
}
