package io.quoin.management.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.brick.posix.DurableFile;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Holds a data folder for this process; the kernel lets go of it when the process dies in any way.
 * The lock file says which process holds it and is never removed, since a removed file can be
 * locked twice.
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
     * Takes a folder, which is there.
     *
     * @throws BlockException with EBUSY and the holder's process id, if another process has it
     */
    public static FolderLock acquire(DataFolder folder) {
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
            throw Reason.failure("cannot lock the data folder", folder.text(), e);
        }
    }

    private static FileChannel open(DataFolder folder) throws IOException {
        Path file = folder.lockFile();
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            DurableFile.create(file, new byte[0]);
        }
        requirePlain(file);
        FileChannel channel =
                FileChannel.open(
                        file,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE,
                        LinkOption.NOFOLLOW_LINKS);
        boolean locked = false;
        try {
            requireLock(file, channel);
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

    private static void requirePlain(Path file) throws IOException {
        boolean isPlain =
                Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
                        && Files.getAttribute(file, "unix:nlink", LinkOption.NOFOLLOW_LINKS)
                                .equals(1);
        if (!isPlain) {
            throw somethingElse(file);
        }
    }

    /** Written over is nothing but a lock: the number of a process, or nothing. */
    private static void requireLock(Path file, FileChannel channel) throws IOException {
        boolean isLock = channel.size() <= PID_TEXT_MAX;
        if (!isLock || !holder(channel).matches("unknown|[0-9]+")) {
            throw somethingElse(file);
        }
    }

    private static BlockException somethingElse(Path file) {
        return new BlockException(
                BlockError.EEXIST,
                "something else is where the lock file should be: path="
                        + NameText.of(file)
                        + ", expected=a file with the number of a process; move it away");
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
                        + folder.text()
                        + ", pid="
                        + pid
                        + "; stop that process, or choose another folder with --data");
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new BlockException(
                    BlockError.EIO, "cannot unlock: folder=" + NameText.of(key), e);
        } finally {
            HELD_HERE.remove(key);
        }
    }
}
