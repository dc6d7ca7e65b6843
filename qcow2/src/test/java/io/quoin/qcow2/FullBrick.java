package io.quoin.qcow2;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoRequest;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A brick that, while it is full, lets no file become longer. */
final class FullBrick extends PassThroughXlator {
    boolean full;

    FullBrick(Xlator below) {
        super("full", "testkit/full", below);
    }

    @Override
    public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
        return subvolume().open(fileName, options, loop).thenApply(FullFile::new);
    }

    private final class FullFile extends PassThroughFile {
        FullFile(XlatorFile below) {
            super(below);
        }

        @Override
        public void submit(IoRequest request) {
            if (full && request.op().changesData() && request.endBytes() > geometry().sizeBytes()) {
                request.complete(BlockError.ENOSPC);
            } else {
                below().submit(request);
            }
        }

        @Override
        public CompletionStage<Void> resize(long newSizeBytes) {
            return full && newSizeBytes > geometry().sizeBytes()
                    ? CompletableFuture.failedFuture(
                            new BlockException(BlockError.ENOSPC, "the brick is full"))
                    : below().resize(newSizeBytes);
        }
    }
}
