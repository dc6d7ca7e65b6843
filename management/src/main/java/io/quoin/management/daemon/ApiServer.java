package io.quoin.management.daemon;

import io.quoin.management.http.HttpAnswer;
import io.quoin.management.http.HttpCall;
import io.quoin.management.http.HttpConnection;
import io.quoin.management.http.HttpService;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves the API where a listener takes clients in. A thread for each client: there are few, and
 * operations block.
 *
 * <p>Threading: thread-safe.
 */
final class ApiServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ApiServer.class);
    private static final int CLIENTS_MAX = 32;
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long END_SECONDS = 10;

    private final ApiListener listener;
    private final HttpService service;
    private final Set<Client> clients = ConcurrentHashMap.newKeySet();
    private final ExecutorService threads =
            Executors.newCachedThreadPool(
                    task -> {
                        Thread thread = new Thread(task, "quoin-api");
                        thread.setDaemon(true);
                        return thread;
                    });

    private ApiServer(ApiListener listener, HttpService service) {
        this.listener = listener;
        this.service = service;
    }

    static ApiServer start(ApiListener listener, HttpService service) {
        ApiServer started = new ApiServer(listener, service);
        started.threads.execute(started::accept);
        return started;
    }

    private void accept() {
        boolean isFailing = false;
        while (listener.isOpen()) {
            try {
                ApiListener.Accepted accepted = listener.accept();
                isFailing = false;
                makeRoom();
                Client client = new Client(accepted);
                clients.add(client);
                start(client);
            } catch (ClosedChannelException closed) {
                return;
            } catch (IOException e) {
                // No descriptors, for one. That passes.
                if (!isFailing) {
                    LOG.warn(
                            "API cannot accept, trying again: listener={}, reason={}",
                            listener.text(),
                            e.toString());
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
                idlest.accepted.close();
            }
        }
    }

    private void start(Client client) throws IOException {
        if (clients.size() > CLIENTS_MAX) {
            clients.remove(client);
            client.accepted.close();
            return;
        }
        try {
            threads.execute(() -> serve(client));
        } catch (RejectedExecutionException closing) {
            clients.remove(client);
            client.accepted.close();
        }
    }

    /** A client, and whether it has to send the next request or the rest of one. */
    private static final class Client {
        private final ApiListener.Accepted accepted;
        private volatile boolean isSilent = true;
        private volatile long silentSince = System.nanoTime();

        Client(ApiListener.Accepted accepted) {
            this.accepted = accepted;
        }

        void silent(boolean silent) {
            silentSince = System.nanoTime();
            isSilent = silent;
        }
    }

    private void serve(Client client) {
        try (ApiListener.Accepted accepted = client.accepted;
                HttpConnection connection = new HttpConnection(accepted.in(), accepted.out())) {
            HttpCall call = connection.receive();
            while (call != null) {
                client.silent(false);
                HttpAnswer answer = service.answer(call);
                boolean goesOn = call.keepsAlive() && !answer.endsConnection();
                connection.send(answer, goesOn);
                client.silent(true);
                call = goesOn ? connection.receive() : null;
            }
        } catch (IOException e) {
            LOG.debug("API client gone", e);
        } finally {
            clients.remove(client);
        }
    }

    /** Takes no more commands; one that is being carried out ends first. */
    @Override
    public void close() {
        try {
            listener.close();
            for (Client client : clients) {
                client.accepted.endInput();
            }
            threads.shutdown();
            if (!threads.awaitTermination(END_SECONDS, TimeUnit.SECONDS)) {
                threads.shutdownNow();
            }
        } catch (IOException e) {
            LOG.warn("API closed with an error: listener={}", listener.text(), e);
        } catch (InterruptedException e) {
            threads.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }
}
