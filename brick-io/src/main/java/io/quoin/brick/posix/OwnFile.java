package io.quoin.brick.posix;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;

/**
 * Files in the brick's own folder.
 *
 * <p>Threading: immutable.
 */
final class OwnFile {
    private static final int MODE = 0600;

    private OwnFile() {}

    /**
     * Opens a file to be written; it is made where it is missing, for the owner of the folder. One
     * that is there is used only if it has no second name, which might be that of any file.
     *
     * @return open, and the caller's to close
     */
    static Descriptor open(int ownFd, String fileName, String directory) {
        byte[] name = FileNames.encodePath(fileName);
        int flags = SystemCalls.O_RDWR | SystemCalls.ABI.openNoFollow();
        int making = SystemCalls.O_CREAT | SystemCalls.O_EXCL;
        Descriptor file = Descriptor.open(ownFd, name, flags | making, MODE);
        boolean made = file.isOpen();
        if (file.errno() == Errno.EEXIST) {
            file = Descriptor.open(ownFd, name, flags | SystemCalls.O_NONBLOCK, 0);
        }
        if (!file.isOpen()) {
            throw Errno.exception(
                    "open the brick's file", subject(fileName, directory), file.errno());
        }
        boolean usable = false;
        try {
            if (made) {
                FolderOwner.give(file.fd(), ownFd, directory);
            } else {
                requireSingle(file.fd(), fileName, directory);
            }
            usable = true;
            return file;
        } finally {
            if (!usable) {
                file.close();
            }
        }
    }

    /**
     * Checks that an open file is a plain one with one name.
     *
     * @throws BlockException EEXIST for anything else
     */
    static void requireSingle(int fd, String fileName, String directory) {
        FileStatus status = new FileStatus();
        if (status.ofOpenFile(fd) < 0 || !status.isRegular() || status.links() > 1) {
            throw somethingElse(fileName, directory);
        }
    }

    static BlockException somethingElse(String fileName, String directory) {
        return new BlockException(
                BlockError.EEXIST,
                "something else is where a file of the brick should be: "
                        + subject(fileName, directory)
                        + "; move it away");
    }

    private static String subject(String fileName, String directory) {
        return "path=" + directory + "/" + FileNames.OWN_FOLDER + "/" + fileName;
    }
}
