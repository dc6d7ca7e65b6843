package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.qcow2.bitmap.ImageBitmaps;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Where requests of guests come in: each gets a machine of its kind, which are pooled. A change
 * passes the gate, is recorded in the bitmaps, and is counted until it ends.
 *
 * <p>Threading: confined(loop).
 */
final class GuestRequests {
    private final MappedImage image;
    private final WriteGate gate;
    private final ImageBitmaps bitmaps;
    private final ChangesUnderWay changes;
    private final ArrayDeque<ReadOp> idleReads = new ArrayDeque<>();
    private final ArrayDeque<StatusOp> idleStatuses = new ArrayDeque<>();
    private final ArrayDeque<WriteOp> idleWrites = new ArrayDeque<>();
    private final ArrayDeque<ZeroOp> idleZeros = new ArrayDeque<>();
    private final ArrayDeque<CompressedWrite> idleCompressed = new ArrayDeque<>();
    private @Nullable ZeroDetection zeroDetection;
    private final GuestPace pace;
    private long submitted;

    GuestRequests(MappedImage image, WriteGate gate, ImageBitmaps bitmaps) {
        this.image = image;
        this.gate = gate;
        this.bitmaps = bitmaps;
        this.changes = new ChangesUnderWay(image.io.loop());
        this.pace = new GuestPace(image.io.loop(), this::submitted);
    }

    /** Makes zeroing of writes of zeros, from now on; {@code unmaps}: giving clusters back. */
    void detectZeroes(boolean unmaps) {
        zeroDetection = new ZeroDetection(image, this::startChange, unmaps);
    }

    void submit(IoRequest request) {
        submitted++;
        if (pace.isTiming()) {
            pace.time(request);
        }
        switch (request.op()) {
            case READ, CACHE -> {
                ReadOp idle = idleReads.pollLast();
                (idle == null ? new ReadOp(image, idleReads::addLast) : idle).start(request);
            }
            case WRITE, WRITE_ZEROES, DISCARD -> change(request);
            case FLUSH -> flush(request);
            case BLOCK_STATUS -> {
                StatusOp idle = idleStatuses.pollLast();
                (idle == null ? new StatusOp(image, idleStatuses::addLast) : idle).start(request);
            }
        }
    }

    /** How many requests have come so far. */
    long submitted() {
        return submitted;
    }

    /** That of work beside the guests. */
    GuestPace pace() {
        return pace;
    }

    /** What copies from the backing file, one request after the other; past the gate. */
    FlattenOp newFlatten() {
        return new FlattenOp(image, done -> changes.end(done.countedAs));
    }

    void start(FlattenOp op, IoRequest request) {
        op.countedAs = changes.begin();
        op.start(request);
    }

    private void flush(IoRequest request) {
        if (image.health.refusal() == BlockError.EPERM) {
            // Opened read-only: nothing was written.
            request.complete(BlockError.OK);
        } else {
            image.flusher.flush(request);
        }
    }

    private void change(IoRequest request) {
        if (!image.health.isWritable()) {
            request.complete(image.health.refusal());
        } else if (gate.isOpen()) {
            recordAndStart(request);
        } else {
            gate.pass(
                    error -> {
                        if (error.isOk()) {
                            recordAndStart(request);
                        } else {
                            request.complete(error);
                        }
                    });
        }
    }

    /** The mark comes first: a change that fails half-way has a mark too. */
    private void recordAndStart(IoRequest request) {
        if (bitmaps.isRecording()) {
            bitmaps.record(request.offsetBytes(), request.endBytes());
        }
        ZeroDetection detection = zeroDetection;
        if (detection != null && request.op() == IoOp.WRITE && !request.has(IoFlags.COMPRESSED)) {
            detection.start(request);
        } else {
            startChange(request);
        }
    }

    /** Starts a change that is past the gate: a guest's, or a part of one. */
    void startChange(IoRequest request) {
        GuestOp op;
        if (request.has(IoFlags.COMPRESSED)) {
            CompressedWrite idle = idleCompressed.pollLast();
            op = idle == null ? newCompressed() : idle;
        } else if (request.op() == IoOp.WRITE) {
            WriteOp idle = idleWrites.pollLast();
            op = idle == null ? new WriteOp(image, done -> ended(done, idleWrites)) : idle;
        } else {
            ZeroOp idle = idleZeros.pollLast();
            op = idle == null ? new ZeroOp(image, done -> ended(done, idleZeros)) : idle;
        }
        op.countedAs = changes.begin();
        op.start(request);
    }

    private CompressedWrite newCompressed() {
        return new CompressedWrite(image, this::startChange, done -> ended(done, idleCompressed));
    }

    private <T extends GuestOp> void ended(T op, ArrayDeque<T> idle) {
        idle.addLast(op);
        changes.end(op.countedAs);
    }

    /** Runs {@code task}, later, when all changes that have begun have ended. One at a time. */
    void whenChangesEnded(Runnable task) {
        changes.await(task);
    }
}
