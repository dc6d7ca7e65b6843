package io.quoin.nbd.client;

import io.quoin.block.BlockError;
import io.quoin.block.IoRequest;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What is on the wire for a request: one command at a time, one after the other until the request
 * is done. Pooled.
 *
 * <p>Threading: confined(loop).
 */
final class ClientCommand {
    private @Nullable IoRequest request;

    /** How much of the request's range is done. */
    long doneBytes;

    /** Whether all is done but for a flush in place of FUA. */
    boolean isFlushing;

    int type;
    long offsetBytes;
    int lengthBytes;

    /** Its place in the table of those under way. */
    int slot;

    BlockError error = BlockError.OK;

    /** Content received of a READ. */
    long receivedBytes;

    /** Where a new request begins. */
    void begin(IoRequest newRequest) {
        request = newRequest;
        doneBytes = 0;
        isFlushing = false;
    }

    IoRequest request() {
        return Objects.requireNonNull(request, "command without a request");
    }

    /** Prepares the next command. */
    void next(int newType, long newOffsetBytes, int newLengthBytes) {
        type = newType;
        offsetBytes = newOffsetBytes;
        lengthBytes = newLengthBytes;
        error = BlockError.OK;
        receivedBytes = 0;
    }

    /** Forgets the request. */
    IoRequest end() {
        IoRequest ended = request();
        request = null;
        return ended;
    }
}
