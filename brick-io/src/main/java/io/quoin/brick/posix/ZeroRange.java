package io.quoin.brick.posix;

import io.quoin.block.IoFlags;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * WRITE_ZEROES and DISCARD: the best that the file system has, down to writing zeros. The range
 * lies within the file, which was made large enough before; none of this changes its size.
 *
 * <p>Threading: thread-safe.
 */
final class ZeroRange {
    private static final int ZEROS_BYTES = 64 * 1024;
    private static final long PIECE_BYTES_MIN = 4 << 20;
    private static final long PIECE_BYTES_MAX = 1L << 40;
    private static final long PIECE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long GAP_NANOS = TimeUnit.MICROSECONDS.toNanos(100);
    private static final UnsafeBuffer ZEROS =
            new UnsafeBuffer(ByteBuffer.allocateDirect(ZEROS_BYTES));

    private ZeroRange() {}

    /** Makes a range read as zeros; 0 or an error number. */
    static int zero(FileTask task, Worker worker) {
        boolean mayUnmap = (task.flags() & IoFlags.MAY_UNMAP) != 0;
        if (mayUnmap && worker.traits().canPunchHole()) {
            int result = punch(task);
            if (!Errno.isUnsupported(result)) {
                return result;
            }
        }
        int result = zeroKeepingSpace(task, worker.traits());
        if (!Errno.isUnsupported(result)) {
            return result;
        }
        if ((task.flags() & IoFlags.FAST_ZERO) != 0) {
            return Errno.EOPNOTSUPP;
        }
        return write(task, worker);
    }

    /** Gives the range's blocks back; 0 or an error number. */
    static int discard(FileTask task, Worker worker) {
        if (worker.traits().canPunchHole()) {
            int result = punch(task);
            if (!Errno.isUnsupported(result)) {
                return result;
            }
        }
        return write(task, worker);
    }

    private static int zeroKeepingSpace(FileTask task, FileSystemTraits traits) {
        if (traits.canZeroRange()) {
            int result = fallocate(task, SystemCalls.FALLOCATE_ZERO_RANGE);
            if (!Errno.isUnsupported(result)) {
                return result;
            }
        }
        if (traits.canPunchHole() && traits.canAllocate()) {
            int result = punch(task);
            return result == Errno.NONE ? fallocate(task, 0) : result;
        }
        return Errno.EOPNOTSUPP;
    }

    private static int punch(FileTask task) {
        return fallocate(task, SystemCalls.FALLOCATE_PUNCH_HOLE);
    }

    /**
     * In pieces that take about a millisecond, with a gap between them: the kernel locks the file
     * meanwhile, longest where it has many pages to forget, and the writes of the disk wait for it.
     */
    private static int fallocate(FileTask task, int mode) {
        long done = 0;
        long pieceBytes = PIECE_BYTES_MIN;
        while (done < task.lengthBytes()) {
            long part = Math.min(pieceBytes, task.lengthBytes() - done);
            long begun = System.nanoTime();
            int result =
                    SystemCalls.fallocate(
                            task.fd(),
                            mode | SystemCalls.FALLOCATE_KEEP_SIZE,
                            task.offsetBytes() + done,
                            part);
            if (result < 0) {
                return -result;
            }
            done += part;
            if (System.nanoTime() - begun < PIECE_NANOS) {
                pieceBytes = Math.min(PIECE_BYTES_MAX, 2 * part);
            } else {
                pieceBytes = Math.max(PIECE_BYTES_MIN, part / 2);
                LockSupport.parkNanos(GAP_NANOS);
            }
        }
        return Errno.NONE;
    }

    private static int write(FileTask task, Worker worker) {
        if (task.isDirect()) {
            return worker.direct()
                    .write(
                            task.fd(),
                            null,
                            task.offsetBytes(),
                            task.lengthBytes(),
                            task.fileSizeBytes());
        }
        long done = 0;
        while (done < task.lengthBytes()) {
            long part = Math.min(ZEROS_BYTES, task.lengthBytes() - done);
            long written =
                    SystemCalls.pwrite(
                            task.fd(), ZEROS.addressOffset(), part, task.offsetBytes() + done);
            if (written <= 0) {
                return written == 0 ? Errno.EIO : (int) -written;
            }
            done += written;
        }
        return Errno.NONE;
    }
}
