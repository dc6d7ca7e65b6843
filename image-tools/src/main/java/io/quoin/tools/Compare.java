package io.quoin.tools;

import io.quoin.xlator.OpenMode;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Compares what two images read as, whatever their formats and backing files are.
 *
 * <p>Threading: confined to the thread of the tool.
 */
public final class Compare {
    private final ImageSession session;
    private final boolean strict;
    private final ProgressListener progress;
    private volatile @Nullable CompareRun lastRun;

    /**
     * @param strict sizes and what is allocated must be the same too
     */
    public Compare(ImageSession session, boolean strict, ProgressListener progress) {
        this.session = session;
        this.strict = strict;
        this.progress = progress;
    }

    /** Two images that are open for being compared. */
    public record Pair(OpenedImage first, OpenedImage second) {}

    /** Opens both, on one loop. */
    public Pair open(ImageLocation first, ImageLocation second) {
        OpenedImage one = session.open(first, OpenMode.READ_ONLY);
        return new Pair(one, session.open(second, OpenMode.READ_ONLY, one.loop()));
    }

    /**
     * Compares.
     *
     * @throws io.quoin.block.BlockException saying which image could not be read, and where
     */
    public CompareResult run(Pair pair) {
        CompletableFuture<CompareResult> done = new CompletableFuture<>();
        pair.first().loop().execute(() -> Relay.into(done, () -> begin(pair).start()));
        return Relay.await(pair.first().watch().over(done));
    }

    private CompareRun begin(Pair pair) {
        CompareRun run = new CompareRun(pair.first(), pair.second(), strict, progress);
        lastRun = run;
        return run;
    }

    /** Whether the last comparison failed for want of the block status, not of content. */
    public boolean isStatusUnknown() {
        CompareRun run = lastRun;
        return run != null && run.isStatusUnknown();
    }
}
