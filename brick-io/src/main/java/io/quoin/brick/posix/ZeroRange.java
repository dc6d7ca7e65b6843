package io.quoin.brick.posix;

import io.quoin.block.IoFlags;
import java.nio.ByteBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * WRITE_ZEROES and DISCARD: the best that the file system has, down to writing zeros. The range
 * lies within the file, which was made large enough before; none of this changes its size.
 *
 * <p>Threading: thread-safe.
 */
final class ZeroRange {
    private static final int ZEROS_BYTES = 64 * 1024;
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

    private static int fallocate(FileTask task, int mode) {
        return -SystemCalls.fallocate(
                task.fd(),
                mode | SystemCalls.FALLOCATE_KEEP_SIZE,
                task.offsetBytes(),
                task.lengthBytes());
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
