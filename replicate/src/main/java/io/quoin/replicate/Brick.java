package io.quoin.replicate;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/**
 * The brick's side of the protocol, for one file. An arbiter is a brick that gets promises and
 * configurations only.
 *
 * <p>Each change is applied in memory when its record is appended, so that a later message sees it,
 * and answered once the record is durable.
 *
 * <p>Threading: one thread.
 */
class Brick {
    private static final Reply.Result DONE = new Reply.Done();

    private final int id;
    private final Geometry geometry;
    private final BrickMetadata metadata;
    private final BrickStore store;
    private final BiConsumer<Long, Reply> port;
    private final SortedMap<Integer, List<Runnable>> activating = new TreeMap<>();
    private final List<Runnable> whenDrained = new ArrayList<>();
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
    Brick(
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
    void start(boolean isCacheKept) {
        if (isCacheKept) {
            isReady = true;
        } else {
            append(new MetaRecord.CacheLost(), () -> isReady = true);
        }
    }

    /** A message of a gateway. */
    void receive(Request request) {
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
            activate(geometry.region(write.block()), () -> write(request, write));
        } else if (operation instanceof Request.Read read) {
            store.read(
                    read.block(),
                    data -> {
                        if (data == null) {
                            loseCache();
                        } else {
                            replyInSession(request, new Reply.Data(data));
                        }
                    });
        } else if (operation instanceof Request.Flush) {
            waitingForSync.add(request);
            sync();
        } else if (operation instanceof Request.Configure configure) {
            configure(request, configure.config());
        } else if (operation instanceof Request.Clean clean) {
            append(
                    new MetaRecord.RegionsCleaned(clean.regions()),
                    () -> replyInSession(request, DONE));
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
                new Reply.Promised(metadata.config(), metadata.cacheEpoch(), metadata.active()));
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

    void write(Request request, Request.Write write) {
        if (isStale(request)) {
            return;
        }
        writesInFlight++;
        store.write(
                write.block(),
                write.data(),
                isWritten -> {
                    writesInFlight--;
                    if (isWritten) {
                        replyInSession(request, DONE);
                    } else {
                        loseCache();
                    }
                    drained();
                });
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

    final BrickMetadata metadata() {
        return metadata;
    }

    final List<Request> waitingForSync() {
        return waitingForSync;
    }

    final BrickStore store() {
        return store;
    }
}
