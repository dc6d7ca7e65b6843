package io.quoin.management.assemble;

import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.brick.posix.DurableFile;
import io.quoin.brick.posix.PrivateFolder;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.LongConsumer;

/**
 * Writes assembled files into a folder, sparse, each under its name once it is whole and durable.
 *
 * <p>Threading: confined to its thread; blocks.
 */
public final class AssembledCopy {
    private static final int READ_BYTES = 1 << 20;
    private static final int PIECE_BYTES = 64 << 10;
    private static final String UNFINISHED = ".unfinished";

    private final Path folder;

    /**
     * @param folder made where it is missing
     */
    public AssembledCopy(Path folder) {
        this.folder = folder;
        PrivateFolder.make(folder);
    }

    /** Whether there is anything of that name. */
    public boolean isThere(String name) {
        return Files.exists(place(name), LinkOption.NOFOLLOW_LINKS);
    }

    private Path place(String name) {
        return folder.resolve(NameText.path(name));
    }

    /**
     * Copies a file.
     *
     * @param progress is told how many more bytes of the file are done
     * @throws BlockException EEXIST if there is anything of that name; EIO if the file cannot be
     *     read: nothing of it is left
     */
    public void copy(Assembly assembly, String name, LongConsumer progress) {
        Path whole = place(name + UNFINISHED);
        DurableFile.create(whole, new byte[0]);
        boolean isDone = false;
        try (SourceFile source = assembly.open(name);
                FileChannel target = FileChannel.open(whole, StandardOpenOption.WRITE)) {
            copy(source, target, progress);
            DurableFile.place(whole, place(name), () -> {});
            isDone = true;
        } catch (IOException e) {
            throw Reason.failure("cannot write the file", NameText.of(whole), e);
        } finally {
            if (!isDone) {
                DurableFile.remove(whole);
            }
        }
    }

    private static void copy(SourceFile source, FileChannel target, LongConsumer progress)
            throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(READ_BYTES);
        ByteBuffer zeros = ByteBuffer.allocateDirect(PIECE_BYTES);
        long sizeBytes = source.sizeBytes();
        for (long at = 0; at < sizeBytes; at += READ_BYTES) {
            int length = (int) Math.min(READ_BYTES, sizeBytes - at);
            buffer.clear().limit(length);
            source.read(at, buffer);
            for (int from = 0; from < length; from += PIECE_BYTES) {
                int end = Math.min(length, from + PIECE_BYTES);
                ByteBuffer piece = buffer.duplicate().position(from).limit(end);
                if (!piece.equals(zeros.duplicate().limit(end - from))) {
                    write(target, piece, at + from);
                }
            }
            progress.accept(length);
        }
        if (target.size() < sizeBytes) {
            write(target, ByteBuffer.allocate(1), sizeBytes - 1);
        }
    }

    private static void write(FileChannel target, ByteBuffer piece, long offsetBytes)
            throws IOException {
        long at = offsetBytes;
        while (piece.hasRemaining()) {
            at += target.write(piece, at);
        }
    }
}
