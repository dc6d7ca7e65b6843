package io.quoin.nbd.peer;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;

/**
 * The one way into the log for what clients bring about. Each peer has some lines at once and then
 * one in a while, and so have all peers together; what is left out is counted in the next line of
 * that peer.
 *
 * <p>Threading: thread-safe.
 */
public final class PeerLog {
    private static final int PEER_LINES = 5;
    private static final long PEER_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final int ALL_LINES = 50;
    private static final long ALL_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** Peers that are remembered; the one heard of longest ago is forgotten first. */
    private static final int PEERS_MAX = 256;

    private final Logger log;
    private final LongSupplier nanoTime;
    private final int peerLines;
    private final LineRate all;
    private final Map<String, LineRate> peers = new LinkedHashMap<>(16, 0.75f, true);

    /**
     * @param nanoTime a clock for intervals
     */
    public PeerLog(Logger log, LongSupplier nanoTime) {
        this(log, nanoTime, PEER_LINES, ALL_LINES);
    }

    /**
     * @param peerLines how many lines each peer has at once
     * @param allLines how many all have at once
     */
    public PeerLog(Logger log, LongSupplier nanoTime, int peerLines, int allLines) {
        this.log = log;
        this.nanoTime = nanoTime;
        this.peerLines = peerLines;
        this.all = new LineRate(allLines, ALL_NANOS, nanoTime.getAsLong());
    }

    /**
     * Warns, unless there was too much of that peer already.
     *
     * @param peer which it is, by a name that the client did not choose
     * @param event what happened
     * @param details the rest of the line; whatever a client chose in it is {@link ClientText}
     */
    public void warn(String peer, String event, String details) {
        long leftOut = admit(peer);
        if (leftOut == 0) {
            log.warn("{}: peer={}, {}", event, peer, details);
        } else if (leftOut > 0) {
            log.warn("{}: peer={}, {}, left out before={}", event, peer, details, leftOut);
        }
    }

    /** As {@link #warn}, of what is as it should be. */
    public void info(String peer, String event, String details) {
        long leftOut = admit(peer);
        if (leftOut == 0) {
            log.info("{}: peer={}, {}", event, peer, details);
        } else if (leftOut > 0) {
            log.info("{}: peer={}, {}, left out before={}", event, peer, details, leftOut);
        }
    }

    /** How many lines were left out before this one; -1 if this one is left out too. */
    private synchronized long admit(String peer) {
        long now = nanoTime.getAsLong();
        LineRate rate =
                peers.computeIfAbsent(peer, name -> new LineRate(peerLines, PEER_NANOS, now));
        if (peers.size() > PEERS_MAX) {
            peers.remove(peers.keySet().iterator().next());
        }
        boolean mayTell = rate.mayTell(now);
        if (!all.mayTell(now) || !mayTell) {
            rate.leaveOut();
            return -1;
        }
        rate.tell();
        all.tell();
        return rate.takeLeftOut();
    }
}
