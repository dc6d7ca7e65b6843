package io.quoin.brick.posix;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.util.Map;

/**
 * Linux's error numbers: their names, and what they become in Quoin.
 *
 * <p>Threading: immutable.
 */
final class Errno {
    static final int NONE = 0;
    static final int ENOENT = 2;
    static final int EINTR = 4;
    static final int EIO = 5;
    static final int ENXIO = 6;
    static final int EBADF = 9;
    static final int EAGAIN = 11;
    static final int EACCES = 13;
    static final int EEXIST = 17;
    static final int EXDEV = 18;
    static final int ENOTDIR = 20;
    static final int EISDIR = 21;
    static final int EINVAL = 22;
    static final int ENOSPC = 28;
    static final int EROFS = 30;
    static final int ENOSYS = 38;
    static final int ELOOP = 40;
    static final int EOPNOTSUPP = 95;

    private static final Map<Integer, String> NAMES =
            Map.ofEntries(
                    Map.entry(1, "EPERM"),
                    Map.entry(ENOENT, "ENOENT"),
                    Map.entry(EINTR, "EINTR"),
                    Map.entry(EIO, "EIO"),
                    Map.entry(ENXIO, "ENXIO"),
                    Map.entry(EBADF, "EBADF"),
                    Map.entry(EAGAIN, "EAGAIN"),
                    Map.entry(12, "ENOMEM"),
                    Map.entry(EACCES, "EACCES"),
                    Map.entry(14, "EFAULT"),
                    Map.entry(16, "EBUSY"),
                    Map.entry(EEXIST, "EEXIST"),
                    Map.entry(EXDEV, "EXDEV"),
                    Map.entry(19, "ENODEV"),
                    Map.entry(ENOTDIR, "ENOTDIR"),
                    Map.entry(EISDIR, "EISDIR"),
                    Map.entry(EINVAL, "EINVAL"),
                    Map.entry(23, "ENFILE"),
                    Map.entry(24, "EMFILE"),
                    Map.entry(26, "ETXTBSY"),
                    Map.entry(27, "EFBIG"),
                    Map.entry(ENOSPC, "ENOSPC"),
                    Map.entry(EROFS, "EROFS"),
                    Map.entry(36, "ENAMETOOLONG"),
                    Map.entry(37, "ENOLCK"),
                    Map.entry(ENOSYS, "ENOSYS"),
                    Map.entry(39, "ENOTEMPTY"),
                    Map.entry(ELOOP, "ELOOP"),
                    Map.entry(75, "EOVERFLOW"),
                    Map.entry(EOPNOTSUPP, "EOPNOTSUPP"),
                    Map.entry(110, "ETIMEDOUT"),
                    Map.entry(116, "ESTALE"),
                    Map.entry(122, "EDQUOT"));

    private Errno() {}

    static String name(int errno) {
        return NAMES.getOrDefault(errno, "errno " + errno);
    }

    /** What the data path completes with. A full quota and a file at its limit are full disks. */
    static BlockError blockError(int errno) {
        return switch (errno) {
            case NONE -> BlockError.OK;
            case 1, EACCES -> BlockError.EPERM;
            case ENOENT -> BlockError.ENOENT;
            case 12 -> BlockError.ENOMEM;
            case 16, 26 -> BlockError.EBUSY;
            case EEXIST -> BlockError.EEXIST;
            case EINVAL, EISDIR, ELOOP, 36 -> BlockError.EINVAL;
            case 27, ENOSPC, 122 -> BlockError.ENOSPC;
            case EROFS -> BlockError.EROFS;
            case 110 -> BlockError.ETIMEDOUT;
            case 116 -> BlockError.ESTALE;
            case EOPNOTSUPP, ENOSYS -> BlockError.ENOTSUP;
            default -> BlockError.EIO;
        };
    }

    /**
     * As {@link #blockError}, for a request whose range and memory were right: what only a wrong
     * call, or a name, can bring about means that the storage misbehaves.
     */
    static BlockError requestError(int errno) {
        BlockError error = blockError(errno);
        return switch (error) {
            case EINVAL, ENOENT, EEXIST, EBUSY -> BlockError.EIO;
            default -> error;
        };
    }

    /** For the control path: {@code cannot <action>: <subject>, errno=<name>}. */
    static BlockException exception(String action, String subject, int errno) {
        return new BlockException(
                blockError(errno),
                "cannot "
                        + action
                        + ": "
                        + subject
                        + ", errno="
                        + name(errno)
                        + " ("
                        + blockError(errno).text()
                        + ")");
    }

    /** Whether the file system says that it does not know an operation. */
    static boolean isUnsupported(int errno) {
        return errno == EOPNOTSUPP || errno == ENOSYS;
    }
}
