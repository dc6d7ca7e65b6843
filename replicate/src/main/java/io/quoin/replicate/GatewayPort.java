package io.quoin.replicate;

/** What a gateway needs of its surroundings. */
public interface GatewayPort {
    /** Sends to a brick. A session's requests arrive in order; after a lost one none arrives. */
    void send(int brick, Request request);

    /** The clock, in nanoseconds; safety does not rest on it. */
    long nanoTime();

    /** Runs the task later, on the gateway's thread, never within the call. */
    void schedule(long delayNanos, Runnable task);

    /** A configuration has been committed. */
    void committed(Config config);

    /**
     * An open goes on from a configuration and a source.
     *
     * @param newest the newest configuration of a majority
     * @param source the brick that the others are made equal to
     * @param isSuspect whether the source may have lost unflushed writes: all in-sync members that
     *     answered have
     */
    void sourceChosen(Config newest, int source, boolean isSuspect);

    /** A block of the brick's copy was not what its checksum says, and is good again. */
    void repaired(int brick, long offsetBytes);

    /** The state has changed. */
    void entered(Gateway.State state);
}
