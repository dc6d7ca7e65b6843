package io.quoin.nbd.transmission;

import io.netty.buffer.ByteBuf;
import io.quoin.block.BlockStatus;
import io.quoin.block.ExtentList;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A part of a READ, with its memory: room for a reply's header, then the data, so that a reply is
 * one buffer. Pooled by its connection.
 *
 * <p>Threading: confined(loop).
 */
final class ReadPiece {
    private static final int EXTENTS_MAX = 256;

    final ExtentList extents = new ExtentList(EXTENTS_MAX);
    private @Nullable Command command;
    private @Nullable ByteBuf buffer;
    int headerBytes;
    int lengthBytes;
    long offsetBytes;

    void begin(Command newCommand, ByteBuf newBuffer, int newHeaderBytes, int newLengthBytes) {
        command = newCommand;
        buffer = newBuffer;
        headerBytes = newHeaderBytes;
        lengthBytes = newLengthBytes;
        offsetBytes = newCommand.offsetBytes + newCommand.nextBytes;
        extents.clear();
    }

    Command command() {
        return Objects.requireNonNull(command, "read piece without a command");
    }

    ByteBuf buffer() {
        return Objects.requireNonNull(buffer, "read piece without memory");
    }

    /** Hands the memory, and the duty to release it, to the caller. */
    ByteBuf takeBuffer() {
        ByteBuf taken = buffer();
        buffer = null;
        return taken;
    }

    /** Whether the device said that some of it reads as zeros, and left that unfilled. */
    boolean hasZeros() {
        for (int i = 0; i < extents.count(); i++) {
            if ((extents.status(i) & BlockStatus.ZERO) != 0) {
                return true;
            }
        }
        return false;
    }

    void end() {
        command = null;
        if (buffer != null) {
            buffer.release();
            buffer = null;
        }
    }
}
