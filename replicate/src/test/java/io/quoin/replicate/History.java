package io.quoin.replicate;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What guests asked for and were told, and whether a linearizable disk could have told it. Stamps
 * are unique, so that each sector is decided by its clusters: a write and the reads of it (Gibbons
 * and Korach, Testing Shared Memories, 1997). Where an open had to take a source that had lost its
 * cache, a new history begins from any value at or after the last acknowledged flush.
 */
final class History {
    enum Kind {
        WRITE,
        READ,
        FLUSH
    }

    /** Times are places in the order of all beginnings and ends. */
    static final class Operation {
        final long epoch;
        final Kind kind;
        final int block;
        final long began;
        final long[] values;
        long ended = Long.MAX_VALUE;

        /** Ended without space: each sector is old or new, once and for all. */
        boolean isWithoutSpace;

        Operation(long epoch, Kind kind, int block, long began, long[] values) {
            this.epoch = epoch;
            this.kind = kind;
            this.block = block;
            this.began = began;
            this.values = values;
        }

        boolean isEnded() {
            return ended != Long.MAX_VALUE;
        }

        boolean isUnderWay() {
            return !isEnded() && !isWithoutSpace;
        }

        @Override
        public String toString() {
            return kind + " block=" + block + " values=" + java.util.Arrays.toString(values);
        }
    }

    private record Loss(long epoch, long at) {}

    /** A value's write and reads. */
    private static final class Cluster {
        long writeBegan;
        long firstEnd;
        long lastBegin;

        Cluster(long began, long ended) {
            writeBegan = began;
            lastBegin = began;
            firstEnd = ended;
        }
    }

    private final List<Operation> operations = new ArrayList<>();
    private final List<Loss> losses = new ArrayList<>();
    private final Map<Long, Operation> writes = new HashMap<>();
    private final Map<Integer, Operation> floors = new HashMap<>();
    private long clock = 1;
    private long stamps = 1;

    long nextStamp() {
        return stamps++;
    }

    Operation begin(long epoch, Kind kind, int block, long stamp) {
        long[] values = new long[SimDisk.SECTORS];
        java.util.Arrays.fill(values, stamp);
        Operation operation = new Operation(epoch, kind, block, clock++, values);
        operations.add(operation);
        if (kind == Kind.WRITE) {
            writes.put(stamp, operation);
        }
        return operation;
    }

    void end(Operation operation, Payload data) {
        operation.ended = clock++;
        if (operation.kind == Kind.READ) {
            for (int i = 0; i < SimDisk.SECTORS; i++) {
                operation.values[i] = SimDisk.stamp(data, i);
            }
        }
    }

    /** The place of something else in the order. */
    long tick() {
        return clock++;
    }

    /** The epoch took a source that may have lost unflushed writes. Told again, it is the same. */
    void lost(long epoch, long at) {
        if (losses.stream().noneMatch(loss -> loss.epoch() == epoch)) {
            losses.add(new Loss(epoch, at));
            losses.sort(Comparator.comparingLong(Loss::epoch));
        }
    }

    int losses() {
        return losses.size();
    }

    long ended() {
        return operations.stream().filter(Operation::isEnded).count();
    }

    /** An acknowledged flush: what was written last before it, and acknowledged, is durable. */
    void flushed(Operation flush) {
        for (Operation write : operations) {
            boolean isCovered =
                    write.kind == Kind.WRITE
                            && write.ended < flush.began
                            && segment(write) == segment(flush);
            Operation floor = floors.get(write.block);
            if (isCovered && (floor == null || write.began > floor.began)) {
                floors.put(write.block, write);
            }
        }
    }

    /** Whether a value is as new as the last one that was flushed. */
    boolean isFlushedOrLater(int block, long value) {
        Operation floor = floors.get(block);
        Operation write = writes.get(value);
        return floor == null
                || (write != null && write.block == block && write.began >= floor.began);
    }

    boolean isUnacknowledged(long epoch, long value) {
        Operation write = writes.get(value);
        return write != null && write.epoch == epoch && write.isUnderWay();
    }

    /** Whether a write to the block is under way in the epoch. */
    boolean isBusy(long epoch, int block) {
        return writes.values().stream()
                .anyMatch(
                        write ->
                                write.epoch == epoch && write.block == block && write.isUnderWay());
    }

    BitSet busyRegions(long epoch) {
        BitSet regions = new BitSet();
        for (int block = 0; block < SimWorld.BLOCKS; block++) {
            regions.set(
                    SimWorld.region(block),
                    regions.get(SimWorld.region(block)) || isBusy(epoch, block));
        }
        return regions;
    }

