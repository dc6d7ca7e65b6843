package io.quoin.testkit.fault;

import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Opens every file of its subvolume as a {@link ReorderingFile}.
 *
 * <p>Threading: thread-safe.
 */
public final class ReorderingXlator extends PassThroughXlator {
    private static final long DELAY_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(1);

    private final AtomicLong seed;

    public ReorderingXlator(String name, Xlator subvolume, long seed) {
        super(name, "testkit/reorder", subvolume);
        this.seed = new AtomicLong(seed);
    }

    @Override
    public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
        Random random = new Random(seed.getAndIncrement());
        return subvolume()
                .open(fileName, options, loop)
                .thenApply(file -> new ReorderingFile(file, loop, random, DELAY_NANOS_MAX));
    }
}
