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
