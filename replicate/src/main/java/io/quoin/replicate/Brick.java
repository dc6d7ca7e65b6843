package io.quoin.replicate;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * The brick's side of the protocol, for one file. An arbiter is a brick that gets promises and
 * configurations only.
 *
 * <p>Each change is applied in memory when its record is appended, so that a later message sees it,
 * and answered once the record is durable.
 *
 * <p>Threading: one thread.
 */
public class Brick {
    private static final Reply.Result DONE = new Reply.Done();

    private final int id;
    private final Geometry geometry;
    private final BrickMetadata metadata;
    private final BrickStore store;
    private final BiConsumer<Long, Reply> port;
    private final SortedMap<Integer, List<Runnable>> activating = new TreeMap<>();
    private final List<Runnable> whenDrained = new ArrayList<>();
    private final SortedMap<Long, BitSet> binding = new TreeMap<>();
    private long lastBinding;
    private List<Request> waitingForSync = new ArrayList<>();
    private boolean isReady;
    private boolean isAttached;
    private long session;
    private int writesInFlight;
    private boolean isSyncing;

    /**
     * @param metadata as the log has it
     * @param port takes replies, by gateway
     */
    public Brick(
            int id,
            Geometry geometry,
            BrickMetadata metadata,
            BrickStore store,
            BiConsumer<Long, Reply> port) {
        this.id = id;
        this.geometry = geometry;
        this.metadata = metadata;
        this.store = store;
        this.port = port;
    }

    /**
     * Starts to answer.
     *
     * @param isCacheKept whether it is proven that no write has been lost since the last process:
     *     the same boot, and no sync has failed or was under way when that process ended
     */
    public void start(boolean isCacheKept) {
        if (isCacheKept) {
            isReady = true;
        } else {
            append(new MetaRecord.CacheLost(), () -> isReady = true);
        }
    }

    /** A message of a gateway. */
    public void receive(Request request) {
        if (!isReady) {
            return;
        }
        if (request.operation() instanceof Request.Promise) {
            promise(request);
        } else if (isFenced(request)) {
            reply(request, new Reply.Fenced(metadata.promised()));
        } else if (isStale(request)) {
            reply(request, new Reply.NoSession());
        } else {
            serve(request);
        }
    }

    private void serve(Request request) {
        Request.Operation operation = request.operation();
        if (operation instanceof Request.Write write) {
            activate(geometry.region(write.offsetBytes()), () -> write(request));
        } else if (operation instanceof Request.WriteZeroes zeroes) {
            activate(geometry.region(zeroes.offsetBytes()), () -> write(request));
        } else if (operation instanceof Request.Resize resize) {
            resize(request, resize.sizeBytes());
        } else if (operation instanceof Request.Read read) {
            read(request, read);
        } else if (operation instanceof Request.Flush) {
            waitingForSync.add(request);
            sync();
        } else if (operation instanceof Request.Configure configure) {
            configure(request, configure.config());
        } else if (operation instanceof Request.Clean clean) {
            clean(request, clean.regions());
        } else if (operation instanceof Request.MapGet) {
            reply(request, new Reply.Maps(metadata.dirty()));
        } else if (operation instanceof Request.MapMerge merge) {
            append(new MetaRecord.DirtyMerged(merge.dirty()), () -> replyInSession(request, DONE));
        } else if (operation instanceof Request.Confirm) {
            reply(request, DONE);
        }
    }

    /** Persist, drain what older sessions have under way, and only then answer. */
    private void promise(Request request) {
        if (isRefused(request)) {
            reply(request, new Reply.Fenced(metadata.promised()));
            return;
        }
        if (isOfPromised(request) && request.session() <= session) {
            return;
        }
        session = request.session();
        isAttached = true;
        MetaRecord made = new MetaRecord.PromiseMade(request.epoch(), request.gateway());
        append(made, () -> drain(() -> answerPromise(request)));
    }

    /** An epoch is promised to one gateway, and none that is older. */
    boolean isRefused(Request promise) {
        return !isOfPromised(promise) && promise.epoch() <= metadata.promised();
    }

    private boolean isOfPromised(Request request) {
        return request.epoch() == metadata.promised() && request.gateway() == metadata.gateway();
    }

    private void answerPromise(Request request) {
        replyInSession(
                request,
                new Reply.Promised(
                        metadata.config(),
                        metadata.cacheEpoch(),
                        metadata.active(),
                        store.sizeBytes()));
    }

    /** Runs {@code then} when no write is under way. */
    void drain(Runnable then) {
        if (writesInFlight == 0) {
            then.run();
        } else {
            whenDrained.add(then);
        }
    }

    /** Accepting the same one again is how it is made sure of in a new session. */
    private void configure(Request request, Config config) {
        if (!metadata.config().isNewerThan(config)) {
            append(new MetaRecord.ConfigAccepted(config), () -> replyInSession(request, DONE));
        }
    }

    /** Runs {@code then} when the region is durably active. */
    void activate(int region, Runnable then) {
        binding.values().forEach(quiet -> quiet.clear(region));
        List<Runnable> waiting = activating.get(region);
        if (waiting != null) {
            waiting.add(then);
        } else if (metadata.isActive(region)) {
            then.run();
        } else {
            List<Runnable> first = new ArrayList<>(List.of(then));
            activating.put(region, first);
            append(
                    new MetaRecord.RegionActivated(region),
                    () -> {
                        activating.remove(region);
                        first.forEach(Runnable::run);
                    });
        }
    }

