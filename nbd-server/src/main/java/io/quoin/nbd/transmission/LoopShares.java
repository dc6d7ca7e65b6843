package io.quoin.nbd.transmission;

import io.quoin.xlator.loop.Loop;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The {@link LoopShare} of each loop of a server.
 *
 * <p>Threading: thread-safe.
 */
public final class LoopShares {
    private final Map<Loop, LoopShare> shares = new ConcurrentHashMap<>();

    LoopShare of(Loop loop) {
        return shares.computeIfAbsent(loop, LoopShare::new);
    }
}
