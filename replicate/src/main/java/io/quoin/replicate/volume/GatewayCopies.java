package io.quoin.replicate.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.replicate.Completion;
import io.quoin.replicate.Config;
import io.quoin.replicate.Gateway;
import io.quoin.replicate.GatewayPort;
import io.quoin.replicate.Geometry;
import io.quoin.replicate.Health;
import io.quoin.replicate.Payload;
import io.quoin.replicate.Reply;
import io.quoin.replicate.Request;
import io.quoin.replicate.Timing;
import io.quoin.xlator.loop.Loop;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * The copies of one file behind a gateway of the protocol: its clock, its timers and its links.
 * While it has nothing to say it asks each brick every three seconds whether its session is still
 * the newest: so bricks know that the file is attended, and it learns that another has taken over.
 *
 * <p>Threading: confined(loop), the file's; links tell on loops of their own.
 */
final class GatewayCopies implements Copies, Links.User {
    private static final Logger LOG = LoggerFactory.getLogger(GatewayCopies.class);
    private static final long ALIVE_NANOS = TimeUnit.SECONDS.toNanos(3);

    /** How long an open waits for promises before it is given up. */
    private static final long PROMISES_NANOS = TimeUnit.SECONDS.toNanos(30);

    /** How long a close waits while too few bricks can be reached. */
    private static final long CLOSE_NANOS = TimeUnit.SECONDS.toNanos(12);

    private static final long CLOSE_LOOK_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final UUID file;
    private final String fileName;
    private final long id;
    private final long epoch;
    private final Links links;
    private final Loop loop;
    private final Gateway gateway;
    private final CompletableFuture<Void> opened = new CompletableFuture<>();
    private final CompletableFuture<Void> lost = new CompletableFuture<>();
    private final CompletableFuture<Void> closed = new CompletableFuture<>();
    private final long[] sessions;
    private final long[] sentNanos;

    /** What the log has said; all of them need not be said. */
    private Set<Integer> inSync;

    private long beganNanos;
    private long reachedNanos;
    private boolean isClosing;
    private boolean isEnded;
    private volatile long sizeBytes;

    /**
     * @param fileName for messages
     * @param id of the gateway: no other has it
     */
    GatewayCopies(UUID file, String fileName, long id, long epoch, Links links, Loop loop) {
        this.file = file;
        this.fileName = fileName;
        this.id = id;
        this.epoch = epoch;
        this.links = links;
        this.loop = loop;
        this.sessions = new long[links.layout().voters()];
        this.sentNanos = new long[links.layout().voters()];
        this.inSync = Config.initial(links.layout()).isr().keySet();
        this.gateway =
                new Gateway(
                        id, epoch, links.layout(), Geometry.DEFAULT, Timing.DEFAULT, new Port());
    }

    /**
     * Opens the copies. Called once. Fails with EBADE if another gateway has been faster, with
     * ENOTCONN if too few bricks can be reached.
     *
     * @param isNew whether no gateway has ever had the file
     */
    CompletionStage<Void> open(boolean isNew) {
        links.attach(file, this);
        beganNanos = loop.nanoTime();
        gateway.open(isNew);
        loop.schedule(ALIVE_NANOS, this::keepAlive);
        return opened;
    }

    /**
     * Completes, on the loop, if every brick may have lost what was not flushed; may be asked for
     * by any thread.
     */
    CompletionStage<Void> lost() {
        return lost;
    }

    /** Which loop it is confined to. */
    Loop loop() {
        return loop;
    }

    private void keepAlive() {
        boolean isOver =
                gateway.state() == Gateway.State.FENCED
                        || gateway.state() == Gateway.State.CACHE_LOST;
        if (isEnded || isOver) {
            return; // one that is fenced must not let the file look attended
        }
        long now = loop.nanoTime();
        if (gateway.state() == Gateway.State.PROMISING && now - beganNanos > PROMISES_NANOS) {
            end();
            opened.completeExceptionally(links.tooFew(fileName + newBricks()));
            return;
        }
        for (int brick = 0; brick < sessions.length; brick++) {
            if (now - sentNanos[brick] >= ALIVE_NANOS) {
                sentNanos[brick] = now;
                // The answer is awaited by none; Fenced and NoSession are heard whatever they
                // answer.
                links.send(
                        file,
                        brick,
                        new Request(id, epoch, sessions[brick], 0, new Request.Confirm()));
            }
        }
        loop.schedule(ALIVE_NANOS, this::keepAlive);
    }

    /** Which bricks count for nothing, for messages. */
    private String newBricks() {
        List<Integer> bricks =
                gateway.health().members().stream()
                        .filter(part -> part.role() == Health.Role.NEW)
                        .map(Health.Part::brick)
                        .toList();
        return bricks.isEmpty() ? "" : " (bricks that do not know it: " + bricks + ")";
    }

    /** Verifies all copies, and repairs them; tells on the loop how far it is. */
    void scrub(Consumer<ReplicaFileScrub> told, BooleanSupplier isToEnd) {
        gateway.scrub(
                progress -> told.accept(new ReplicaFileScrub(file, fileName, progress)), isToEnd);
    }

    /** The members, and how far their heals are. */
    ReplicaFileHealth health() {
        return new ReplicaFileHealth(file, fileName, gateway.state(), gateway.health());
    }

    /** May be called by any thread. */
    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    private void publishSize() {
        long present = gateway.sizeBytes();
        if (present != sizeBytes) {
            sizeBytes = present;
        }
    }

    @Override
    public void read(long offsetBytes, int lengthBytes, Completion completion) {
        gateway.read(offsetBytes, lengthBytes, completion);
    }

