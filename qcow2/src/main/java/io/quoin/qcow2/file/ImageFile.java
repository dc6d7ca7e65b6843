package io.quoin.qcow2.file;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The file that holds an image, for blocking access.
 *
 * <p>Threading: confined to its user, but for reads.
 */
public interface ImageFile extends Closeable {
    /** Which file it is, for messages. */
    String name();

    long sizeBytes() throws IOException;

    /**
     * Fills {@code target} from {@code hostOffset} on; what lies beyond the end of the file becomes
     * zeros. Several threads may read at a time.
     */
    void read(long hostOffset, ByteBuffer target) throws IOException;

    /**
     * Reads pieces from several places, one behind the other into {@code target}: what it costs to
     * ask is paid once, where the file can do that.
     *
     * @param hostOffsets of the pieces, from index {@code from} up to {@code to}
     * @param pieceBytes of each; {@code target} has room for all
     */
    default void readEach(long[] hostOffsets, int from, int to, int pieceBytes, ByteBuffer target)
            throws IOException {
        int limit = target.limit();
        int first = from;
        while (first < to) {
            int end = endOfRun(hostOffsets, first, to, pieceBytes);
            target.limit(target.position() + (end - first) * pieceBytes);
            read(hostOffsets[first], target);
            first = end;
        }
        target.limit(limit);
    }

    /** Where the pieces from index {@code first} on stop following each other in the file. */
    static int endOfRun(long[] hostOffsets, int first, int to, int pieceBytes) {
        int end = first + 1;
        while (end < to && hostOffsets[end] == hostOffsets[end - 1] + pieceBytes) {
            end++;
        }
        return end;
    }

    /** Writes all of {@code source}; the file grows as needed. */
    void write(long hostOffset, ByteBuffer source) throws IOException;

    /** Everything that was written is stable afterwards. */
    void flush() throws IOException;

    /**
     * Cuts off what lies behind {@code sizeBytes}, durably; a shorter file stays as it is. Not
     * every file can.
     */
    default void truncate(long sizeBytes) throws IOException {
        throw new IOException("file cannot be cut: sizeBytes=" + sizeBytes);
    }
}
