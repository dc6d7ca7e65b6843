package io.quoin.brick.posix;

/**
 * Whose a folder is. What root makes in a folder of another user is given to that user: the service
 * that runs as that user could not open it otherwise.
 *
 * <p>Threading: immutable.
 */
final class FolderOwner {
    private static final int ROOT = 0;

    private FolderOwner() {}

    /**
     * Gives a file to the folder's owner and group, if this process is root's.
     *
     * @param newFd of a file that this process has made just now, and no other: one that was there
     *     might be a second name of anything
     * @throws io.quoin.block.BlockException EPERM where root may not
     */
    static void give(int newFd, int folderFd, String directory) {
        if (SystemCalls.effectiveUser() != ROOT) {
            return;
        }
        FileStatus folder = new FileStatus();
        FileStatus made = new FileStatus();
        int result = folder.ofOpenFile(folderFd);
        if (result == 0) {
            result = made.ofOpenFile(newFd);
        }
        boolean isOther = made.owner() == ROOT && folder.owner() != ROOT;
        if (result == 0 && isOther) {
            result = SystemCalls.fchown(newFd, folder.owner(), folder.group());
        }
        if (result < 0) {
            String subject = "directory=" + directory + ", owner=" + folder.owner();
            throw Errno.exception("give a new file to the folder's owner", subject, -result);
        }
    }
}
