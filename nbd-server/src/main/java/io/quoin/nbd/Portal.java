package io.quoin.nbd;

import io.quoin.nbd.transmission.MemoryBudget;
import java.util.HashMap;
import java.util.Map;

/**
 * An address that the server listens on, with what its clients have to themselves: places for
 * connections, of which no peer gets all, and memory. So clients of one address can't keep out, or
 * hold up, those of another.
 *
 * <p>Threading: thread-safe.
 */
final class Portal {
    private final String name;
    private final int connectionsMax;
    private final int perPeerMax;
    private final MemoryBudget memory;
    private final Map<String, Integer> byPeer = new HashMap<>();
    private int connections;

    Portal(String name, int connectionsMax, int perPeerMax, MemoryBudget memory) {
        this.name = name;
        this.connectionsMax = connectionsMax;
        this.perPeerMax = perPeerMax;
        this.memory = memory;
    }

    String name() {
        return name;
    }

    MemoryBudget memory() {
        return memory;
    }

    /** Takes a place; {@code false} if all are taken, or all that {@code peer} may have. */
    synchronized boolean admit(String peer) {
        int ofPeer = byPeer.getOrDefault(peer, 0);
        if (connections >= connectionsMax || ofPeer >= perPeerMax) {
            return false;
        }
        connections++;
        byPeer.put(peer, ofPeer + 1);
        return true;
    }

    /** Gives a place back. */
    synchronized void leave(String peer) {
        connections--;
        byPeer.computeIfPresent(peer, (name, count) -> count > 1 ? count - 1 : null);
    }
}
