package io.quoin.replicate.store;

import io.quoin.replicate.Brick;
import io.quoin.replicate.BrickMetadata;
import io.quoin.replicate.Reply;
import io.quoin.replicate.Request;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A file of the brick that a gateway has asked for: its state machine, and where answers go.
 *
 * <p>Threading: confined(loop).
 */
final class HostedFile {
    /** Gateways that answers are kept for: the one that is served, and some that are fenced. */
    private static final int GATEWAYS_MAX = 16;

    final StoredFile store;
    private final Map<Long, Consumer<Reply>> gateways =
            new LinkedHashMap<>(GATEWAYS_MAX, 0.75f, true) {
                @Override
                protected boolean removeEldestEntry(Map.Entry<Long, Consumer<Reply>> eldest) {
                    return size() > GATEWAYS_MAX;
                }
            };
    private @Nullable List<Request> waiting = new ArrayList<>();
    private @Nullable Brick brick;
    private long heardNanos;

    HostedFile(StoredFile store) {
        this.store = store;
    }

    /** The file is there; false: it cannot be used, and is never answered for. */
    void opened(boolean isUsable, Starter starter, BrickMetadata metadata) {
        List<Request> ready = waiting == null ? List.of() : waiting;
        waiting = null;
        if (isUsable) {
            Brick started = starter.start(metadata, store, this::reply);
            brick = started;
            ready.forEach(started::receive);
        }
    }

    /** Makes the state machine. */
    interface Starter {
        Brick start(
                BrickMetadata metadata,
                StoredFile store,
                java.util.function.BiConsumer<Long, Reply> port);
    }

    private void reply(long gateway, Reply reply) {
        Consumer<Reply> to = gateways.get(gateway);
        if (to != null) {
            to.accept(reply);
        }
    }

    void receive(Request request, Consumer<Reply> replies, long nowNanos) {
        heardNanos = nowNanos;
        gateways.put(request.gateway(), replies);
        List<Request> held = waiting;
        Brick started = brick;
        if (held != null) {
            held.add(request);
        } else if (started != null) {
            started.receive(request);
        }
    }

    long heardNanos() {
        return heardNanos;
    }
}
