package io.quoin.management.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Holds a data folder for this process; the kernel lets go of it when the process dies in any way.
 * The lock file says who holds it and is never removed, since a removed file can be locked twice.
 *
 * <p>A file of a process must be opened through one descriptor only: closing a second one would
 * drop the lock (fcntl(2)). So the folders held by this process are remembered.
 *
 * <p>Threading: thread-safe.
 */
public final class FolderLock implements AutoCloseable {
    private static final Set<Path> HELD_HERE = ConcurrentHashMap.newKeySet();
    private static final int PID_TEXT_MAX = 32;

    private final Path key;
    private final FileChannel channel;

    private FolderLock(Path key, FileChannel channel) {
        this.key = key;
        this.channel = channel;
    }

    /**
     * Takes a folder.
     *
     * @throws BlockException with EBUSY and the holder's process id, if somebody else has it
     */
    public static FolderLock acquire(DataFolder folder) {
        folder.create();
        try {
            Path key = folder.path().toRealPath();
            if (!HELD_HERE.add(key)) {
                throw busy(folder, Long.toString(ProcessHandle.current().pid()));
            }
            boolean acquired = false;
            try {
                FileChannel channel = open(folder);
                acquired = true;
                return new FolderLock(key, channel);
            } finally {
                if (!acquired) {
                    HELD_HERE.remove(key);
                }
            }
        } catch (IOException e) {
            throw Reason.failure("cannot lock the data folder", folder.path(), e);
        }
    }

    private static FileChannel open(DataFolder folder) throws IOException {
        FileChannel channel =
                FileChannel.open(
                        folder.lockFile(),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE);
        boolean locked = false;
        try {
            if (channel.tryLock() == null) {
                throw busy(folder, holder(channel));
            }
            locked = true;
            channel.truncate(0);
            channel.write(
                    ByteBuffer.wrap(
                            (ProcessHandle.current().pid() + "\n")
                                    .getBytes(StandardCharsets.US_ASCII)),
                    0);
            return channel;
        } finally {
            if (!locked) {
                channel.close();
            }
        }
    }

    private static String holder(FileChannel channel) throws IOException {
        ByteBuffer text = ByteBuffer.allocate(PID_TEXT_MAX);
        channel.read(text, 0);
        String pid = StandardCharsets.US_ASCII.decode(text.flip()).toString().trim();
        return pid.isEmpty() ? "unknown" : pid;
    }

    private static BlockException busy(DataFolder folder, String pid) {
        return new BlockException(
                BlockError.EBUSY,
                "data folder is in use: path="
                        + folder.path()
                        + ", pid="
                        + pid
                        + "; stop that process, or choose another folder with --data");
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new BlockException(BlockError.EIO, "cannot unlock: folder=" + key, e);
        } finally {
            HELD_HERE.remove(key);
        }
    }
}
