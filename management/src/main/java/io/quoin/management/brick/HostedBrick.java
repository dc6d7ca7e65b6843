package io.quoin.management.brick;

import io.quoin.replicate.BrickIdentity;
import io.quoin.replicate.BrickProbe;
import io.quoin.replicate.BrickSpace;
import io.quoin.replicate.Reply;
import io.quoin.replicate.Request;
import io.quoin.replicate.store.BrickHost;
import io.quoin.replicate.wire.ServedBrick;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/**
 * A brick's files, as the wire serves them.
 *
 * <p>Threading: confined to the brick's loop.
 */
record HostedBrick(BrickHost host) implements ServedBrick {
    @Override
    public BrickIdentity identity() {
        return host.identity();
    }

    @Override
    public void receive(UUID file, Request request, Consumer<Reply> replies) {
        host.receive(file, request, replies);
    }

    @Override
    public CompletionStage<Void> delete(UUID file) {
        return host.delete(file);
    }

    @Override
    public CompletionStage<List<UUID>> list() {
        return host.list();
    }

    @Override
    public CompletionStage<BrickSpace> space() {
        return host.space();
    }

    @Override
    public CompletionStage<BrickProbe> probe(UUID file) {
        return host.probe(file);
    }
}