    private void read(Request request, Request.Read read) {
        store.read(
                read.offsetBytes(),
                read.lengthBytes(),
                data ->
                        replyInSession(
                                request,
                                data == null ? new Reply.Corrupt() : new Reply.Data(data)));
    }

    /** A cut zeroes what it cuts: all of these regions are active before. */
    private void resize(Request request, long sizeBytes) {
        long oldBytes = store.sizeBytes();
        if (sizeBytes < oldBytes) {
            BitSet cut = new BitSet();
            cut.set(geometry.region(sizeBytes), geometry.region(oldBytes - 1) + 1);
            activateAll(cut, () -> write(request));
        } else {
            write(request);
        }
    }

    private void activateAll(BitSet regions, Runnable then) {
        BitSet waiting = (BitSet) regions.clone();
        for (int region : regions.stream().toArray()) {
            activate(
                    region,
                    () -> {
                        waiting.clear(region);
                        if (waiting.isEmpty()) {
                            then.run();
                        }
                    });
        }
    }

    /**
     * Checksums bind before the log says so: what is read of a region not active is checked. A
     * region that is to be written meanwhile stays active.
     */
    private void clean(Request request, BitSet regions) {
        BitSet quiet = (BitSet) regions.clone();
        long number = ++lastBinding;
        binding.put(number, quiet);
        store.bind(
                regions,
                isBound -> {
                    binding.remove(number);
                    if (isBound && !isStale(request)) {
                        append(
                                new MetaRecord.RegionsCleaned(quiet),
                                () -> replyInSession(request, DONE));
                    }
                });
    }

    /** A write, zeros, or a new size. */
    void write(Request request) {
        if (isStale(request)) {
            return;
        }
        writesInFlight++;
        Consumer<StoreResult> done =
                result -> {
                    writesInFlight--;
                    written(request, result);
                    drained();
                };
        Request.Operation operation = request.operation();
        if (operation instanceof Request.Write write) {
            store.write(write.offsetBytes(), write.data(), done);
        } else if (operation instanceof Request.WriteZeroes zeroes) {
            store.writeZeroes(zeroes.offsetBytes(), zeroes.lengthBytes(), zeroes.mayUnmap(), done);
        } else if (operation instanceof Request.Resize resize) {
            store.resize(resize.sizeBytes(), done);
        }
    }

    private void written(Request request, StoreResult result) {
        if (result == StoreResult.FAILED) {
            loseCache();
        } else if (result == StoreResult.NO_SPACE) {
            replyInSession(request, new Reply.NoSpace());
        } else if (isDurable(request.operation())) {
            waitingForSync.add(request);
            sync();
        } else {
            replyInSession(request, DONE);
        }
    }

    private static boolean isDurable(Request.Operation operation) {
        return (operation instanceof Request.Write write && write.isDurable())
                || (operation instanceof Request.WriteZeroes zeroes && zeroes.isDurable());
    }

    private void drained() {
        if (writesInFlight == 0) {
            List<Runnable> ready = new ArrayList<>(whenDrained);
            whenDrained.clear();
            ready.forEach(Runnable::run);
        }
    }

    /** One at a time: of two at once the kernel tells only one that it failed. */
    void sync() {
        if (isSyncing || waitingForSync.isEmpty()) {
            return;
        }
        List<Request> batch = waitingForSync;
        waitingForSync = new ArrayList<>();
        isSyncing = true;
        store.sync(
                isDurable -> {
                    isSyncing = false;
                    if (isDurable) {
                        batch.forEach(request -> replyInSession(request, DONE));
                    } else {
                        syncFailed(batch);
                    }
                    sync();
                });
    }

    /** A failed sync is never tried again: no flush that waits is answered. */
    void syncFailed(List<Request> batch) {
        batch.clear();
        waitingForSync.clear();
        loseCache();
    }

    /** The next session's promise has the new cacheEpoch, durable before it by the log's order. */
    void loseCache() {
        isAttached = false;
        append(new MetaRecord.CacheLost(), () -> {});
    }

    /** Whether the request is of a gateway that another has superseded. */
    boolean isFenced(Request request) {
        return request.epoch() < metadata.promised();
    }

    /** Whether the request is of another session than the newest. */
    boolean isStale(Request request) {
        return !isAttached || !isOfPromised(request) || request.session() != session;
    }

    void append(MetaRecord record, Runnable durable) {
        metadata.apply(record);
        store.append(record, durable);
    }

    void replyInSession(Request request, Reply.Result result) {
        if (!isStale(request)) {
            reply(request, result);
        }
    }

    void reply(Request request, Reply.Result result) {
        port.accept(request.gateway(), new Reply(id, request.session(), request.id(), result));
    }

    /** The state after every record appended so far. Not to be changed. */
    public final BrickMetadata metadata() {
        return metadata;
    }

    final List<Request> waitingForSync() {
        return waitingForSync;
    }

    final BrickStore store() {
        return store;
    }
}
