package io.quoin.brick.posix;

import io.quoin.block.ExtentList;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.block.Uncaught;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A request on its way through the pool: prepared on the loop, performed by a worker, ended on the
 * loop. Pooled by its file. Without a request it fetches ahead.
 *
 * <p>Threading: handed over between the loop and a worker; never used by both at once.
 */
final class FileTask extends IoPool.Task implements Runnable {
    /** A hint must not fill the page cache: more than this is not fetched for one request. */
    private static final long CACHE_BYTES_MAX = 64L << 20;

    private final PosixFile file;
    private @Nullable IoRequest request;
    private IoOp op = IoOp.CACHE;
    private long offsetBytes;
    private long lengthBytes;
    private int flags;
    private long fromBytes;
    private long fileSizeBytes;
    private int result;

    private @Nullable FileTask next;
    private long claimStart;
    private long claimEnd;
    private boolean claimShared;

    FileTask(PosixFile file) {
        this.file = file;
    }

    /** Prepares it for a request, of whose memory the first {@code newFromBytes} are done. */
    FileTask prepare(IoRequest newRequest, long newFromBytes) {
        request = newRequest;
        op = newRequest.op();
        offsetBytes = newRequest.offsetBytes();
        lengthBytes = newRequest.lengthBytes();
        flags = newRequest.flags();
        fromBytes = newFromBytes;
        result = Errno.NONE;
        return this;
    }

    /** Prepares it to fetch a range ahead. */
    FileTask prefetch(long newOffsetBytes, long newLengthBytes) {
        request = null;
        op = IoOp.CACHE;
        offsetBytes = newOffsetBytes;
        lengthBytes = newLengthBytes;
        flags = IoFlags.NONE;
        result = Errno.NONE;
        return this;
    }

    /** Null if it fetches ahead. */
    @Nullable IoRequest request() {
        return request;
    }

    IoOp op() {
        return op;
    }

    int fd() {
        return file.fd();
    }

    boolean isDirect() {
        return file.isDirect();
    }

    long offsetBytes() {
        return offsetBytes;
    }

    long lengthBytes() {
        return lengthBytes;
    }

    long endBytes() {
        return offsetBytes + lengthBytes;
    }

    int flags() {
        return flags;
    }

    /** The size of the file from this task on. */
    long fileSizeBytes() {
        return fileSizeBytes;
    }

    void fileSizeBytes(long newFileSizeBytes) {
        fileSizeBytes = newFileSizeBytes;
    }

    /** 0, an error number or {@link Transfer#END_OF_FILE}. */
    int result() {
        return result;
    }

    @Nullable FileTask next() {
        return next;
    }

    void next(@Nullable FileTask newNext) {
        next = newNext;
    }

    /**
     * What it changes, blocks that it rewrites included.
     *
     * @param shared whether some of those bytes are not its own
     */
    void claim(long start, long end, boolean shared) {
        claimStart = start;
        claimEnd = end;
        claimShared = shared;
    }

    /** Whether the two may not run at the same time. */
    boolean conflictsWith(FileTask other) {
        return op.changesData()
                && other.op.changesData()
                && (claimShared || other.claimShared)
                && claimStart < other.claimEnd
                && other.claimStart < claimEnd;
    }

    @Override
    void perform(Worker worker) {
        try {
            result = call(worker);
        } catch (RuntimeException | Error e) {
            // What waits for the request must hear of it even so.
            Uncaught.report("request " + request + " of file " + file.fileName(), e);
            result = Errno.EIO;
        }
        file.loop().execute(this);
    }

    private int call(Worker worker) {
        return switch (op) {
            case READ -> read(worker, inFlight());
            case WRITE -> write(worker, inFlight());
            case WRITE_ZEROES -> ZeroRange.zero(this, worker);
            case DISCARD -> ZeroRange.discard(this, worker);
            case BLOCK_STATUS -> scan();
            case CACHE -> fetch();
            case FLUSH -> throw new AssertionError("flush in the wrong pool");
        };
    }

    private int read(Worker worker, IoRequest reading) {
        if (isDirect()) {
            return worker.direct().read(fd(), reading.memory(), offsetBytes);
        }
        return worker.transfer().read(fd(), reading.memory(), offsetBytes, fromBytes, 0);
    }

    /** A buffered write was made on the loop: what is left is to make it durable. */
    private int write(Worker worker, IoRequest writing) {
        if (isDirect()) {
            return worker.direct()
                    .write(fd(), writing.memory(), offsetBytes, lengthBytes, fileSizeBytes);
        }
        return worker.transfer().writeDurably(fd(), writing.memory(), offsetBytes);
    }

    private int scan() {
        ExtentList extents =
                Objects.requireNonNull(inFlight().extents(), "status without an extent list");
        boolean one = (flags & IoFlags.REQ_ONE) != 0;
        return ExtentScan.scan(fd(), offsetBytes, lengthBytes, extents, one);
    }

    /** A hint: where it cannot be followed nothing is lost. */
    private int fetch() {
        long length = Math.min(lengthBytes, CACHE_BYTES_MAX);
        SystemCalls.readahead(fd(), offsetBytes, length);
        return Errno.NONE;
    }

    private IoRequest inFlight() {
        return Objects.requireNonNull(request, "task without a request");
    }

    @Override
    public void run() {
        file.taskEnded(this);
    }
}
