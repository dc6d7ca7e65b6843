package io.quoin.xlator.debug;

import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.XlatorFile;
import java.util.concurrent.CompletionStage;

/**
 * A file of a {@link FopXlator}.
 *
 * <p>Threading: confined(loop).
 */
abstract class FopFile extends PassThroughFile {
    private final FopXlator owner;

    FopFile(FopXlator owner, XlatorFile below) {
        super(below);
        this.owner = owner;
    }

    @Override
    public CompletionStage<Void> resize(long newSizeBytes) {
        return owner.around(Fop.RESIZE, fileName(), () -> below().resize(newSizeBytes));
    }

    @Override
    public CompletionStage<Void> shrink(long newSizeBytes) {
        return owner.around(Fop.RESIZE, fileName(), () -> below().shrink(newSizeBytes));
    }

    @Override
    public CompletionStage<Void> close() {
        return owner.around(Fop.CLOSE, fileName(), () -> below().close());
    }
}
