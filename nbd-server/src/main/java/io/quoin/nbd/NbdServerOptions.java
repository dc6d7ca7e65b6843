package io.quoin.nbd;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The limits of the server.
 *
 * <p>Threading: immutable.
 *
 * @param connectionsMax connections at once at each address that is listened on; more are closed
 *     right after they were accepted
 * @param connectionsPerPeerMax how many of these one peer may have: a TCP address, or a process at
 *     the other end of a unix socket
 * @param handshakeTimeout a client that has not finished the handshake by then is dropped
 * @param stallTimeout a client that has sent a part of a request and then nothing for so long is
 *     dropped, and one that takes none of its answers for so long, if others wait for the memory
 * @param shutdownTimeout how long {@link NbdServer#close} waits for clients to take their answers
 * @param requestsInFlightMax requests of one connection that are received and not yet answered;
 *     beyond, its socket is not read
 * @param bytesInFlightMax payload of these requests and of answers that the client has not taken
 *     yet, in bytes; a single request may exceed it
 * @param memoryBytesMax payload memory of all connections together, in bytes; each address that is
 *     listened on has an equal part. Connections wait for it, except for a small share that each
 *     may use at any time
 * @param socketMode permissions of unix sockets, for example 0600
 * @param socketGroup the group that unix sockets belong to; null for that of the process
 */
public record NbdServerOptions(
        int connectionsMax,
        int connectionsPerPeerMax,
        Duration handshakeTimeout,
        Duration stallTimeout,
        Duration shutdownTimeout,
        int requestsInFlightMax,
        long bytesInFlightMax,
        long memoryBytesMax,
        int socketMode,
        @Nullable String socketGroup) {
    /** What {@code connectionsMax} is by default. */
    public static final int CONNECTIONS_MAX = 200;

    private static final int MIB = 1 << 20;

    public NbdServerOptions {
        check(connectionsMax > 0, "connectionsMax", "a positive number", connectionsMax);
        check(
                connectionsPerPeerMax > 0 && connectionsPerPeerMax <= connectionsMax,
                "connectionsPerPeerMax",
                "1 to connectionsMax",
                connectionsPerPeerMax);
        check(isPositive(stallTimeout), "stallTimeout", "a time", stallTimeout);
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
                CONNECTIONS_MAX,
                perPeer(CONNECTIONS_MAX),
                Duration.ofSeconds(10),
                Duration.ofSeconds(20),
                Duration.ofSeconds(10),
                256,
                8 * MIB,
                256 * MIB,
                0600,
                null);
    }

    /** What one peer gets of so many places, so that others always find some: three quarters. */
    public static int perPeer(int connectionsMax) {
        return Math.max(1, connectionsMax - connectionsMax / 4);
    }

    public NbdServerOptions withConnectionsMax(int max, int perPeerMax) {
        return new NbdServerOptions(
                max,
                perPeerMax,
                handshakeTimeout,
                stallTimeout,
                shutdownTimeout,
                requestsInFlightMax,
                bytesInFlightMax,
                memoryBytesMax,
                socketMode,
                socketGroup);
    }

    public NbdServerOptions withTimeouts(Duration handshake, Duration stall, Duration shutdown) {
        return new NbdServerOptions(
                connectionsMax,
                connectionsPerPeerMax,
                handshake,
                stall,
                shutdown,
                requestsInFlightMax,
                bytesInFlightMax,
                memoryBytesMax,
                socketMode,
                socketGroup);
    }

    public NbdServerOptions withInFlightMax(int requests, long bytes, long memoryBytes) {
        return new NbdServerOptions(
                connectionsMax,
                connectionsPerPeerMax,
                handshakeTimeout,
                stallTimeout,
                shutdownTimeout,
                requests,
                bytes,
                memoryBytes,
                socketMode,
                socketGroup);
    }

    /** Who may open unix sockets. */
    public NbdServerOptions withSocketAccess(int mode, @Nullable String group) {
        return new NbdServerOptions(
                connectionsMax,
                connectionsPerPeerMax,
                handshakeTimeout,
                stallTimeout,
                shutdownTimeout,
                requestsInFlightMax,
                bytesInFlightMax,
                memoryBytesMax,
                mode,
                group);
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
