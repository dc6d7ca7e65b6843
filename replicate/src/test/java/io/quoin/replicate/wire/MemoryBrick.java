package io.quoin.replicate.wire;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.replicate.BrickIdentity;
import io.quoin.replicate.BrickProbe;
import io.quoin.replicate.BrickSpace;
import io.quoin.replicate.Config;
import io.quoin.replicate.Payload;
import io.quoin.replicate.Reply;
import io.quoin.replicate.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * A brick that keeps what it is sent, and answers as it is told: at once, or only once it is let.
 */
final class MemoryBrick implements ServedBrick {
    /** A request as it has arrived. */
    record Arrived(UUID file, Request request, Consumer<Reply> replies) {}

    private final BrickIdentity identity;
    private final List<UUID> files = new CopyOnWriteArrayList<>();
    private final ConcurrentLinkedQueue<Arrived> held = new ConcurrentLinkedQueue<>();
    private final AtomicLong arrivedBytes = new AtomicLong();
    private volatile Function<Request, Reply.Result> rule = MemoryBrick::echo;
    private volatile Consumer<Arrived> watch = arrived -> {};
    private volatile boolean isHolding;

    MemoryBrick(BrickIdentity identity) {
        this.identity = identity;
    }

    /** Reads answer with the low byte of their offset; all else is done. */
    static Reply.Result echo(Request request) {
        if (request.operation() instanceof Request.Read read) {
            byte[] data = new byte[read.lengthBytes()];
            java.util.Arrays.fill(data, (byte) read.offsetBytes());
            return new Reply.Data(Payload.of(data));
        }
        return new Reply.Done();
    }

    void answerBy(Function<Request, Reply.Result> newRule) {
        rule = newRule;
    }

    void watch(Consumer<Arrived> newWatch) {
        watch = newWatch;
    }

    void hold() {
        isHolding = true;
    }

    /** Bytes of data in all requests that have arrived. */
    long arrivedBytes() {
        return arrivedBytes.get();
    }

    /** Answers what was held; call it on the loop. */
    void letGo() {
        isHolding = false;
        for (Arrived next = held.poll(); next != null; next = held.poll()) {
            answer(next);
        }
    }

    /** What was held is never answered, as of a session that has ended. */
    void forgetHeld() {
        isHolding = false;
        held.clear();
    }

    @Override
    public BrickIdentity identity() {
        return identity;
    }

    @Override
    public void receive(UUID file, Request request, Consumer<Reply> replies) {
        Arrived arrived = new Arrived(file, request, replies);
        arrivedBytes.addAndGet(RequestCodec.payload(request).lengthBytes());
        if (!files.contains(file)) {
            files.add(file);
        }
        watch.accept(arrived);
        if (isHolding) {
            held.add(arrived);
        } else {
            answer(arrived);
        }
    }

    private void answer(Arrived arrived) {
        Request request = arrived.request();
        arrived.replies()
                .accept(
                        new Reply(
                                identity.index(),
                                request.session(),
                                request.id(),
                                rule.apply(request)));
    }

    @Override
    public CompletionStage<Void> delete(UUID file) {
        if (!files.remove(file)) {
            return CompletableFuture.failedFuture(
                    new BlockException(BlockError.EBUSY, "file is in use: id=" + file));
        }
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletionStage<List<UUID>> list() {
        return CompletableFuture.supplyAsync(() -> new ArrayList<>(files));
    }

    @Override
    public CompletionStage<BrickSpace> space() {
        return CompletableFuture.completedFuture(new BrickSpace(1L << 50, 1L << 49));
    }

    @Override
    public CompletionStage<BrickProbe> probe(UUID file) {
        return CompletableFuture.completedFuture(probed(file, files.contains(file)));
    }

    /** What it says of a file. */
    static BrickProbe probed(UUID file, boolean isAttended) {
        SortedMap<Integer, Long> isr = new TreeMap<>(Map.of(0, 3L, 2, 1L));
        Config config = new Config(7, 8, isr, true);
        return new BrickProbe(file.getLeastSignificantBits(), -9, isAttended, config, 10, 11);
    }
}