    @Override
    public void write(long offsetBytes, Payload data, boolean isDurable, Completion completion) {
        long endBytes = offsetBytes + data.lengthBytes();
        gateway.write(offsetBytes, data, isDurable, sized(endBytes, completion));
    }

    @Override
    public void writeZeroes(
            long offsetBytes,
            int lengthBytes,
            boolean mayUnmap,
            boolean isDurable,
            Completion completion) {
        long endBytes = offsetBytes + lengthBytes;
        gateway.writeZeroes(
                offsetBytes, lengthBytes, mayUnmap, isDurable, sized(endBytes, completion));
    }

    /** Of what may let the file grow: the size is told before its end. */
    private Completion sized(long endBytes, Completion completion) {
        return endBytes <= sizeBytes
                ? completion
                : (outcome, none) -> {
                    publishSize();
                    completion.complete(outcome, none);
                };
    }

    @Override
    public void flush(Completion completion) {
        gateway.flush(completion);
    }

    @Override
    public void resize(long newSizeBytes, Completion completion) {
        gateway.resize(newSizeBytes, sized(Long.MAX_VALUE, completion));
    }

    /**
     * What was written is durable when the stage completes; fails with ENOTCONN if too few bricks
     * can be reached for that.
     */
    @Override
    public CompletionStage<Void> close() {
        isClosing = true;
        if (!isEnded && gateway.state() == Gateway.State.SERVING) {
            reachedNanos = loop.nanoTime();
            gateway.quiesce(this::end);
            watchClose();
        } else if (!isEnded) {
            end();
        }
        return closed;
    }

    private void watchClose() {
        if (isEnded) {
            return;
        }
        long now = loop.nanoTime();
        if (links.isMajorityUp()) {
            reachedNanos = now;
        }
        if (now - reachedNanos > CLOSE_NANOS) {
            closed.completeExceptionally(links.tooFew("close of " + fileName));
            end();
        } else {
            loop.schedule(CLOSE_LOOK_NANOS, this::watchClose);
        }
    }

    @Override
    public void abort() {
        if (!isEnded) {
            end();
        }
    }

    /** Nothing is sent or told any more. */
    private void end() {
        isEnded = true;
        links.detach(file, this);
        if (gateway.state() == Gateway.State.CACHE_LOST) {
            closed.completeExceptionally(
                    new BlockException(
                            BlockError.EIO,
                            "every brick may have lost writes that were not flushed: file="
                                    + fileName));
        } else {
            closed.complete(null);
        }
    }

    @Override
    public void connected(int brick) {
        loop.execute(() -> unlessEnded(() -> gateway.connected(brick)));
    }

    @Override
    public void disconnected(int brick) {
        loop.execute(() -> unlessEnded(() -> gateway.connectionLost(brick)));
    }

    @Override
    public void received(Reply reply) {
        if (loop.inLoop()) {
            deliver(reply);
        } else {
            loop.execute(() -> deliver(reply));
        }
    }

    private void deliver(Reply reply) {
        if (!isEnded) {
            gateway.receive(reply);
            publishSize();
        }
    }

    private void unlessEnded(Runnable task) {
        if (!isEnded) {
            task.run();
        }
    }

    private void entered(Gateway.State state) {
        switch (state) {
            case SERVING -> {
                publishSize();
                // Not from within the gateway: who waits may call it at once.
                loop.execute(() -> opened.complete(null));
            }
            case FENCED -> {
                LOG.warn("Another process has taken the file over: file={}", fileName);
                over(new BlockException(BlockError.EBADE, "file was taken over: " + fileName));
            }
            case CACHE_LOST -> {
                LOG.error("Every brick may have lost unflushed writes: file={}", fileName);
                over(new BlockException(BlockError.EIO, "unflushed writes lost: " + fileName));
                loop.execute(() -> lost.complete(null));
            }
            default -> {}
        }
    }

    /** What is under way fails by the gateway; what waits for it is told here, later. */
    private void over(BlockException why) {
        loop.execute(
                () -> {
                    boolean wasOpening = opened.completeExceptionally(why);
                    if (!isEnded && (wasOpening || isClosing)) {
                        end();
                    }
                });
    }

    private final class Port implements GatewayPort {
        @Override
        public void send(int brick, Request request) {
            if (!isEnded) {
                sessions[brick] = request.session();
                sentNanos[brick] = loop.nanoTime();
                links.send(file, brick, request);
            }
        }

        @Override
        public long nanoTime() {
            return loop.nanoTime();
        }

        @Override
        public void schedule(long delayNanos, Runnable task) {
            loop.schedule(delayNanos, () -> unlessEnded(task));
        }

        @Override
        public void committed(Config config) {
            Set<Integer> present = config.isr().keySet();
            boolean isNews = !present.equals(inSync);
            inSync = present;
            LOG.atLevel(isNews ? Level.INFO : Level.DEBUG)
                    .log(
                            "Bricks in sync: file={}, bricks={}, epoch={}, k={}, clean={}",
                            fileName,
                            present,
                            config.epoch(),
                            config.k(),
                            config.isClean());
        }

        @Override
        public void sourceChosen(Config newest, int source, boolean isSuspect) {
            if (isSuspect) {
                LOG.error(
                        "Opened from a brick that may lack unflushed writes, as all others may:"
                                + " file={}, brick={}",
                        fileName,
                        source);
            }
        }

        @Override
        public void repaired(int brick, long offsetBytes) {
            LOG.warn("Block repaired: file={}, brick={}, offset={}", fileName, brick, offsetBytes);
        }

        @Override
        public void entered(Gateway.State state) {
            GatewayCopies.this.entered(state);
        }
    }
}
