package io.quoin.replicate.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.replicate.BrickIdentity;
import io.quoin.replicate.BrickLink;
import io.quoin.replicate.BrickProbe;
import io.quoin.replicate.BrickSpace;
import io.quoin.replicate.Reply;
import io.quoin.replicate.Request;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.Xlator;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One brick that several processes reach, each by a connection that can be cut. */
final class SharedLink implements BrickLink.Listener {
    private static final int USES_MAX = 2;

    private final BrickLink below;
    private final Xlator node;
    private final List<Use> uses = new ArrayList<>();
    private @Nullable BrickIdentity identity;

    SharedLink(Xlator node) {
        this.node = node;
        this.below = node.extension(BrickLink.class).orElseThrow();
        below.open(this);
    }

    /** A node for one more process. */
    Xlator use() {
        Use use = new Use(uses.size());
        uses.add(use);
        return new PassThroughXlator("use" + uses.size(), "test/shared", node) {
            @Override
            public <T> Optional<T> extension(Class<T> type) {
                return type == BrickLink.class
                        ? Optional.of(type.cast(use))
                        : super.extension(type);
            }
        };
    }

    /** Nothing comes through any more, and no one is told. */
    void cut(int use) {
        uses.get(use).isCut = true;
    }

    /** The connection ends for good. */
    void lose(int use) {
        Use lost = uses.get(use);
        lost.isCut = true;
        if (lost.listener != null) {
            lost.listener.disconnected("lost");
        }
    }

    /** All connections are made anew. */
    void heal() {
        for (Use use : uses) {
            if (use.isCut && use.listener != null) {
                use.isCut = false;
                use.listener.disconnected("was cut");
                use.tell();
            }
        }
    }

    @Override
    public void connected(BrickIdentity found) {
        identity = found;
        uses.forEach(Use::tell);
    }

    @Override
    public void disconnected(String reason) {
        throw new AssertionError("brick lost: " + reason);
    }

    /** Sessions are numbered apart on the brick's side, so that each gets its own answers. */
    @Override
    public void received(UUID file, Reply reply) {
        Use use = uses.get((int) (reply.session() % USES_MAX));
        if (!use.isCut && use.listener != null) {
            long session = reply.session() / USES_MAX;
            use.listener.received(
                    file, new Reply(reply.brick(), session, reply.id(), reply.result()));
        }
    }

    private final class Use implements BrickLink {
        private final int number;
        private @Nullable Listener listener;
        private boolean isCut;

        Use(int number) {
            this.number = number;
        }

        void tell() {
            if (identity != null && listener != null) {
                listener.connected(identity);
            }
        }

        @Override
        public void open(Listener newListener) {
            listener = newListener;
            tell();
        }

        @Override
        public void send(UUID file, Request request) {
            if (!isCut) {
                below.send(
                        file,
                        new Request(
                                request.gateway(),
                                request.epoch(),
                                request.session() * USES_MAX + number,
                                request.id(),
                                request.operation()));
            }
        }

        @Override
        public CompletionStage<Void> delete(UUID file) {
            return call(() -> below.delete(file));
        }

        @Override
        public CompletionStage<List<UUID>> list() {
            return call(below::list);
        }

        @Override
        public CompletionStage<BrickSpace> space() {
            return call(below::space);
        }

        @Override
        public CompletionStage<BrickProbe> probe(UUID file) {
            return call(() -> below.probe(file));
        }

        private <T> CompletionStage<T> call(Supplier<CompletionStage<T>> call) {
            return isCut
                    ? CompletableFuture.failedFuture(new BlockException(BlockError.ENOTCONN, "cut"))
                    : call.get();
        }

        @Override
        public String address() {
            return "shared";
        }

        @Override
        public @Nullable String failure() {
            return isCut ? "cut" : null;
        }

        @Override
        public void close() {
            isCut = true;
        }
    }
}
