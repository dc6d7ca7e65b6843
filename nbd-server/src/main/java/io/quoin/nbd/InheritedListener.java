package io.quoin.nbd;

import java.net.SocketAddress;
import java.nio.file.Path;

/**
 * A unix socket that listens already, since the process that started this one has made it. The
 * server takes clients in there and closes it at its end; its file is left alone.
 *
 * <p>Threading: immutable.
 */
public final class InheritedListener extends SocketAddress {
    private static final long serialVersionUID = 1;

    private final int descriptor;
    private final transient Path path;

    /**
     * @param descriptor of a listening unix stream socket whose calls do not wait
     * @param path where it is
     */
    public InheritedListener(int descriptor, Path path) {
        this.descriptor = descriptor;
        this.path = path;
    }

    int descriptor() {
        return descriptor;
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
