package io.quoin.management.daemon;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;

/**
 * Where clients of the API come in.
 *
 * <p>Threading: thread-safe; {@link #accept} blocks.
 */
interface ApiListener extends Closeable {
    /** What it is, for messages. */
    String text();

    boolean isOpen();

    /**
     * The next client.
     *
     * @throws java.nio.channels.ClosedChannelException once it is closed
     */
    Accepted accept() throws IOException;

    /** A client's connection. */
    interface Accepted extends Closeable {
        ReadableByteChannel in();

        WritableByteChannel out();

        /** Has the client seem to say nothing more; what was asked for is still answered. */
        void endInput() throws IOException;
    }
}
