package io.quoin.management.e2e;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * TCP between a gateway and a brick, of which each direction can be cut: what is sent that way
 * stays where it is, the end of the connection too, and arrives once the direction is open again.
 */
final class CutProxy implements AutoCloseable {
    /** Which way bytes go. */
    enum Direction {
        TO_BRICK,
        FROM_BRICK
    }

    private static final int BUFFER_BYTES = 64 << 10;
    private static final int CONNECT_MILLIS = 1000;

    private final ServerSocket server;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final Set<Direction> cut = ConcurrentHashMap.newKeySet();
    private final ExecutorService threads =
            Executors.newCachedThreadPool(
                    task -> {
                        Thread thread = new Thread(task, "cut-proxy");
                        thread.setDaemon(true);
                        return thread;
                    });
    private volatile int target;

    CutProxy() throws IOException {
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        threads.execute(this::accept);
    }

    int port() {
        return server.getLocalPort();
    }

    /** Where new connections go. */
    void setTarget(int port) {
        target = port;
    }

    void cut(Direction direction) {
        cut.add(direction);
    }

    /** Opens both directions. */
    void join() {
        synchronized (cut) {
            cut.clear();
            cut.notifyAll();
        }
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                connect(server.accept());
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void connect(Socket gateway) throws IOException {
        Socket brick = new Socket();
        sockets.add(gateway);
        sockets.add(brick);
        try {
            gateway.setTcpNoDelay(true);
            brick.setTcpNoDelay(true);
            brick.connect(
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), target),
                    CONNECT_MILLIS);
            threads.execute(() -> forward(gateway, brick, Direction.TO_BRICK));
            threads.execute(() -> forward(brick, gateway, Direction.FROM_BRICK));
        } catch (IOException isDown) {
            end(gateway);
            end(brick);
        }
    }

    private void forward(Socket from, Socket to, Direction direction) {
        byte[] buffer = new byte[BUFFER_BYTES];
        try {
            InputStream input = from.getInputStream();
            int length = input.read(buffer);
            while (length >= 0) {
                awaitOpen(direction);
                to.getOutputStream().write(buffer, 0, length);
                length = input.read(buffer);
            }
            awaitOpen(direction);
            to.shutdownOutput();
        } catch (IOException ended) {
            endLater(from, to, direction);
        } catch (InterruptedException closing) {
            Thread.currentThread().interrupt();
        }
    }

    /** A reset of one end is no news to the other while it cannot be told. */
    private void endLater(Socket from, Socket to, Direction direction) {
        end(from);
        try {
            awaitOpen(direction);
        } catch (InterruptedException closing) {
            Thread.currentThread().interrupt();
        }
        end(to);
    }

    private void awaitOpen(Direction direction) throws InterruptedException {
        synchronized (cut) {
            while (cut.contains(direction)) {
                cut.wait();
            }
        }
    }

    private void end(Socket socket) {
        sockets.remove(socket);
        try {
            socket.close();
        } catch (IOException ignored) {
            // It has no more to say.
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        threads.shutdownNow();
        sockets.forEach(this::end);
    }
}
