package io.quoin.brick.posix;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.NameText;
import io.quoin.xlator.UnfinishedNames;
import java.nio.file.Path;

/**
 * Files that come into a brick as they are, by a second name.
 *
 * <p>Threading: thread-safe; blocks.
 */
final class Adoption {
    private static final int EXDEV = 18;
    private static final int MODE_FILE = 0600;

    private final Brick brick;

    Adoption(Brick brick) {
        this.brick = brick;
    }

    /** As {@link io.quoin.xlator.FileAdoption#adopt}. */
    void adopt(Path source, String fileName) {
        byte[] path = FileNames.encode(fileName);
        brick.names().acquireExclusive(fileName);
        try (Descriptor file = open(source)) {
            long inode = requireAlone(source, file.fd());
            check("make the file durable", source, SystemCalls.fsync(file.fd()));
            link(source, path);
            boolean kept = false;
            try {
                requireSame(source, path, inode);
                check("keep the file private", source, SystemCalls.fchmod(file.fd(), MODE_FILE));
                kept = true;
            } finally {
                if (!kept) {
                    SystemCalls.unlinkat(brick.folder().fd(), path);
                }
            }
            brick.folder().sync();
        } finally {
            brick.names().releaseExclusive(fileName);
        }
    }

    private static Descriptor open(Path source) {
        int flags = SystemCalls.O_RDONLY | SystemCalls.O_NONBLOCK;
        Descriptor file =
                Descriptor.open(
                        SystemCalls.AT_FDCWD,
                        FileNames.encodePath(NameText.of(source)),
                        flags | SystemCalls.ABI.openNoFollow(),
                        0);
        check("open the file", source, -file.errno());
        return file;
    }

    /** Returns its inode. */
    private long requireAlone(Path source, int fd) {
        FileStatus status = new FileStatus();
        check("look at the file", source, status.ofOpenFile(fd));
        FileStatus folder = new FileStatus();
        check("look at the brick", source, folder.ofOpenFile(brick.folder().fd()));
        if (!status.isRegular()) {
            throw refusal(BlockError.EINVAL, "not a regular file", source);
        }
        if (status.links() != 1) {
            throw refusal(
                    BlockError.EINVAL,
                    "file has other names, by which it could be written: names=" + status.links(),
                    source);
        }
        if (status.owner() != folder.owner()) {
            throw refusal(
                    BlockError.EPERM,
                    "file is of another user than the brick: owner="
                            + status.owner()
                            + ", expected="
                            + folder.owner(),
                    source);
        }
        return status.inode();
    }

    private void link(Path source, byte[] path) {
        byte[] from = FileNames.encodePath(NameText.of(source));
        int result =
                UnfinishedNames.giving(
                        () ->
                                SystemCalls.link(
                                        SystemCalls.AT_FDCWD, from, brick.folder().fd(), path));
        if (result == -EXDEV) {
            throw refusal(
                    BlockError.ENOTSUP,
                    "file lies on another file system than the volume, import copies it: brick="
                            + brick.folder().directory(),
                    source);
        }
        check("take the file into the brick", source, result);
    }

    private void requireSame(Path source, byte[] path, long inode) {
        FileStatus status = new FileStatus();
        check("look at the file", source, status.ofName(brick.folder().fd(), path));
        if (status.inode() != inode) {
            throw refusal(BlockError.ESTALE, "file was replaced meanwhile", source);
        }
    }

    private static void check(String action, Path source, int result) {
        if (result < 0) {
            throw Errno.exception(action, "path=" + NameText.of(source), -result);
        }
    }

    private static BlockException refusal(BlockError error, String why, Path source) {
        return new BlockException(error, why + ", path=" + NameText.of(source));
    }
}
