package io.quoin.qcow2.io;

import io.quoin.block.BlockError;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.block.IoRequestPool;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletionStage;
import org.agrona.BufferUtil;
import org.agrona.UnsafeApi;
import org.jspecify.annotations.Nullable;

/**
 * Metadata requests to the child file, and the count of the flushes of the file that has the data:
 * the same one, or an external data file.
 *
 * <p>Flushes of data are numbered as they are submitted. One of number n that succeeded has made
 * durable every write that had completed before it was submitted; so a caller that needs the writes
 * completed so far to be durable waits until {@link #flushesDone} reaches {@link #nextFlush}. A
 * failed flush fences the image.
 *
 * <p>Threading: confined(loop).
 */
public final class ImageIo {
    private static final int PIECE_BYTES_MAX = 1 << 20;
    private static final int EXTEND_BYTES = 4096;
    private static final ByteBuffer ZEROS =
            BufferUtil.allocateDirectAligned(EXTEND_BYTES, EXTEND_BYTES);

    private final XlatorFile file;
    private final Loop loop;
    private final IoRequestPool pool;
    private final ImageHealth health;
    private final MetadataMap map = new MetadataMap();
    private final IoCompletion whenDone = this::onDone;
    private final IoCompletion whenFlushed = this::onFlushed;
    private final IoCompletion whenGuestFlushed = this::onGuestFlushed;
    private final int pieceBytesMax;
    private XlatorFile data;
    private long sizeKnownBytes;
    private long dataSizeKnownBytes;
    private long flushesStarted;
    private long flushesDone;
    private int clusterBits = Long.SIZE - 1;
    private int inFlight;
    private @Nullable Runnable whenIdle;
    private @Nullable FrozenMetadata frozen;

    public ImageIo(XlatorFile file, Loop loop, ImageHealth health) {
        this.file = file;
        this.loop = loop;
        this.pool = loop.requests();
        this.health = health;
        this.pieceBytesMax = Math.min(PIECE_BYTES_MAX, file.geometry().transferBytesMax());
        this.sizeKnownBytes = file.geometry().sizeBytes();
        this.data = file;
    }

    /** The guest's data are in {@code dataFile} from now on. */
    public void dataFile(XlatorFile dataFile) {
        data = dataFile;
        dataSizeKnownBytes = dataFile.geometry().sizeBytes();
    }

    public XlatorFile file() {
        return file;
    }

    /** The file that has the guest's data. */
    public XlatorFile data() {
        return data;
    }

    public boolean hasDataFile() {
        return data != file;
    }

    public Loop loop() {
        return loop;
    }

    /** Tells the size of clusters, by which writes are checked. */
    public void clusterBits(int bits) {
        clusterBits = bits;
    }

    public ImageHealth health() {
        return health;
    }

    /** Which clusters may be written as what. */
    public MetadataMap map() {
        return map;
    }

    /** The child file's size. */
    public long fileSizeBytes() {
        sizeKnownBytes = file.geometry().sizeBytes();
        return sizeKnownBytes;
    }

    /** Whether the file reaches {@code endBytes}; cheap where it does. */
    public boolean reaches(long endBytes) {
        return endBytes <= sizeKnownBytes || endBytes <= fileSizeBytes();
    }

    /** The size of the file that has the data. */
    public long dataSizeBytes() {
        if (data == file) {
            return fileSizeBytes();
        }
        dataSizeKnownBytes = data.geometry().sizeBytes();
        return dataSizeKnownBytes;
    }

    /** As {@link #reaches}, of the file that has the data. */
    public boolean dataReaches(long endBytes) {
        return data == file
                ? reaches(endBytes)
                : endBytes <= dataSizeKnownBytes || endBytes <= dataSizeBytes();
    }

    /** The number of the flush that will cover everything that has completed so far. */
    public long nextFlush() {
        return flushesStarted + 1;
    }

    /** The highest number of a flush that succeeded. */
    public long flushesDone() {
        return flushesDone;
    }

    /** Reads metadata; what lies beyond the end of the file is zeros. */
    public void read(long hostOffset, long address, int lengthBytes, Outcome outcome) {
        long present = Math.max(0, Math.min(lengthBytes, fileSizeBytes() - hostOffset));
        if (present < lengthBytes) {
            UnsafeApi.setMemory(address + present, lengthBytes - present, (byte) 0);
        }
        if (present == 0) {
            outcome.done(BlockError.OK);
        } else {
            transfer(IoOp.READ, hostOffset, address, (int) present, IoFlags.NONE, outcome);
        }
    }

