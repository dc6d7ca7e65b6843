package io.quoin.snapshot;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.ExtentList;
import io.quoin.qcow2.diff.DiffControl;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/**
 * A snapshot that is read, and one that it is compared with. Both stay open, and by that what they
 * are, for as long as this is.
 *
 * <p>Threading: confined(loop).
 */
final class ComparedFile extends PassThroughFile implements DiskDifferences {
    private final SnapshotRange range;
    private final XlatorFile older;
    private final Differences differences;

    private ComparedFile(
            SnapshotRange range, XlatorFile newer, XlatorFile older, Differences differences) {
        super(newer);
        this.range = range;
        this.older = older;
        this.differences = differences;
    }

    /**
     * Takes both files over, which are open on the loop.
     *
     * @throws BlockException ENOTSUP for images that cannot be compared
     */
    static ComparedFile of(SnapshotRange range, XlatorFile newer, XlatorFile older, Loop loop) {
        DiffControl control =
                DiffControl.of(newer)
                        .orElseThrow(
                                () ->
                                        new BlockException(
                                                BlockError.ENOTSUP,
                                                "image cannot be compared: name=" + range));
        long sizeBytes = newer.geometry().sizeBytes();
        return new ComparedFile(
                range, newer, older, new Differences(control, sizeBytes, older, loop));
    }

    @Override
    public String fileName() {
        return range.toString();
    }

    @Override
    public void report(
            long offsetBytes, long lengthBytes, ExtentList target, Consumer<BlockError> ended) {
        differences.report(offsetBytes, lengthBytes, target, ended);
    }

    @Override
    public Map<String, Object> details() {
        Map<String, Object> details = new LinkedHashMap<>(below().details());
        details.put("compared-with", older.fileName());
        return details;
    }

    @Override
    public void abort(BlockError error) {
        older.abort(error);
        below().abort(error);
    }

    /** Both, whatever becomes of the first. */
    @Override
    public CompletionStage<Void> close() {
        return differences
                .close()
                .thenCompose(none -> older.close())
                .handle((none, failure) -> failure)
                .thenCompose(
                        failure ->
                                failure == null
                                        ? below().close()
                                        : below().close()
                                                .handle((none, second) -> failure)
                                                .<Void>thenCompose(
                                                        CompletableFuture::failedFuture));
    }
}
