package io.quoin.brick.posix;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.NameText;
import io.quoin.xlator.UnfinishedNames;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Predicate;
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
        Path absolute = NameText.absolute(path).normalize();
        String directory = NameText.of(absolute);
        PrivateFolder.make(absolute);
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
            if (made == 0) {
                FolderOwner.give(ownFolder.fd(), folder.fd(), directory);
            }
            lock = BrickLock.make(ownFolder.fd(), directory);
            removeUnfinished(ownFolder.fd(), directory, name -> name.startsWith(NEW_PREFIX));
            removeUnfinished(folder.fd(), directory, UnfinishedNames::isUnfinished);
            PrivateFolder.sync(folder.fd(), directory);
            return new BrickFolder(directory, folder, ownFolder, lock, false);
        } catch (RuntimeException e) {
            closeAll(lock, ownFolder, folder);
            throw e;
        }
    }

    /**
     * Opens a folder of files.
     *
     * @param locking whether it is locked if it is a brick; without that, files of a folder that
     *     may not be listed can be opened by their names
     * @throws BlockException EBUSY if it is a brick that is in use
     */
    static BrickFolder openPlain(Path path, boolean locking) {
        String directory = NameText.of(NameText.absolute(path).normalize());
        int access = locking || Files.isReadable(path) ? SystemCalls.O_RDONLY : SystemCalls.O_PATH;
        Descriptor folder = openFolder(SystemCalls.AT_FDCWD, directory, directory, access);
        Descriptor lock = null;
        try {
            lock = locking ? BrickLock.ifBrick(folder.fd(), directory) : null;
            String again = "/proc/self/fd/" + folder.fd();
            Descriptor ownFolder = openFolder(SystemCalls.AT_FDCWD, again, directory, access);
            return new BrickFolder(directory, folder, ownFolder, lock, true);
        } catch (RuntimeException e) {
            closeAll(lock, folder);
            throw e;
        }
    }

    private static Descriptor openFolder(int folderFd, String name, String directory) {
        return openFolder(folderFd, name, directory, SystemCalls.O_RDONLY);
    }

    private static Descriptor openFolder(int folderFd, String name, String directory, int access) {
        int flags = access | SystemCalls.ABI.openDirectory();
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

    /** Gives a file just made to whom the folder belongs, if root made it in a brick. */
    void giveToOwner(int newFd) {
        if (lock != null) {
            FolderOwner.give(newFd, fd(), directory);
        }
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
        PrivateFolder.sync(fd(), directory);
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
