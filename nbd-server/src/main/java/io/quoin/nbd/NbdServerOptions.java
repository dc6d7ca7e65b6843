package io.quoin.nbd;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.time.Duration;

/**
 * The limits of the server.
 *
 * @param connectionsMax connections at once; more are closed right after they were accepted
 * @param handshakeTimeout a client that has not finished the handshake by then is dropped
 * @param shutdownTimeout how long {@link NbdServer#close} waits for clients to take their answers
 * @param requestsInFlightMax requests of one connection that are received and not yet answered;
 *     beyond, its socket is not read
 * @param bytesInFlightMax payload of these requests and of answers that the client has not taken
 *     yet, in bytes; a single request may exceed it
 * @param memoryBytesMax payload memory of all connections together, in bytes; connections wait for
 *     it, except for a small share that each may use at any time
 * @param socketMode permissions of unix sockets, for example 0600
 *     <p>Threading: immutable.
 */
public record NbdServerOptions(
        int connectionsMax,
        Duration handshakeTimeout,
        Duration shutdownTimeout,
        int requestsInFlightMax,
        long bytesInFlightMax,
        long memoryBytesMax,
        int socketMode) {
    private static final int MIB = 1 << 20;

    public NbdServerOptions {
        check(connectionsMax > 0, "connectionsMax", "a positive number", connectionsMax);
        check(isPositive(handshakeTimeout), "handshakeTimeout", "a time", handshakeTimeout);
        check(isPositive(shutdownTimeout), "shutdownTimeout", "a time", shutdownTimeout);
        check(
                requestsInFlightMax > 0,
                "requestsInFlightMax",
                "a positive number",
                requestsInFlightMax);
        check(bytesInFlightMax >= MIB, "bytesInFlightMax", "at least 1 MiB", bytesInFlightMax);
        check(
                memoryBytesMax >= 64 * MIB,
                "memoryBytesMax",
                "at least 64 MiB, the largest request",
                memoryBytesMax);
        check((socketMode & ~0777) == 0, "socketMode", "permissions", socketMode);
    }

    public static NbdServerOptions defaults() {
        return new NbdServerOptions(
                100, Duration.ofSeconds(10), Duration.ofSeconds(10), 256, 8 * MIB, 256 * MIB, 0600);
    }

    public NbdServerOptions withConnectionsMax(int value) {
        return new NbdServerOptions(
                value,
                handshakeTimeout,
                shutdownTimeout,
                requestsInFlightMax,
                bytesInFlightMax,
                memoryBytesMax,
                socketMode);
    }

    public NbdServerOptions withTimeouts(Duration handshake, Duration shutdown) {
        return new NbdServerOptions(
                connectionsMax,
                handshake,
                shutdown,
                requestsInFlightMax,
                bytesInFlightMax,
                memoryBytesMax,
                socketMode);
    }

    public NbdServerOptions withInFlightMax(int requests, long bytes, long memoryBytes) {
        return new NbdServerOptions(
                connectionsMax,
                handshakeTimeout,
                shutdownTimeout,
                requests,
                bytes,
                memoryBytes,
                socketMode);
    }

    public NbdServerOptions withSocketMode(int mode) {
        return new NbdServerOptions(
                connectionsMax,
                handshakeTimeout,
                shutdownTimeout,
                requestsInFlightMax,
                bytesInFlightMax,
                memoryBytesMax,
                mode);
    }

    private static boolean isPositive(Duration duration) {
        return !duration.isNegative() && !duration.isZero();
    }

    private static void check(boolean holds, String name, String expected, Object actual) {
        if (!holds) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "NBD server option: name="
                            + name
                            + ", expected="
                            + expected
                            + ", actual="
                            + actual);
        }
    }
}
