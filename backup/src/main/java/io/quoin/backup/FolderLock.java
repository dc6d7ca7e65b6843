package io.quoin.backup;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.brick.posix.DurableFile;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * The right to change the backups of a disk: of one process at a time, and of one thread in it. It
 * goes with the process.
 *
 * <p>Threading: confined to its thread.
 */
final class FolderLock implements AutoCloseable {
    private final FileChannel channel;

    private FolderLock(FileChannel channel) {
        this.channel = channel;
    }

    static FolderLock take(Path file, String disk) {
        try {
            if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
                make(file);
            }
            FileChannel channel =
                    FileChannel.open(file, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
            FileLock lock = null;
            try {
                lock = tryLock(channel);
            } finally {
                if (lock == null) {
                    channel.close();
                }
            }
            if (lock == null) {
                throw new BlockException(
                        BlockError.EBUSY,
                        "backups of the disk are being changed: disk="
                                + disk
                                + ", lock="
                                + NameText.of(file)
                                + "; try again when that has ended");
            }
            return new FolderLock(channel);
        } catch (IOException e) {
            throw Reason.failure("backups cannot be locked", NameText.of(file), e);
        }
    }

    /** For the owner of the folder, also where root does it. */
    private static void make(Path file) {
        try {
            DurableFile.create(file, new byte[0]);
        } catch (BlockException e) {
            if (e.error() != BlockError.EEXIST) {
                throw e;
            }
        }
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException heldByThisProcess) {
            return null;
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw Reason.failure("backups cannot be unlocked", "of the disk", e);
        }
    }
}
