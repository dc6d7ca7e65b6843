package io.quoin.qcow2.parents;

import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.XlatorFile;
import java.util.concurrent.CompletionStage;

/**
 * An image that is open for writing, and tells when its size may have changed.
 *
 * <p>Threading: confined(loop).
 */
final class ResizedFile extends PassThroughFile {
    private final Runnable resized;

    /**
     * @param resized called before the caller of a resize knows of its end
     */
    ResizedFile(XlatorFile below, Runnable resized) {
        super(below);
        this.resized = resized;
    }

    @Override
    public CompletionStage<Void> resize(long newSizeBytes) {
        return below().resize(newSizeBytes).whenComplete((nothing, failure) -> resized.run());
    }

    @Override
    public CompletionStage<Void> shrink(long newSizeBytes) {
        return below().shrink(newSizeBytes).whenComplete((nothing, failure) -> resized.run());
    }
}
