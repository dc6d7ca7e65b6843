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

    /** Whether the block status has been told. */
    boolean isDescribed;

    private long coverage;

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
        isDescribed = false;
        coverage = 0;
    }

    /** Takes note of content for a part of the command's range; parts may come in any order. */
    void cover(long position, long partBytes) {
        coverage += scatter(position + partBytes) - scatter(position);
    }

    /**
     * Whether the parts cover the range, each byte once: then each but the last ends where another
     * begins, so all numbers but those of the two ends cancel. With a gap or an overlap they don't.
     */
    boolean isCovered() {
        return coverage == scatter(lengthBytes) - scatter(0);
    }

    /** A number for each position, so that sums and differences of some don't meet others. */
    private static long scatter(long position) {
        long mixed = (position ^ (position >>> 33)) * 0xff51afd7ed558ccdL;
        mixed = (mixed ^ (mixed >>> 33)) * 0xc4ceb9fe1a85ec53L;
        return mixed ^ (mixed >>> 33);
    }

    /** Forgets the request. */
    IoRequest end() {
        IoRequest ended = request();
        request = null;
        return ended;
    }
}
