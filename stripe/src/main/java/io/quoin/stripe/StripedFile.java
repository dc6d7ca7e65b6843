package io.quoin.stripe;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Capabilities;
import io.quoin.block.Capability;
import io.quoin.block.Geometry;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.block.IoVector;
import io.quoin.xlator.FileEvent;
import io.quoin.xlator.FileListener;
import io.quoin.xlator.Stages;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * An open striped file. A request becomes at most one request of each part: what of a range lies in
 * a part is one range there. A part may be shorter than its share, where nothing has been written
 * to its end: that reads as zeros. So the size is where the byte lies that is last of all parts'
 * last bytes, and a write past the end has to go to the parts it touches only.
 *
 * <p>Threading: confined(loop).
 */
final class StripedFile implements XlatorFile {
    private final String nodeName;
    private final String fileName;
    private final List<XlatorFile> parts;
    private final List<String> partNames;
    private final PartHeader header;
    private final StripeMap map;
    private final FileListener listener;
    private final Loop loop;
    private final Runnable whenClosed;
    private final IoCompletion whenPartDone = this::partDone;
    private final ArrayDeque<StripeOp> idleOps = new ArrayDeque<>();
    private final ArrayDeque<IoRequest> held = new ArrayDeque<>();
    private final long[] knownBytes;
    private final StatusOps statusOps;
    private final StripeResize resize;
    private Capabilities capabilities;
    private Geometry geometry;
    private int changesInFlight;
    private @Nullable CompletableFuture<Void> closing;

    /**
     * @param parts in their order; the file's own from here on
     * @param sizeBytes of a resize that is not finished; negative: what the parts' sizes say
     * @param whenClosed is run when the last part has been closed
     */
    StripedFile(
            String nodeName,
            PartHeader header,
            List<XlatorFile> parts,
            List<String> partNames,
            long sizeBytes,
            FileListener listener,
            Loop loop,
            Runnable whenClosed) {
        this.nodeName = nodeName;
        this.fileName = parts.get(0).fileName();
        this.header = header;
        this.map = header.map();
        this.parts = List.copyOf(parts);
        this.partNames = List.copyOf(partNames);
        this.listener = listener;
        this.loop = loop;
        this.whenClosed = whenClosed;
        this.knownBytes = new long[parts.size()];
        this.statusOps = new StatusOps(this, loop);
        this.resize = new StripeResize(this, loop);
        this.capabilities = commonCapabilities();
        this.geometry = commonGeometry();
        look();
        if (sizeBytes >= 0) {
            geometry = geometry.withSizeBytes(sizeBytes);
        }
    }

    private Capabilities commonCapabilities() {
        Capabilities common = parts.get(0).capabilities();
        for (XlatorFile part : parts) {
            common = common.and(part.capabilities());
        }
        // What is compressed there are whole clusters of a part.
        return common.without(Capability.WRITE_COMPRESSED);
    }

    private Geometry commonGeometry() {
        Geometry common = parts.get(0).geometry().withSizeBytes(0);
        for (XlatorFile part : parts) {
            common = common.within(part.geometry());
        }
        return common;
    }

    /** Asks the parts for their sizes; the file is at least as long as they say. */
    private void look() {
        long sizeBytes = geometry.sizeBytes();
        for (int part = 0; part < knownBytes.length; part++) {
            knownBytes[part] = bytesIn(part);
            sizeBytes = Math.max(sizeBytes, map.endBytes(part, knownBytes[part]));
        }
        if (sizeBytes != geometry.sizeBytes()) {
            geometry = geometry.withSizeBytes(sizeBytes);
        }
    }

    private long bytesIn(int part) {
        long fileBytes = parts.get(part).geometry().sizeBytes();
        return Math.max(0, fileBytes - PartHeaderLayout.DATA_OFFSET);
    }

    StripeMap map() {
        return map;
    }

    XlatorFile part(int part) {
        return parts.get(part);
    }

    @Override
    public String fileName() {
        return fileName;
    }

    @Override
    public Geometry geometry() {
        return geometry;
    }

    @Override
    public Capabilities capabilities() {
        return capabilities;
    }