    /** Fails if no disk could have told this. */
    void check() {
        for (int block = 0; block < SimWorld.BLOCKS; block++) {
            for (int sector = 0; sector < SimDisk.SECTORS; sector++) {
                List<Operation> writes = writes(block);
                for (int segment = 0; segment <= losses.size(); segment++) {
                    checkSegment(block, sector, segment, writes);
                }
            }
        }
    }

    private List<Operation> writes(int block) {
        List<Operation> writes = new ArrayList<>();
        for (Operation operation : operations) {
            if (operation.kind == Kind.WRITE && operation.block == block) {
                writes.add(operation);
            }
        }
        return writes;
    }

    private int segment(Operation operation) {
        return (int) losses.stream().filter(loss -> loss.epoch() <= operation.epoch).count();
    }

    /**
     * @param writes of the block; what a segment begins with is added as a write at its beginning
     */
    private void checkSegment(int block, int sector, int segment, List<Operation> writes) {
        String where = "block=" + block + ", sector=" + sector;
        Map<Long, Cluster> clusters = new HashMap<>();
        if (segment == 0) {
            clusters.put(0L, new Cluster(0, 0));
        }
        List<Operation> reads = new ArrayList<>();
        for (Operation operation : operations) {
            if (operation.block == block && segment(operation) == segment) {
                if (operation.kind == Kind.WRITE) {
                    clusters.put(
                            operation.values[sector],
                            new Cluster(operation.began, operation.ended));
                } else if (operation.isEnded()) {
                    reads.add(operation);
                }
            }
        }
        boolean hasFirst = segment == 0;
        for (Operation read : reads) {
            long value = read.values[sector];
            Cluster cluster = clusters.get(value);
            if (cluster == null) {
                SimWorld.require(!hasFirst, "lost or stale: " + where + ", value=" + value);
                hasFirst = true;
                Loss loss = losses.get(segment - 1);
                checkFloor(writes, sector, value, loss);
                writes.add(first(block, value, loss));
                cluster = new Cluster(loss.at(), loss.at());
                clusters.put(value, cluster);
            }
            SimWorld.require(read.ended > cluster.writeBegan, "read before written: " + where);
            cluster.firstEnd = Math.min(cluster.firstEnd, read.ended);
            cluster.lastBegin = Math.max(cluster.lastBegin, read.began);
        }
        checkZones(clusters, where);
    }

    private static Operation first(int block, long value, Loss loss) {
        long[] values = new long[SimDisk.SECTORS];
        java.util.Arrays.fill(values, value);
        Operation first = new Operation(loss.epoch(), Kind.WRITE, block, loss.at(), values);
        first.ended = loss.at();
        return first;
    }

    private void checkFloor(List<Operation> writes, int sector, long value, Loss loss) {
        long valueEnded = value == 0 ? 0 : -1;
        for (Operation write : writes) {
            if (write.began < loss.at() && write.values[sector] == value) {
                valueEnded = Math.max(valueEnded, write.ended);
            }
        }
        SimWorld.require(valueEnded >= 0, "never written: value=" + value);
        for (Operation write : writes) {
            boolean isLost = write.began > valueEnded && isFlushed(write, loss);
            SimWorld.require(
                    !isLost,
                    "flushed write lost: value=" + value + ", not " + write.values[sector]);
        }
    }

    private boolean isFlushed(Operation write, Loss loss) {
        return operations.stream()
                .anyMatch(
                        flush ->
                                flush.kind == Kind.FLUSH
                                        && flush.began > write.ended
                                        && segment(flush) == segment(write)
                                        && flush.ended < loss.at());
    }

    /** Two values cannot each be there before and after the other. */
    private static void checkZones(Map<Long, Cluster> clusters, String where) {
        List<Cluster> zones = new ArrayList<>(clusters.values());
        for (Cluster a : zones) {
            if (a.firstEnd >= a.lastBegin) {
                continue;
            }
            for (Cluster b : zones) {
                if (a == b) {
                    continue;
                }
                long bFrom = Math.min(b.firstEnd, b.lastBegin);
                long bTo = Math.max(b.firstEnd, b.lastBegin);
                boolean isForward = b.firstEnd < b.lastBegin;
                boolean isWrong =
                        isForward
                                ? a.firstEnd < bTo && bFrom < a.lastBegin
                                : a.firstEnd < bFrom && bTo < a.lastBegin;
                SimWorld.require(!isWrong, "not linearizable: " + where);
            }
        }
    }
}
