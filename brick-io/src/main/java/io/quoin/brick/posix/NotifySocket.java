package io.quoin.brick.posix;

import java.nio.charset.StandardCharsets;

/**
 * Where a service manager wants to hear of the states of its service (sd_notify(3)).
 *
 * <p>Threading: thread-safe.
 */
public final class NotifySocket implements AutoCloseable {
    private final Descriptor descriptor;
    private final String name;

    private NotifySocket(Descriptor descriptor, String name) {
        this.descriptor = descriptor;
        this.name = name;
    }

    /**
     * Connects to it.
     *
     * @param name a path, or an abstract name behind {@code @}: what is in {@code NOTIFY_SOCKET}
     * @throws io.quoin.block.BlockException if there is none
     */
    public static NotifySocket open(String name) {
        byte[] address = UnixAddress.encode(name);
        Descriptor descriptor = Descriptor.datagramSocket();
        int result =
                descriptor.isOpen()
                        ? SystemCalls.connect(descriptor.fd(), address)
                        : -descriptor.errno();
        if (result < 0) {
            descriptor.close();
            throw Errno.exception("reach the service manager", "socket=" + name, -result);
        }
        return new NotifySocket(descriptor, name);
    }

    /**
     * Tells a state, as {@code READY=1}.
     *
     * @throws io.quoin.block.BlockException if it cannot be told now
     */
    public synchronized void send(String state) {
        byte[] message = state.getBytes(StandardCharsets.UTF_8);
        long sent = SystemCalls.send(descriptor.fd(), message);
        if (sent < 0) {
            throw Errno.exception("tell the service manager", "socket=" + name, (int) -sent);
        }
    }

    @Override
    public synchronized void close() {
        descriptor.close();
    }
}