    /**
     * How many of the first {@code wantedBytes} bytes of a part are there; behind these are zeros.
     */
    long presentBytes(int part, long wantedBytes) {
        if (knownBytes[part] < wantedBytes) {
            knownBytes[part] = bytesIn(part);
        }
        return Math.min(wantedBytes, knownBytes[part]);
    }

    @Override
    public void submit(IoRequest request) {
        IoOp op = request.op();
        if (op == IoOp.BLOCK_STATUS) {
            statusOps.submit(request);
        } else if (!op.changesData()) {
            start(request);
        } else if (resize.hasFailed()) {
            request.complete(BlockError.EIO);
        } else if (resize.isWanted()) {
            held.add(request);
        } else {
            changesInFlight++;
            start(request);
        }
    }

    private void start(IoRequest request) {
        StripeOp op = idleOps.isEmpty() ? new StripeOp() : idleOps.pollLast();
        if (request.op() == IoOp.FLUSH) {
            op.begin(request, true);
            for (int part = 0; part < parts.size(); part++) {
                send(op, part, loop.requests().acquire().flush());
            }
        } else {
            int touched = map.partsTouched(request.offsetBytes(), request.endBytes());
            op.begin(request, touched > 1);
            int part = map.partOf(request.offsetBytes());
            for (int i = 0; i < touched; i++) {
                startPart(op, request, part);
                part = part + 1 == parts.size() ? 0 : part + 1;
            }
        }
        end(op, BlockError.OK);
    }

    private void startPart(StripeOp op, IoRequest request, int part) {
        IoOp what = request.op();
        long start = map.shareBytes(part, request.offsetBytes());
        long end = map.shareBytes(part, request.endBytes());
        boolean grows = what == IoOp.WRITE || what == IoOp.WRITE_ZEROES;
        long present = grows ? end : Math.max(start, presentBytes(part, end));
        boolean isSparse = request.has(IoFlags.SPARSE) && !op.isSplit() && present == end;
        int flags = isSparse ? request.flags() : request.flags() & ~IoFlags.SPARSE;
        if (what == IoOp.READ && present < end) {
            zero(request, part, present, end);
        }
        if (present == start) {
            return;
        }
        IoRequest own =
                loop.requests()
                        .acquire()
                        .prepare(
                                what, PartHeaderLayout.DATA_OFFSET + start, present - start, flags);
        if (what.hasMemory()) {
            slice(request, part, start, present, own.memory());
        }
        if (isSparse) {
            own.extents(Objects.requireNonNull(request.extents(), "sparse read without a list"));
        }
        send(op, part, own);
    }

    /** The memory for a range of a part, block by block. */
    private void slice(IoRequest request, int part, long start, long end, IoVector target) {
        for (long at = start; at < end; ) {
            long next = Math.min(end, map.blockEndBytes(at));
            long offset = map.offsetBytes(part, at);
            target.addSlice(request.memory(), offset - request.offsetBytes(), next - at);
            at = next;
        }
    }

    private void zero(IoRequest request, int part, long start, long end) {
        for (long at = start; at < end; ) {
            long next = Math.min(end, map.blockEndBytes(at));
            long offset = map.offsetBytes(part, at);
            request.memory().zero(offset - request.offsetBytes(), next - at);
            at = next;
        }
    }

    private void send(StripeOp op, int part, IoRequest own) {
        op.started();
        own.attachment(op);
        own.push(whenPartDone, part);
        parts.get(part).submit(own);
    }

    private void partDone(IoRequest own, BlockError error) {
        int part = (int) own.token();
        StripeOp op = (StripeOp) Objects.requireNonNull(own.attachment(), "part of no request");
        if (error == BlockError.ENOTSUP && own.has(IoFlags.FAST_ZERO) && op.isSplit()) {
            // Others may have zeroed theirs: now it is all or nothing.
            own.prepare(
                    own.op(),
                    own.offsetBytes(),
                    own.lengthBytes(),
                    own.flags() & ~IoFlags.FAST_ZERO);
            send(op, part, own);
            end(op, BlockError.OK);
            return;
        }
        loop.requests().release(own);
        end(op, error);
    }

