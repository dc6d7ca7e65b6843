package io.quoin.brick.posix;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.NameText;
import io.quoin.xlator.UnfinishedNames;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;

/**
 * The brick folder, held open and locked. Everything in it is reached relative to this one
 * descriptor, so that neither a moved folder nor a symbolic link can lead elsewhere.
 *
 * <p>The lock is that of the file {@code .quoin/lock}, which also names the process that holds it.
 * The kernel lets go of it when that process ends, however it ends.
 *
 * <p>A plain folder is one that holds image files and is no brick: nothing is made in it but those
 * files. Only if it is a brick too, its lock is taken.
 *
 * <p>Threading: thread-safe.
 */
final class BrickFolder implements AutoCloseable {
    /** Files in the brick's own folder that have no name yet begin with this. */
    private static final String NEW_PREFIX = "new-";

    private static final int MODE_FOLDER = 0700;

    private final String directory;
    private final int fd;
    private final int ownFolderFd;
    private final int lockFd;
    private final boolean plain;
    private final AtomicBoolean closed = new AtomicBoolean();

    private BrickFolder(String directory, int fd, int ownFolderFd, int lockFd, boolean plain) {
        this.directory = directory;
        this.fd = fd;
        this.ownFolderFd = ownFolderFd;
        this.lockFd = lockFd;
        this.plain = plain;
    }

    /**
     * Opens and locks the folder, and makes it first if it is missing.
     *
     * @throws BlockException EBUSY if another process, or another node of this one, holds it
     */
    static BrickFolder open(Path path) {
        Path absolute = NameText.absolute(path).normalize();
        String directory = NameText.of(absolute);
        PrivateFolder.make(absolute);
        int fd = openFolder(SystemCalls.AT_FDCWD, directory, directory);
        int ownFd = -1;
        int lockFd = -1;
        try {
            int made =
                    SystemCalls.mkdirat(
                            fd, FileNames.encodePath(FileNames.OWN_FOLDER), MODE_FOLDER);
            if (made < 0 && made != -Errno.EEXIST) {
                throw Errno.exception(
                        "make the brick's own folder", "directory=" + directory, -made);
            }
            ownFd = openFolder(fd, FileNames.OWN_FOLDER, directory);
            if (made == 0) {
                FolderOwner.give(ownFd, fd, directory);
            }
            lockFd = BrickLock.make(ownFd, directory);
            removeUnfinished(ownFd, directory, name -> name.startsWith(NEW_PREFIX));
            removeUnfinished(fd, directory, UnfinishedNames::isUnfinished);
            PrivateFolder.sync(fd, directory);
            return new BrickFolder(directory, fd, ownFd, lockFd, false);
        } catch (RuntimeException e) {
            closeAll(lockFd, ownFd, fd);
            throw e;
        }
    }

    /**
     * Opens a folder of files.
     *
     * @param locking whether it is locked if it is a brick
     * @throws BlockException EBUSY if it is a brick that is in use
     */
    static BrickFolder openPlain(Path path, boolean locking) {
        String directory = NameText.of(NameText.absolute(path).normalize());
        int fd = openFolder(SystemCalls.AT_FDCWD, directory, directory);
        int ownFd = -1;
        int lockFd = -1;
        try {
            lockFd = locking ? BrickLock.ifBrick(fd, directory) : -1;
            ownFd = openFolder(SystemCalls.AT_FDCWD, "/proc/self/fd/" + fd, directory);
            return new BrickFolder(directory, fd, ownFd, lockFd, true);
        } catch (RuntimeException e) {
            closeAll(lockFd, ownFd, fd);
            throw e;
        }
    }

    private static int openFolder(int folderFd, String name, String directory) {
        int flags = SystemCalls.O_RDONLY | SystemCalls.ABI.openDirectory();
        boolean isOwn = folderFd != SystemCalls.AT_FDCWD;
        int fd =
                SystemCalls.openat(
                        folderFd,
                        FileNames.encodePath(name),
                        isOwn ? flags | SystemCalls.ABI.openNoFollow() : flags,
                        0);
        if (fd < 0) {
            String subject = "directory=" + (isOwn ? directory + "/" + name : directory);
            throw Errno.exception("open the brick folder", subject, -fd);
        }
        return fd;
    }

    /** Files that were being made when their process ended: it held the lock. */
    private static void removeUnfinished(int folderFd, String directory, Predicate<String> which) {
        for (byte[] name : FolderListing.names(folderFd, directory)) {
            if (which.test(NameText.of(name))) {
                SystemCalls.unlinkat(folderFd, Arrays.copyOf(name, name.length + 1));
            }
        }
    }

    String directory() {
        return directory;
    }

    /** The folder's descriptor; ESHUTDOWN once it is closed, when the number may be another's. */
    int fd() {
        if (closed.get()) {
            throw new BlockException(
                    BlockError.ESHUTDOWN, "brick is closed: directory=" + directory);
        }
        return fd;
    }

    boolean isPlain() {
        return plain;
    }

    /** Gives a file just made to whom the folder belongs, if root made it in a brick. */
    void giveToOwner(int newFd) {
        if (lockFd >= 0) {
            FolderOwner.give(newFd, fd(), directory);
        }
    }

    /** The name, in the own folder, of the file that is the {@code number}th to be made. */
    String newName(long number) {
        return plain ? UnfinishedNames.of(String.valueOf(number)) : NEW_PREFIX + number;
    }

    /** The descriptor of {@code .quoin} in it; of a plain folder, another one of itself. */
    int ownFolderFd() {
        fd(); // closed with it
        return ownFolderFd;
    }

    /** Makes every change of the folder durable. */
    void sync() {
        PrivateFolder.sync(fd(), directory);
    }

    /** The lock goes last. Closing again does nothing. */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            closeAll(ownFolderFd, fd, lockFd);
        }
    }

    private static void closeAll(int... descriptors) {
        for (int descriptor : descriptors) {
            if (descriptor >= 0) {
                SystemCalls.close(descriptor);
            }
        }
    }
}
