package io.quoin.brick.posix;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;

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
    private static final int MODE_FILE = 0600;
    static final String LOCK_NAME = "lock";
    private static final int PID_BYTES = 32;

    private final String directory;
    private final Descriptor folder;
    private final Descriptor ownFolder;
    private final @Nullable Descriptor lock;
    private final boolean plain;

    private BrickFolder(
            String directory,
            Descriptor folder,
            Descriptor ownFolder,
            @Nullable Descriptor lock,
            boolean plain) {
        this.directory = directory;
        this.folder = folder;
        this.ownFolder = ownFolder;
        this.lock = lock;
        this.plain = plain;
    }

    /**
     * Opens and locks the folder, and makes it first if it is missing.
     *
     * @throws BlockException EBUSY if another process, or another node of this one, holds it
     */
    static BrickFolder open(Path path) {
        Path absolute = path.toAbsolutePath().normalize();
        String directory = absolute.toString();
        makeMissing(absolute);
        Descriptor folder = openFolder(SystemCalls.AT_FDCWD, directory, directory);
        Descriptor ownFolder = null;
        Descriptor lock = null;
        try {
            int made =
                    SystemCalls.mkdirat(
                            folder.fd(), FileNames.encodePath(FileNames.OWN_FOLDER), MODE_FOLDER);
            if (made < 0 && made != -Errno.EEXIST) {
                throw Errno.exception(
                        "make the brick's own folder", "directory=" + directory, -made);
            }
            ownFolder = openFolder(folder.fd(), FileNames.OWN_FOLDER, directory);
            lock = openLock(ownFolder.fd(), directory);
            lock(lock.fd(), directory);
            removeUnfinished(ownFolder.fd(), directory);
            sync(folder.fd(), directory);
            return new BrickFolder(directory, folder, ownFolder, lock, false);
        } catch (RuntimeException e) {
            closeAll(lock, ownFolder, folder);
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
        String directory = path.toAbsolutePath().normalize().toString();
        Descriptor folder = openFolder(SystemCalls.AT_FDCWD, directory, directory);
        Descriptor lock = null;
        try {
            lock = locking ? lockIfBrick(folder.fd(), directory) : null;
            String again = "/proc/self/fd/" + folder.fd();
            Descriptor ownFolder = openFolder(SystemCalls.AT_FDCWD, again, directory);
            return new BrickFolder(directory, folder, ownFolder, lock, true);
        } catch (RuntimeException e) {
            closeAll(lock, folder);
            throw e;
        }
    }

    /** The locked lock file, or null where there is none. */
    private static @Nullable Descriptor lockIfBrick(int fd, String directory) {
        byte[] path = FileNames.encodePath(FileNames.OWN_FOLDER + "/" + LOCK_NAME);
        int flags = SystemCalls.ABI.openNoFollow();
        Descriptor lock = Descriptor.open(fd, path, flags | SystemCalls.O_RDWR, 0);
        if (lock.errno() == Errno.EROFS) {
            lock = Descriptor.open(fd, path, flags | SystemCalls.O_RDONLY, 0);
        }
        if (lock.errno() == Errno.ENOENT || lock.errno() == Errno.ENOTDIR) {
            return null;
        }
        if (!lock.isOpen()) {
            throw Errno.exception(
                    "open the brick's lock file", "directory=" + directory, lock.errno());
        }
        boolean locked = false;
        try {
            lock(lock.fd(), directory);
            locked = true;
            return lock;
        } finally {
            if (!locked) {
                lock.close();
            }
        }
    }

    private static void makeMissing(Path absolute) {
        Path parent = absolute.getRoot();
        for (Path part : absolute) {
            Path child = parent.resolve(part);
            byte[] path = FileNames.encodePath(child.toString());
            int made = SystemCalls.mkdirat(SystemCalls.AT_FDCWD, path, MODE_FOLDER);
            if (made == 0) {
                syncFolder(parent.toString());
            } else if (made != -Errno.EEXIST && !exists(path)) {
                throw Errno.exception("make the brick folder", "directory=" + child, -made);
            }
            parent = child;
        }
    }

    private static boolean exists(byte[] path) {
        return new FileStatus().ofName(SystemCalls.AT_FDCWD, path) == 0;
    }

    /** So that a folder just made in it is still there after a power failure. */
    private static void syncFolder(String directory) {
        try (Descriptor parent = openFolder(SystemCalls.AT_FDCWD, directory, directory)) {
            sync(parent.fd(), directory);
        }
    }

    private static Descriptor openFolder(int folderFd, String name, String directory) {
        int flags = SystemCalls.O_RDONLY | SystemCalls.ABI.openDirectory();
        boolean isOwn = folderFd != SystemCalls.AT_FDCWD;
        Descriptor folder =
                Descriptor.open(
                        folderFd,
                        FileNames.encodePath(name),
                        isOwn ? flags | SystemCalls.ABI.openNoFollow() : flags,
                        0);
        if (!folder.isOpen()) {
            String subject = "directory=" + (isOwn ? directory + "/" + name : directory);
            throw Errno.exception("open the brick folder", subject, folder.errno());
        }
        return folder;
    }

    private static Descriptor openLock(int ownFd, String directory) {
        Descriptor lock =
                Descriptor.open(
                        ownFd,
                        FileNames.encodePath(LOCK_NAME),
                        SystemCalls.O_RDWR | SystemCalls.O_CREAT | SystemCalls.ABI.openNoFollow(),
                        MODE_FILE);
        if (!lock.isOpen()) {
            throw Errno.exception(
                    "open the brick's lock file", "directory=" + directory, lock.errno());
        }
        return lock;
    }

    private static void lock(int lockFd, String directory) {
        UnsafeBuffer text = new UnsafeBuffer(ByteBuffer.allocateDirect(PID_BYTES));
        int locked = SystemCalls.lockExclusive(lockFd);
        if (locked == -Errno.EAGAIN) {
            throw new BlockException(
                    BlockError.EBUSY,
                    "brick folder is in use: directory="
                            + directory
                            + ", pid="
                            + readPid(lockFd, text));
        }
        if (locked < 0) {
            throw Errno.exception("lock the brick folder", "directory=" + directory, -locked);
        }
        byte[] pid = new byte[PID_BYTES]; // always as long, so that it takes no room on a full disk
        byte[] digits = (ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII);
        Arrays.fill(pid, (byte) ' ');
        System.arraycopy(digits, 0, pid, 0, digits.length);
        text.putBytes(0, pid);
        long written = SystemCalls.pwrite(lockFd, text.addressOffset(), pid.length, 0);
        // A full disk must not keep a brick from being opened: files could not even be removed.
        boolean isExcused =
                written == -Errno.EBADF // a read-only file system's
                        || Errno.blockError((int) -written) == BlockError.ENOSPC;
        if (written < 0 && !isExcused) {
            throw Errno.exception(
                    "write the brick's lock file", "directory=" + directory, (int) -written);
        }
    }

    private static String readPid(int lockFd, UnsafeBuffer text) {
        long length = SystemCalls.pread(lockFd, text.addressOffset(), PID_BYTES, 0);
        byte[] pid = new byte[(int) Math.max(0, length)];
        text.getBytes(0, pid);
        String digits = new String(pid, StandardCharsets.US_ASCII).trim();
        return digits.isEmpty() ? "unknown" : digits;
    }

    /** Files that were being made when their process ended. */
    private static void removeUnfinished(int ownFd, String directory) {
        for (byte[] name : FolderListing.names(ownFd, directory)) {
            if (FileNames.decode(name).filter(text -> text.startsWith(NEW_PREFIX)).isPresent()) {
                SystemCalls.unlinkat(ownFd, Arrays.copyOf(name, name.length + 1));
            }
        }
    }

    private static void sync(int folderFd, String directory) {
        int result = SystemCalls.fsync(folderFd);
        // EINVAL: a file system that does not sync folders, because it has nothing to sync.
        if (result < 0 && result != -Errno.EINVAL) {
            throw Errno.exception("flush the brick folder", "directory=" + directory, -result);
        }
    }

    String directory() {
        return directory;
    }

    /** The folder's descriptor; ESHUTDOWN once it is closed. */
    int fd() {
        return requireOpen(folder).fd();
    }

    private Descriptor requireOpen(Descriptor descriptor) {
        if (!descriptor.isOpen()) {
            throw new BlockException(
                    BlockError.ESHUTDOWN, "brick is closed: directory=" + directory);
        }
        return descriptor;
    }

    boolean isPlain() {
        return plain;
    }

    /** The name, in the own folder, of the file that is the {@code number}th to be made. */
    String newName(long number) {
        return plain ? UnfinishedNames.of(String.valueOf(number)) : NEW_PREFIX + number;
    }

    /** The descriptor of {@code .quoin} in it; of a plain folder, another one of itself. */
    int ownFolderFd() {
        return requireOpen(ownFolder).fd();
    }

    /** Makes every change of the folder durable. */
    void sync() {
        sync(fd(), directory);
    }

    /** The lock goes last. Closing again does nothing. */
    @Override
    public void close() {
        closeAll(ownFolder, folder, lock);
    }

    private static void closeAll(@Nullable Descriptor... descriptors) {
        for (Descriptor descriptor : descriptors) {
            if (descriptor != null) {
                descriptor.close();
            }
        }
    }
}
