package io.quoin.nbd;

/**
 * A connection at one moment, for a status display.
 *
 * <p>Threading: immutable.
 *
 * @param id counts up from 1 over the life of the server
 * @param peer the client's address; {@code unix} for a unix socket
 * @param export the export that it opened; empty during the handshake
 * @param inFlight requests received and not yet answered
 * @param requests requests received so far
 */
public record NbdConnection(long id, String peer, String export, int inFlight, long requests) {}
