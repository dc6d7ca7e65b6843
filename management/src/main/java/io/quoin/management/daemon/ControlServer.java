package io.quoin.management.daemon;

import com.fasterxml.jackson.databind.node.ObjectNode;

import io.quoin.block.Reason;
import io.quoin.xlator.NameText;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiFunction;

/**
 * Takes commands on a unix socket that only its owner may open. A thread for each client: there are
 * few, and commands block.
 *
 * <p>Threading: thread-safe.
 */
final class ControlServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ControlServer.class);
    private static final int CLIENTS_MAX = 32;
    private static final int BACKLOG = 1 << 12;
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long END_SECONDS = 10;

    private final Path path;
    private final BiFunction<String, ObjectNode, Object> commands;
    private final ServerSocketChannel server;
    private final Set<Client> clients = ConcurrentHashMap.newKeySet();
    private final ExecutorService threads =
            Executors.newCachedThreadPool(
                    task -> {
                        Thread thread = new Thread(task, "quoin-control");
                        thread.setDaemon(true);
                        return thread;
                    });

    private ControlServer(
            Path path,
            BiFunction<String, ObjectNode, Object> commands,
            ServerSocketChannel server) {
        this.path = path;
        this.commands = commands;
        this.server = server;
    }

    static ControlServer start(Path path, BiFunction<String, ObjectNode, Object> commands) {
        SocketPath.clear(path);
        try {
            ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            SocketPath.reach(
                    path, reached -> server.bind(UnixDomainSocketAddress.of(reached), BACKLOG));
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
            ControlServer started = new ControlServer(path, commands, server);
            started.threads.execute(started::accept);
            return started;
        } catch (IOException e) {
            throw Reason.failure("cannot listen on the control socket", NameText.of(path), e);
        }
    }

    private void accept() {
        boolean isFailing = false;
        while (server.isOpen()) {
            try {
                SocketChannel channel = server.accept();
                isFailing = false;
                makeRoom();
                Client client = new Client(channel);
                clients.add(client);
                start(client);
            } catch (ClosedChannelException closed) {
                return;
            } catch (IOException e) {
                // No descriptors, for one. That passes.
                if (!isFailing) {
                    LOG.warn("Control socket cannot accept, trying again: reason={}", e.toString());
                }
                isFailing = true;
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
    }

    /** Where all places are taken, the client goes that has said nothing for the longest time. */
    private void makeRoom() throws IOException {
        if (clients.size() >= CLIENTS_MAX) {
            Client idlest = null;
            for (Client client : clients) {
                boolean isIdler = idlest == null || client.silentSince - idlest.silentSince < 0;
                if (client.isSilent && isIdler) {
                    idlest = client;
                }
            }
            if (idlest != null) {
                clients.remove(idlest);
                idlest.channel.close();
            }
        }
    }

    private void start(Client client) throws IOException {
        if (clients.size() > CLIENTS_MAX) {
            clients.remove(client);
            client.channel.close();
            return;
        }
        try {
            threads.execute(() -> serve(client));
        } catch (RejectedExecutionException closing) {
            clients.remove(client);
            client.channel.close();
        }
    }

    /** A client, and whether it has to send the next request or the rest of one. */
    private static final class Client {
        private final SocketChannel channel;
        private volatile boolean isSilent = true;
        private volatile long silentSince = System.nanoTime();

        Client(SocketChannel channel) {
            this.channel = channel;
        }

        void silent(boolean silent) {
            silentSince = System.nanoTime();
            isSilent = silent;
        }
    }

    private void serve(Client client) {
        try (SocketChannel channel = client.channel) {
            StringBuilder rest = new StringBuilder();
            String line = receive(channel, rest);
            while (line != null) {
                client.silent(false);
                ControlProtocol.send(channel, ControlProtocol.answer(line, commands));
                client.silent(true);
                line = receive(channel, rest);
            }
        } catch (IOException e) {
            LOG.debug("Control client gone", e);
        } finally {
            clients.remove(client);
        }
    }

    private static @org.jspecify.annotations.Nullable String receive(
            SocketChannel client, StringBuilder rest) throws IOException {
        return ControlProtocol.receive(client, rest, ControlProtocol.REQUEST_BYTES_MAX);
    }

    /** Takes no more commands; one that is being carried out ends first. */
    @Override
    public void close() {
        try {
            server.close();
            Files.deleteIfExists(path);
            for (Client client : clients) {
                client.channel.shutdownInput();
            }
            threads.shutdown();
            if (!threads.awaitTermination(END_SECONDS, TimeUnit.SECONDS)) {
                threads.shutdownNow();
            }
        } catch (IOException e) {
            LOG.warn("Control socket closed with an error: path={}", path, e);
        } catch (InterruptedException e) {
            threads.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }
}
