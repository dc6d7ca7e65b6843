package io.quoin.replicate;

import java.util.BitSet;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.BiConsumer;

/** The protocol with one rule broken in each. */
enum Mutants {
    /** I2: older epochs and sessions are served. */
    BRICK_SERVES_ALL {
        @Override
        Brick brick(
                int id, BrickMetadata metadata, BrickStore store, BiConsumer<Long, Reply> port) {
            return new Brick(id, SimWorld.GEOMETRY, metadata, store, port) {
                @Override
                boolean isFenced(Request request) {
                    return false;
                }

                @Override
                boolean isStale(Request request) {
                    return false;
                }
            };
        }
    },
    /** I2: a promise is answered while writes are under way. */
    BRICK_DOES_NOT_DRAIN {
        @Override
        Brick brick(
                int id, BrickMetadata metadata, BrickStore store, BiConsumer<Long, Reply> port) {
            return new Brick(id, SimWorld.GEOMETRY, metadata, store, port) {
                @Override
                void drain(Runnable then) {
                    then.run();
                }
            };
        }
    },
    /** I6. */
    BRICK_WRITES_BEFORE_ACTIVE {
        @Override
        Brick brick(
                int id, BrickMetadata metadata, BrickStore store, BiConsumer<Long, Reply> port) {
            return new Brick(id, SimWorld.GEOMETRY, metadata, store, port) {
                @Override
                void activate(int region, Runnable then) {
                    super.activate(region, () -> {});
                    then.run();
                }
            };
        }
    },
    /** I18. */
    BRICK_RETRIES_SYNC {
        @Override
        Brick brick(
                int id, BrickMetadata metadata, BrickStore store, BiConsumer<Long, Reply> port) {
            return new Brick(id, SimWorld.GEOMETRY, metadata, store, port) {
                @Override
                void syncFailed(List<Request> batch) {
                    waitingForSync().addAll(batch);
                }
            };
        }
    },
    /** I18: of two syncs at once one is told of the failure. */
    BRICK_SYNCS_TWICE_AT_ONCE {
        @Override
        Brick brick(
                int id, BrickMetadata metadata, BrickStore store, BiConsumer<Long, Reply> port) {
            return new Brick(id, SimWorld.GEOMETRY, metadata, store, port) {
                @Override
                void sync() {
                    List<Request> batch = List.copyOf(waitingForSync());
                    waitingForSync().clear();
                    store().sync(
                                    isDurable -> {
                                        if (isDurable) {
                                            batch.forEach(r -> replyInSession(r, new Reply.Done()));
                                        }
                                    });
                }
            };
        }
    },
    /** A rebooted brick says that it has lost nothing. */
    BRICK_KEEPS_CACHE_EPOCH {
        @Override
        Brick brick(
                int id, BrickMetadata metadata, BrickStore store, BiConsumer<Long, Reply> port) {
            return new Brick(id, SimWorld.GEOMETRY, metadata, store, port) {
                @Override
                void start(boolean isCacheKept) {
                    super.start(true);
                }
            };
        }
    },
    /** I4: a member that has lost its cache counts. */
    GATEWAY_TRUSTS_ALL {
        @Override
        Gateway gateway(long epoch, Layout layout, GatewayPort port) {
            return new Gateway(epoch, epoch, layout, SimWorld.GEOMETRY, SimWorld.TIMING, port) {
                @Override
                boolean isTrusted(long expectedCacheEpoch, long cacheEpoch) {
                    return true;
                }
            };
        }
    },
    /** I4: one member's word is enough. */
    GATEWAY_NEEDS_ONE {
        @Override
        Gateway gateway(long epoch, Layout layout, GatewayPort port) {
            return new Gateway(epoch, epoch, layout, SimWorld.GEOMETRY, SimWorld.TIMING, port) {
                @Override
                SortedSet<Integer> needed() {
                    return new TreeSet<>(List.of(super.needed().first()));
                }
            };
        }
    },
    /** Acknowledges before the configuration that leaves a member out is committed. */
    GATEWAY_DROPS_BEFORE_COMMIT {
        @Override
        Gateway gateway(long epoch, Layout layout, GatewayPort port) {
            return new Gateway(epoch, epoch, layout, SimWorld.GEOMETRY, SimWorld.TIMING, port) {
                @Override
                SortedSet<Integer> needed() {
                    SortedSet<Integer> needed = super.needed();
                    needed.removeIf(brick -> !member(brick).isAttached());
                    return needed;
                }
            };
        }
    },
    /** A stale read of a gateway that was superseded behind a partition. */
    GATEWAY_READS_UNCONFIRMED {
        @Override
        Gateway gateway(long epoch, Layout layout, GatewayPort port) {
            return new Gateway(epoch, epoch, layout, SimWorld.GEOMETRY, SimWorld.TIMING, port) {
                @Override
                Operations newOperations() {
                    return new Operations(this) {
                        @Override
                        boolean isConfirmed(SortedSet<Integer> voters) {
                            return true;
                        }
                    };
                }
            };
        }
    },
    /** I12: a region with a write under way is cleaned. */
    GATEWAY_CLEANS_BUSY_REGIONS {
        @Override
        Gateway gateway(long epoch, Layout layout, GatewayPort port) {
            return new Gateway(epoch, epoch, layout, SimWorld.GEOMETRY, SimWorld.TIMING, port) {
                @Override
                Cleaner newCleaner() {
                    return new Cleaner(this) {
                        @Override
                        BitSet touchedSince(long started) {
                            return new BitSet();
                        }
                    };
                }
            };
        }
    },
    /** A healed member is taken in without a flush. */
    GATEWAY_JOINS_UNFLUSHED {
        @Override
        Gateway gateway(long epoch, Layout layout, GatewayPort port) {
            return new Gateway(epoch, epoch, layout, SimWorld.GEOMETRY, SimWorld.TIMING, port) {
                @Override
                Healer newHealer() {
                    return new Healer(this) {
                        @Override
                        void flush(Member member, Runnable then) {
                            then.run();
                        }
                    };
                }
            };
        }
    };

    Brick brick(int id, BrickMetadata metadata, BrickStore store, BiConsumer<Long, Reply> port) {
        return new Brick(id, SimWorld.GEOMETRY, metadata, store, port);
    }

    Gateway gateway(long epoch, Layout layout, GatewayPort port) {
        return new Gateway(epoch, epoch, layout, SimWorld.GEOMETRY, SimWorld.TIMING, port);
    }

    Mutant mutant() {
        return new Mutant() {
            @Override
            Brick brick(
                    int id,
                    Geometry geometry,
                    BrickMetadata metadata,
                    BrickStore store,
                    BiConsumer<Long, Reply> port) {
                return Mutants.this.brick(id, metadata, store, port);
            }

            @Override
            Gateway gateway(
                    long id,
                    long epoch,
                    Layout layout,
                    Geometry geometry,
                    Timing timing,
                    GatewayPort port) {
                return Mutants.this.gateway(epoch, layout, port);
            }
        };
    }
}
