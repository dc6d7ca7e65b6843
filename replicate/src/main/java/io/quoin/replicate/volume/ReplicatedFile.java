package io.quoin.replicate.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.BlockStatus;
import io.quoin.block.Capabilities;
import io.quoin.block.Capability;
import io.quoin.block.ExtentList;
import io.quoin.block.Geometry;
import io.quoin.block.IoRequest;
import io.quoin.replicate.Outcome;
import io.quoin.xlator.FileEvent;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * A replicated file as the graph sees it: requests of any range, which it cuts at the ends of
 * regions. The payload of a write is copied once, since a member may be sent it after the write was
 * acknowledged. Where data are allocated it does not know: all of it counts as data.
 *
 * <p>Threading: confined(loop).
 */
public final class ReplicatedFile implements XlatorFile {
    private static final int TRANSFER_BYTES_MAX = 64 << 20;

    private static final Capabilities READ_WRITE =
            Capabilities.of(
                    Capability.WRITE,
                    Capability.FUA,
                    Capability.DISCARD,
                    Capability.MULTI_CONN,
                    Capability.GROW);

    private final String node;
    private final String fileName;
    private final OpenOptions options;
    private final long regionBytes;
    private final Copies copies;
    private final Loop loop;
    private final RequestBytes bytes = new RequestBytes();
    private final Set<SplitRequest> running = new LinkedHashSet<>();
    private final Set<Resizing> resizing = new LinkedHashSet<>();
    private BlockError refusal = BlockError.OK;
    private boolean isFenced;

    /**
     * @param node of the graph, for events
     * @param regionBytes the length that no request to the copies goes over the end of a multiple
     *     of
     * @param copies its own from here on
     */
    public ReplicatedFile(
            String node,
            String fileName,
            OpenOptions options,
            long regionBytes,
            Copies copies,
            Loop loop) {
        this.node = node;
        this.fileName = fileName;
        this.options = options;
        this.regionBytes = regionBytes;
        this.copies = copies;
        this.loop = loop;
    }

    Copies copies() {
        return copies;
    }

    RequestBytes bytes() {
        return bytes;
    }

    @Override
    public String fileName() {
        return fileName;
    }

    @Override
    public Geometry geometry() {
        return Geometry.ofSize(copies.sizeBytes()).transferMax(TRANSFER_BYTES_MAX);
    }

    @Override
    public Capabilities capabilities() {
        return options.isReadOnly() ? READ_WRITE.readOnly() : READ_WRITE;
    }

    @Override
    public void submit(IoRequest request) {
        if (!refusal.isOk()) {
            request.complete(refusal);
            return;
        }
        switch (request.op()) {
            case READ, WRITE, WRITE_ZEROES, DISCARD -> {
                SplitRequest split = new SplitRequest(this, request, regionBytes);
                running.add(split);
                split.advance();
            }
            case FLUSH -> flush(request);
            case BLOCK_STATUS -> {
                ExtentList extents = request.extents();
                if (extents != null && request.lengthBytes() > 0) {
                    extents.add(request.lengthBytes(), BlockStatus.DATA);
                }
                request.complete(BlockError.OK);
            }
            case CACHE -> request.complete(BlockError.OK);
        }
    }

    /** As a request without parts, which may be given up as well. */
    private void flush(IoRequest request) {
        SplitRequest flush = new SplitRequest(this, request, regionBytes);
        running.add(flush);
        copies.flush(
                (outcome, data) -> {
                    if (running.contains(flush)) {
                        flush.end(errorOf(outcome));
                    }
                });
    }

    /** A request is about to be completed. */
    void ended(SplitRequest split) {
        running.remove(split);
    }

    /** What an outcome is to the graph; tells of what a listener should hear. */
    BlockError errorOf(Outcome outcome) {
        return switch (outcome) {
            case DONE -> BlockError.OK;
            case NO_SPACE -> {
                tell(FileEvent.Kind.SPACE_LOW, "a brick has no space for a change");
                yield BlockError.ENOSPC;
            }
            case FENCED -> {
                if (!isFenced) {
                    isFenced = true;
                    tell(FileEvent.Kind.FENCED, "another process has taken the file over");
                }
                yield BlockError.EBADE;
            }
            case FAILED -> BlockError.EIO;
        };
    }

    private void tell(FileEvent.Kind kind, String text) {
        FileEvent event = new FileEvent(kind, node, text + ": file=" + fileName);
        loop.execute(() -> options.listener().onEvent(event));
    }

    @Override
    public CompletionStage<Void> resize(long newSizeBytes) {
        if (options.isReadOnly()) {
            return failed(BlockError.EPERM, "file is open for reading only");
        }
        if (newSizeBytes < 0) {
            return failed(BlockError.EINVAL, "illegal size: size=" + newSizeBytes);
        }
        if (!refusal.isOk()) {
            return failed(refusal, "file was given up");
        }
        Resizing resize = new Resizing();
        resizing.add(resize);
        copies.resize(
                newSizeBytes,
                (outcome, data) -> {
                    if (isGoingOn(resize, outcome, "file was not resized")) {
                        tell(FileEvent.Kind.RESIZED, "new size: size=" + newSizeBytes);
                        makeDurable(resize);
                    }
                });
        return resize.done;
    }

    private void makeDurable(Resizing resize) {
        copies.flush(
                (outcome, data) -> {
                    if (isGoingOn(resize, outcome, "new size is not durable")) {
                        resizing.remove(resize);
                        resize.done.complete(null);
                    }
                });
    }

    /** Ends a resize of which a step has failed; false also if it has been given up. */
    private boolean isGoingOn(Resizing resize, Outcome outcome, String what) {
        BlockError error = errorOf(outcome);
        if (!error.isOk() && resizing.remove(resize)) {
            resize.done.completeExceptionally(failure(error, what));
        }
        return resizing.contains(resize);
    }

    @Override
    public CompletionStage<Void> shrink(long newSizeBytes) {
        if (newSizeBytes > copies.sizeBytes()) {
            return failed(
                    BlockError.EINVAL,
                    "file cannot be made smaller: size="
                            + newSizeBytes
                            + ", expected=at most "
                            + copies.sizeBytes());
        }
        return resize(newSizeBytes);
    }

    private CompletionStage<Void> failed(BlockError error, String what) {
        return CompletableFuture.failedFuture(failure(error, what));
    }

    private BlockException failure(BlockError error, String what) {
        return new BlockException(error, what + ": file=" + fileName + ", reason=" + error.text());
    }

    @Override
    public Map<String, Object> details() {
        return Map.of("format", "raw", "storage", "replicated", "region size", regionBytes);
    }

    @Override
    public void abort(BlockError error) {
        if (!refusal.isOk()) {
            return;
        }
        refusal = error;
        copies.abort();
        List<Resizing> resizes = List.copyOf(resizing);
        resizing.clear();
        List<SplitRequest> given = List.copyOf(running);
        given.forEach(split -> loop.execute(() -> endGivenUp(split, error)));
        resizes.forEach(
                resize -> resize.done.completeExceptionally(failure(error, "file was given up")));
    }

    private void endGivenUp(SplitRequest split, BlockError error) {
        if (running.contains(split)) {
            split.end(error);
        }
    }

    @Override
    public CompletionStage<Void> close() {
        return copies.close();
    }

    /** A resize under way. */
    private static final class Resizing {
        private final CompletableFuture<Void> done = new CompletableFuture<>();
    }
}