    private void end(StripeOp op, BlockError how) {
        if (!op.ended(how)) {
            return;
        }
        IoRequest request = op.request();
        BlockError error = op.error();
        op.clear();
        idleOps.addLast(op);
        if (request.op().changesData()) {
            changesInFlight--;
            if (request.endBytes() > geometry.sizeBytes()) {
                look();
            }
            resize.startIfWanted(changesInFlight);
        }
        request.complete(error);
    }

    @Override
    public CompletionStage<Void> resize(long newSizeBytes) {
        if (resize.hasFailed()) {
            return failed(BlockError.EIO, "takes no more changes after a resize that failed");
        }
        if (resize.isWanted()) {
            return failed(BlockError.EBUSY, "is being resized");
        }
        CompletionStage<Void> done = resize.want(newSizeBytes);
        resize.startIfWanted(changesInFlight);
        return done;
    }

    @Override
    public CompletionStage<Void> shrink(long newSizeBytes) {
        return newSizeBytes > geometry.sizeBytes()
                ? failed(BlockError.EINVAL, "is smaller than sizeBytes=" + newSizeBytes)
                : resize(newSizeBytes);
    }

    private CompletionStage<Void> failed(BlockError error, String why) {
        return CompletableFuture.failedFuture(
                new BlockException(error, "file " + why + ": file=" + fileName));
    }

    /** A resize has ended: goes on with what has waited. */
    void resized(long newSizeBytes) {
        geometry = geometry.withSizeBytes(newSizeBytes);
        for (int part = 0; part < knownBytes.length; part++) {
            knownBytes[part] = Math.min(bytesIn(part), map.shareBytes(part, newSizeBytes));
        }
        List<IoRequest> waiting = new ArrayList<>(held);
        held.clear();
        waiting.forEach(this::submit);
        if (closing != null) {
            loop.execute(this::closeParts);
        }
    }

    /** Something has happened to a part. */
    void happened(FileEvent event) {
        switch (event.kind()) {
            case RESIZED -> {} // this file's own doing
            case CAPABILITIES_CHANGED -> {
                Capabilities now = commonCapabilities();
                if (!now.equals(capabilities)) {
                    capabilities = now;
                    listener.onEvent(
                            new FileEvent(
                                    FileEvent.Kind.CAPABILITIES_CHANGED,
                                    nodeName,
                                    event.node() + ": " + event.text()));
                }
            }
            default -> listener.onEvent(event);
        }
    }

    @Override
    public Map<String, Object> details() {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("format", "striped");
        details.put("id", header.fileId().toString());
        details.put("block-size", header.blockBytes());
        details.put("optimal-io-size", header.blockBytes() * header.count());
        details.put("parts", partNames);
        return details;
    }

    @Override
    public void abort(BlockError error) {
        List<IoRequest> waiting = new ArrayList<>(held);
        held.clear();
        parts.forEach(part -> part.abort(error));
        waiting.forEach(request -> request.complete(error));
    }

    @Override
    public CompletionStage<Void> close() {
        CompletableFuture<Void> end = new CompletableFuture<>();
        closing = end;
        if (!resize.isWanted()) {
            closeParts();
        }
        return end;
    }

    /** All of them, whatever one fails with; the first failure is told. */
    private void closeParts() {
        CompletableFuture<Void> end = Objects.requireNonNull(closing, "closed without a close");
        List<CompletableFuture<Void>> closes = new ArrayList<>();
        for (XlatorFile part : parts) {
            closes.add(part.close().toCompletableFuture());
        }
        CompletableFuture<Void> unused =
                CompletableFuture.allOf(closes.toArray(CompletableFuture<?>[]::new))
                        .whenComplete(
                                (none, failure) -> {
                                    whenClosed.run();
                                    BlockException first = firstFailure(closes);
                                    if (first == null) {
                                        end.complete(null);
                                    } else {
                                        end.completeExceptionally(first);
                                    }
                                });
    }

    private @Nullable BlockException firstFailure(List<CompletableFuture<Void>> closes) {
        for (int part = 0; part < closes.size(); part++) {
            CompletableFuture<Void> close = closes.get(part);
            if (close.isCompletedExceptionally()) {
                try {
                    close.join();
                } catch (RuntimeException e) {
                    BlockException cause = Stages.asBlockException(e);
                    return new BlockException(
                            cause.error(), partNames.get(part) + ": " + cause.getMessage(), cause);
                }
            }
        }
        return null;
    }
}
