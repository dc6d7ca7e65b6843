package io.quoin.testkit.fault;

import io.quoin.block.BlockError;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoRequest;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.Random;

/**
 * Delays the start or the end of each request by a random time, so that requests overtake one
 * another in every way that a {@link io.quoin.block.BlockDevice} may.
 *
 * <p>Threading: confined(loop).
 */
public final class ReorderingFile extends PassThroughFile {
    private final Loop loop;
    private final Random random;
    private final long delayNanosMax;
    private final IoCompletion whenDone = this::onComplete;

    public ReorderingFile(XlatorFile below, Loop loop, Random random, long delayNanosMax) {
        super(below);
        this.loop = loop;
        this.random = random;
        this.delayNanosMax = delayNanosMax;
    }

    @Override
    public void submit(IoRequest request) {
        request.push(whenDone);
        if (random.nextBoolean()) {
            below().submit(request);
        } else {
            loop.schedule(delay(), () -> below().submit(request));
        }
    }

    private void onComplete(IoRequest request, BlockError error) {
        if (random.nextInt(4) == 0) {
            request.complete(error);
        } else {
            loop.schedule(delay(), () -> request.complete(error));
        }
    }

    private long delay() {
        return random.nextLong(delayNanosMax + 1);
    }
}
