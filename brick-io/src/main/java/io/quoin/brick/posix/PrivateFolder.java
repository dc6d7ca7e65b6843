package io.quoin.brick.posix;

import io.quoin.xlator.NameText;
import java.nio.file.Path;

/**
 * Folders that only their owner may look into.
 *
 * <p>Threading: thread-safe; blocks.
 */
public final class PrivateFolder {
    private static final int MODE = 0700;

    private PrivateFolder() {}

    /**
     * Makes a folder and those above it, where they are missing: durable, and with mode 0700
     * whatever the process's mask is. What root makes in another user's folder becomes that user's.
     * One that is there stays as it is.
     *
     * @throws io.quoin.block.BlockException EPERM, ENOSPC, EIO
     */
    public static void make(Path path) {
        Path absolute = NameText.absolute(path).normalize();
        Path parent = absolute.getRoot();
        for (Path part : absolute) {
            Path child = parent.resolve(part);
            byte[] name = FileNames.encodePath(child);
            int made = SystemCalls.mkdirat(SystemCalls.AT_FDCWD, name, MODE);
            if (made == 0) {
                settle(child, parent);
            } else if (made != -Errno.EEXIST && !exists(name)) {
                String subject = "directory=" + NameText.of(child);
                throw Errno.exception("make the folder", subject, -made);
            }
            parent = child;
        }
    }

    private static boolean exists(byte[] path) {
        return new FileStatus().ofName(SystemCalls.AT_FDCWD, path) == 0;
    }

    private static void settle(Path child, Path parent) {
        String directory = NameText.of(child);
        try (Descriptor made = open(child, SystemCalls.ABI.openNoFollow());
                Descriptor above = open(parent, 0)) {
            FolderOwner.give(made.fd(), above.fd(), directory);
            int changed = SystemCalls.fchmod(made.fd(), MODE);
            if (changed < 0) {
                String subject = "directory=" + directory;
                throw Errno.exception("set the mode of the folder", subject, -changed);
            }
            sync(made.fd(), directory);
            sync(above.fd(), NameText.of(parent));
        }
    }

    /** Opens it; it is the caller's to close. */
    static Descriptor open(Path path) {
        return open(path, 0);
    }

    private static Descriptor open(Path path, int more) {
        int flags = SystemCalls.O_RDONLY | SystemCalls.ABI.openDirectory() | more;
        byte[] name = FileNames.encodePath(path);
        Descriptor folder = Descriptor.open(SystemCalls.AT_FDCWD, name, flags, 0);
        if (!folder.isOpen()) {
            throw Errno.exception(
                    "open the folder", "directory=" + NameText.of(path), folder.errno());
        }
        return folder;
    }

    /** Makes the names in an open folder durable. */
    static void sync(int folderFd, String directory) {
        int result = SystemCalls.fsync(folderFd);
        // EINVAL: a file system that does not sync folders, because it has nothing to sync.
        if (result < 0 && result != -Errno.EINVAL) {
            throw Errno.exception("flush the folder", "directory=" + directory, -result);
        }
    }
}