    /** Writes what a file begins with that is no image yet: nothing can be overwritten. */
    public void writeNew(long hostOffset, long address, int lengthBytes, Outcome outcome) {
        if (health.isWritable()) {
            transfer(IoOp.WRITE, hostOffset, address, lengthBytes, IoFlags.NONE, outcome);
        } else {
            outcome.done(health.refusal());
        }
    }

    /** Writes metadata of {@code kind}, into clusters that the map says are of that kind. */
    public void write(
            MetadataKind kind, long hostOffset, long address, int lengthBytes, Outcome outcome) {
        write(kind, hostOffset, address, lengthBytes, IoFlags.NONE, outcome);
    }

    /** As {@link #write}; durable with the outcome, which nothing else becomes by it. */
    public void writeDurably(
            MetadataKind kind, long hostOffset, long address, int lengthBytes, Outcome outcome) {
        if (file.capabilities().canFua()) {
            write(kind, hostOffset, address, lengthBytes, IoFlags.FUA, outcome);
        } else {
            write(
                    kind,
                    hostOffset,
                    address,
                    lengthBytes,
                    IoFlags.NONE,
                    outcome.ifOk(() -> flush(outcome)));
        }
    }

    private void write(
            MetadataKind kind,
            long hostOffset,
            long address,
            int lengthBytes,
            int flags,
            Outcome outcome) {
        if (!health.isWritable()) {
            outcome.done(health.refusal());
        } else if (!isAllowed(kind, hostOffset, lengthBytes)) {
            outcome.done(BlockError.EIO);
        } else if (frozen == null) {
            transfer(IoOp.WRITE, hostOffset, address, lengthBytes, flags, outcome);
        } else {
            frozen.beforeWrite(
                    hostOffset,
                    lengthBytes,
                    () -> transfer(IoOp.WRITE, hostOffset, address, lengthBytes, flags, outcome));
        }
    }

    /**
     * From now on what is on disk can be read as it is now, until {@link #thaw}. No write of
     * metadata is under way.
     */
    public FrozenMetadata freeze(long keptBytesMax) {
        FrozenMetadata now = new FrozenMetadata(this, keptBytesMax);
        frozen = now;
        return now;
    }

    /** That is not needed any more. */
    public void thaw() {
        FrozenMetadata then = frozen;
        frozen = null;
        if (then != null) {
            then.giveUp(BlockError.ESHUTDOWN);
        }
    }

    private boolean isAllowed(MetadataKind kind, long hostOffset, int lengthBytes) {
        long first = hostOffset >>> clusterBits;
        long last = (hostOffset + lengthBytes - 1) >>> clusterBits;
        long other = map.firstOther(kind, first, last - first + 1);
        if (other >= 0) {
            health.corrupt(
                    "write of " + kind.text() + " would hit " + map.kindOf(other).text(),
                    other << clusterBits,
                    hostOffset);
        }
        return other < 0;
    }

    /**
     * Makes the file reach {@code endBytes}, durably; behind its end are zeros. Unlike a resize it
     * waits for no other request and flushes nothing else.
     */
    public void extend(long endBytes, Outcome outcome) {
        if (!health.isWritable()) {
            outcome.done(health.refusal());
            return;
        }
        if (reaches(endBytes)) {
            outcome.done(BlockError.OK);
            return;
        }
        int lengthBytes = (int) Math.min(EXTEND_BYTES, endBytes - fileSizeBytes());
        boolean aligned = ((endBytes | lengthBytes) & (file.geometry().blockSizeMin() - 1)) == 0;
        if (aligned && file.capabilities().canGrow() && file.capabilities().canFua()) {
            long address = BufferUtil.address(ZEROS);
            submitPiece(
                    IoOp.WRITE, endBytes - lengthBytes, address, lengthBytes, IoFlags.FUA, outcome);
        } else {
            resize(endBytes, outcome);
        }
    }

    private void transfer(
            IoOp op, long hostOffset, long address, int lengthBytes, int flags, Outcome outcome) {
        if (lengthBytes <= pieceBytesMax) {
            submitPiece(op, hostOffset, address, lengthBytes, flags, outcome);
            return;
        }
        Join join = new Join(outcome);
        for (int at = 0; at < lengthBytes; at += pieceBytesMax) {
            int piece = Math.min(pieceBytesMax, lengthBytes - at);
            submitPiece(op, hostOffset + at, address + at, piece, flags, join.one());
        }
        join.started();
    }

    private void submitPiece(
            IoOp op, long hostOffset, long address, int lengthBytes, int flags, Outcome outcome) {
        IoRequest request = pool.acquire().prepare(op, hostOffset, lengthBytes, flags);
        request.memory().add(address, lengthBytes);
        submit(file, request, outcome);
    }

