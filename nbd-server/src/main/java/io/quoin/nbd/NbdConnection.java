package io.quoin.nbd;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A connection at one moment, for a status display.
 *
 * <p>Threading: immutable.
 *
 * @param id counts up from 1 over the life of the server
 * @param peer the client's address; {@code unix} for a unix socket
 * @param pid the process at the other end of a unix socket; null for others
 * @param uid the user of that process; null for others
 * @param since when it was accepted
 * @param export the export that it opened; empty during the handshake
 * @param inFlight requests received and not yet answered
 * @param requests requests received so far
 */
public record NbdConnection(
        long id,
        String peer,
        @Nullable Integer pid,
        @Nullable Integer uid,
        Instant since,
        String export,
        int inFlight,
        long requests) {}
