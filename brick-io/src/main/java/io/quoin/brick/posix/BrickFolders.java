package io.quoin.brick.posix;

import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/**
 * Tells the folders of volumes from plain folders of image files.
 *
 * <p>Threading: thread-safe; blocks.
 */
public final class BrickFolders {
    private BrickFolders() {}

    /** Whether a volume keeps its files there, be it served at the moment or not. */
    public static boolean isBrick(Path folder) {
        Path lock = folder.resolve(FileNames.OWN_FOLDER).resolve(BrickLock.LOCK_NAME);
        return Files.isRegularFile(lock, LinkOption.NOFOLLOW_LINKS);
    }
}
