package io.quoin.replicate;

import java.util.BitSet;
import java.util.List;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/** A brick that breaks a rule of {@link Mutant}. */
final class MutantBrick extends Brick {
    private final Mutant mutant;

    MutantBrick(
            Mutant mutant,
            int id,
            BrickMetadata metadata,
            BrickStore store,
            BiConsumer<Long, Reply> port) {
        super(id, SimWorld.GEOMETRY, metadata, store, port);
        this.mutant = mutant;
    }

    @Override
    public void start(boolean isCacheKept) {
        super.start(isCacheKept || mutant == Mutant.BRICK_KEEPS_CACHE_EPOCH);
    }

    @Override
    boolean isFenced(Request request) {
        return mutant != Mutant.BRICK_SERVES_ALL && super.isFenced(request);
    }

    @Override
    boolean isStale(Request request) {
        return switch (mutant) {
            case BRICK_SERVES_ALL -> false;
            case BRICK_IGNORES_SESSIONS ->
                    request.epoch() != metadata().promised()
                            || request.gateway() != metadata().gateway();
            default -> super.isStale(request);
        };
    }

    @Override
    boolean isRefused(Request promise) {
        return switch (mutant) {
            case BRICK_PROMISES_OLDER -> false;
            case BRICK_PROMISES_TWICE -> promise.epoch() < metadata().promised();
            default -> super.isRefused(promise);
        };
    }

    @Override
    void drain(Runnable then) {
        if (mutant == Mutant.BRICK_DOES_NOT_DRAIN) {
            then.run();
        } else {
            super.drain(then);
        }
    }

    @Override
    void activate(int region, Runnable then) {
        if (mutant == Mutant.BRICK_WRITES_BEFORE_ACTIVE) {
            super.activate(region, () -> {});
            then.run();
        } else {
            super.activate(region, then);
        }
    }

    @Override
    void write(Request request) {
        if (mutant == Mutant.BRICK_ACKNOWLEDGES_AT_ONCE) {
            replyInSession(request, new Reply.Done());
        }
        super.write(request);
    }

    @Override
    void sync() {
        if (mutant == Mutant.BRICK_SYNCS_TWICE_AT_ONCE) {
            List<Request> batch = List.copyOf(waitingForSync());
            waitingForSync().clear();
            store().sync(isDurable -> answer(isDurable ? batch : List.of()));
        } else if (mutant == Mutant.BRICK_FLUSHES_NOTHING) {
            answer(waitingForSync());
            waitingForSync().clear();
        } else {
            super.sync();
        }
    }

    private void answer(List<Request> batch) {
        batch.forEach(request -> replyInSession(request, new Reply.Done()));
    }

    @Override
    void syncFailed(List<Request> batch) {
        switch (mutant) {
            case BRICK_RETRIES_SYNC -> waitingForSync().addAll(batch);
            case BRICK_ANSWERS_FAILED_SYNC -> answer(batch);
            default -> super.syncFailed(batch);
        }
    }

    @Override
    void loseCache() {
        if (mutant == Mutant.BRICK_KEEPS_SESSION_AFTER_LOSS) {
            append(new MetaRecord.CacheLost(), () -> {});
        } else {
            super.loseCache();
        }
    }

    @Override
    void append(MetaRecord record, Runnable durable) {
        boolean isInMemory =
                switch (mutant) {
                    case BRICK_PROMISES_IN_MEMORY -> record instanceof MetaRecord.PromiseMade;
                    case BRICK_CONFIGURES_IN_MEMORY -> record instanceof MetaRecord.ConfigAccepted;
                    case BRICK_MERGES_IN_MEMORY -> record instanceof MetaRecord.DirtyMerged;
                    default -> false;
                };
        if (isInMemory) {
            metadata().apply(record);
            durable.run();
        } else {
            super.append(record, durable);
        }
    }

    @Override
    void reply(Request request, Reply.Result result) {
        if (mutant == Mutant.BRICK_TELLS_NO_DIRTY && result instanceof Reply.Maps) {
            super.reply(request, new Reply.Maps(new TreeMap<>()));
        } else if (mutant == Mutant.BRICK_TELLS_NO_ACTIVE
                && result instanceof Reply.Promised told) {
            super.reply(
                    request,
                    new Reply.Promised(
                            told.config(), told.cacheEpoch(), new BitSet(), told.sizeBytes()));
        } else {
            super.reply(request, result);
        }
    }
}