    /** Gives a range of the file back. */
    public void discard(long hostOffset, long lengthBytes, Outcome outcome) {
        change(file, IoOp.DISCARD, hostOffset, lengthBytes, outcome);
    }

    /** Makes a range of the data read as zeros. */
    public void zeroData(long hostOffset, long lengthBytes, Outcome outcome) {
        change(data, IoOp.WRITE_ZEROES, hostOffset, lengthBytes, outcome);
    }

    private void change(
            XlatorFile target, IoOp op, long hostOffset, long lengthBytes, Outcome outcome) {
        if (health.isWritable()) {
            IoRequest request = pool.acquire().prepare(op, hostOffset, lengthBytes, IoFlags.NONE);
            submit(target, request, outcome);
        } else {
            outcome.done(health.refusal());
        }
    }

    /** Makes everything in the image's own file durable that had completed before. */
    public void flush(Outcome outcome) {
        flush(file, outcome);
    }

    /** Makes the guest's data durable that had completed before. */
    public void flushData(Outcome outcome) {
        flush(data, outcome);
    }

    private void flush(XlatorFile target, Outcome outcome) {
        if (!health.isWritable()) {
            outcome.done(health.refusal());
            return;
        }
        IoRequest request = pool.acquire().flush();
        request.attachment(outcome);
        request.push(whenFlushed, target == data ? ++flushesStarted : 0);
        inFlight++;
        target.submit(request);
    }

    /**
     * As {@link #flushData}, on behalf of a request that it completes: for when the metadata are
     * durable already.
     */
    public void flushFor(IoRequest parent) {
        flushesStarted++;
        IoRequest request = pool.acquire().flush();
        request.attachment(parent);
        request.push(whenGuestFlushed, flushesStarted);
        inFlight++;
        data.submit(request);
    }

    /** Writes and flushes in an image that refuses all other writes: the corrupt bit. */
    void writeLast(long hostOffset, long address, int lengthBytes) {
        submitPiece(
                IoOp.WRITE,
                hostOffset,
                address,
                lengthBytes,
                IoFlags.NONE,
                error -> {
                    IoRequest request = pool.acquire().flush();
                    submit(file, request, flushed -> {});
                });
    }

    /** Changes the file's size, durably. */
    public void resize(long newSizeBytes, Outcome outcome) {
        resize(file, newSizeBytes, outcome);
    }

    /** Changes the size of the file that has the data, durably. */
    public void resizeData(long newSizeBytes, Outcome outcome) {
        resize(data, newSizeBytes, outcome);
    }

    /** Cuts an external data file off, durably. */
    public void shortenData(long newSizeBytes, Outcome outcome) {
        await(data.shrink(newSizeBytes), outcome);
    }

    private void resize(XlatorFile target, long newSizeBytes, Outcome outcome) {
        await(target.resize(newSizeBytes), outcome);
    }

    private void await(CompletionStage<Void> stage, Outcome outcome) {
        inFlight++;
        stage.whenComplete(
                (nothing, failure) -> {
                    try {
                        outcome.done(failure == null ? BlockError.OK : ChildFiles.errorOf(failure));
                    } catch (RuntimeException | Error e) {
                        loop.raise(e);
                    } finally {
                        ended();
                    }
                });
    }

    /** Runs {@code task} once nothing of this is under way, so that the file can be closed. */
    public void whenIdle(Runnable task) {
        if (inFlight == 0) {
            task.run();
        } else {
            whenIdle = task;
        }
    }

    private void ended() {
        inFlight--;
        Runnable task = whenIdle;
        if (inFlight == 0 && task != null) {
            whenIdle = null;
            task.run();
        }
    }

    private void submit(XlatorFile target, IoRequest request, Outcome outcome) {
        request.attachment(outcome);
        request.push(whenDone);
        inFlight++;
        target.submit(request);
    }

    private void onDone(IoRequest request, BlockError error) {
        Outcome outcome = (Outcome) request.attachment();
        pool.release(request);
        if (outcome != null) {
            outcome.done(error);
        }
        ended();
    }

    private void onFlushed(IoRequest request, BlockError error) {
        Outcome outcome = (Outcome) request.attachment();
        flushed(request, error);
        if (outcome != null) {
            outcome.done(error);
        }
        ended();
    }

    private void onGuestFlushed(IoRequest request, BlockError error) {
        IoRequest parent = (IoRequest) request.attachment();
        flushed(request, error);
        if (parent != null) {
            parent.complete(error);
        }
        ended();
    }

    private void flushed(IoRequest request, BlockError error) {
        long number = request.token();
        pool.release(request);
        if (error.isOk()) {
            flushesDone = Math.max(flushesDone, number);
        } else {
            health.fence("flush failed", error);
        }
    }
}
