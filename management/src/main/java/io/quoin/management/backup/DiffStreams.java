package io.quoin.management.backup;

import io.quoin.backup.BackupEvents;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.brick.posix.DurableFile;
import io.quoin.xlator.NameText;
import io.quoin.xlator.UnfinishedNames;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Where streams of differences come from and go to: a file, or a unix socket that the client
 * listens on.
 *
 * <p>Threading: thread-safe.
 */
public final class DiffStreams {
    private static final int BUFFER_BYTES = 256 << 10;
    private static final int TYPE_MASK = 0xf000;
    private static final int SOCKET = 0xc000;
    private static final int REGULAR = 0x8000;
    private static final AtomicInteger NUMBER = new AtomicInteger();

    private DiffStreams() {}

    /** What is written to a stream. */
    public interface Writing<T> {
        T to(OutputStream out);
    }

    /** What is read from a stream. */
    public interface Reading<T> {
        T from(InputStream in);
    }

    /** Whether it is a file, which can be read again. */
    public static boolean isFile(Path path) {
        return type(path) == REGULAR;
    }

    /** 0: there is nothing. */
    private static int type(Path path) {
        try {
            return (Integer) Files.getAttribute(path, "unix:mode") & TYPE_MASK;
        } catch (NoSuchFileException e) {
            return 0;
        } catch (IOException e) {
            throw failure("stream cannot be looked at", path, e);
        }
    }

    private static BlockException failure(String what, Path path, IOException e) {
        return Reason.failure(what, NameText.of(path), e);
    }

    /**
     * Refuses a path that no stream can be written to.
     *
     * @param replacing whether a file that is there is replaced
     * @throws BlockException EEXIST, EINVAL
     */
    public static void requireWritable(Path path, boolean replacing) {
        int type = type(path);
        boolean isFree = type == 0 && !Files.exists(path, LinkOption.NOFOLLOW_LINKS);
        if (isFree || type == SOCKET) {
            return;
        }
        if (type != REGULAR) {
            throw notOne(path);
        }
        if (!replacing) {
            throw new BlockException(
                    BlockError.EEXIST,
                    "file exists already, and is not replaced without force: path="
                            + NameText.of(path));
        }
    }

    /**
     * Refuses a path that no stream can be read from.
     *
     * @throws BlockException ENOENT, EINVAL
     */
    public static void requireReadable(Path path) {
        int type = type(path);
        if (type == 0) {
            throw new BlockException(BlockError.ENOENT, "no such file: path=" + NameText.of(path));
        }
        if (type != REGULAR && type != SOCKET) {
            throw notOne(path);
        }
    }

    private static BlockException notOne(Path path) {
        return new BlockException(
                BlockError.EINVAL,
                "neither a file nor a socket that listens: path=" + NameText.of(path));
    }

    /**
     * Writes a stream. A file has its name when it is whole and durable, and is for its owner
     * alone; else nothing stays of it.
     */
    public static <T> T write(
            Path path, boolean replacing, BackupEvents events, Writing<T> writing) {
        requireWritable(path, replacing);
        return type(path) == SOCKET
                ? writeToSocket(path, events, writing)
                : writeToFile(path, replacing, writing);
    }

    private static <T> T writeToSocket(Path path, BackupEvents events, Writing<T> writing) {
        try (StreamSocket socket = StreamSocket.connect(path, events)) {
            return writing.to(new BufferedOutputStream(socket.out(), BUFFER_BYTES));
        } catch (IOException e) {
            throw failure("socket cannot be written to", path, e);
        }
    }

    private static <T> T writeToFile(Path path, boolean replacing, Writing<T> writing) {
        Path unfinished =
                path.resolveSibling(UnfinishedNames.of("diff-" + NUMBER.incrementAndGet()));
        try {
            return writeToFile(path, unfinished, replacing, writing);
        } catch (IOException e) {
            throw failure("file cannot be written", path, e);
        }
    }

    private static <T> T writeToFile(
            Path path, Path unfinished, boolean replacing, Writing<T> writing) throws IOException {
        OutputStream created = create(unfinished);
        try {
            T written;
            try (OutputStream out = created) {
                written = writing.to(out);
            }
            if (replacing) {
                DurableFile.replace(unfinished, path, () -> {});
            } else {
                DurableFile.place(unfinished, path, () -> {});
            }
            return written;
        } catch (IOException | RuntimeException | Error e) {
            DurableFile.remove(unfinished);
            throw e;
        }
    }

    private static OutputStream create(Path file) throws IOException {
        return new BufferedOutputStream(
                Channels.newOutputStream(
                        Files.newByteChannel(
                                file,
                                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                                PosixFilePermissions.asFileAttribute(
                                        PosixFilePermissions.fromString("rw-------")))),
                BUFFER_BYTES);
    }

    /** Reads a stream. */
    public static <T> T read(Path path, BackupEvents events, Reading<T> reading) {
        requireReadable(path);
        try {
            if (type(path) == SOCKET) {
                try (StreamSocket socket = StreamSocket.connect(path, events)) {
                    return reading.from(new BufferedInputStream(socket.in(), BUFFER_BYTES));
                }
            }
            try (InputStream in =
                    new BufferedInputStream(Files.newInputStream(path), BUFFER_BYTES)) {
                return reading.from(in);
            }
        } catch (IOException e) {
            throw failure("stream cannot be read", path, e);
        }
    }
}
