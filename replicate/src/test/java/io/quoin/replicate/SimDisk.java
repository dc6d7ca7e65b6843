package io.quoin.replicate;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;

/**
 * A brick's disk: per sector the durable value and each version written since the last sync, and a
 * metadata log. A reboot keeps one version of each sector and a prefix of the log.
 */
final class SimDisk implements BrickStore {
    static final int SECTORS = 2;

    private static final long OPERATION_NANOS = 2_000_000;

    private final SimWorld world;
    private final SimWorld.Node node;
    private final int brick;
    private final Layout layout;
    private final Random random;
    private final long[] durable;
    private final long[] visible;
    private final List<List<Long>> versions = new ArrayList<>();
    private final List<MetaRecord> log = new ArrayList<>();
    private final List<MetaRecord> appended = new ArrayList<>();
    private final List<Write> inFlight = new ArrayList<>();
    private BrickMetadata logged;
    private long lastAppendDue;
    private boolean isSyncing;
    private boolean isCacheLost;
    private boolean isSyncToFail;
    private final Map<Integer, Long> slowBlocks = new HashMap<>();
    private long failedCacheEpoch;
    private long writeDelayNanos;

    private record Write(int block, BlockData data) {}

    SimDisk(SimWorld world, SimWorld.Node node, int brick, Layout layout) {
        this.world = world;
        this.node = node;
        this.brick = brick;
        this.layout = layout;
        this.random = world.random();
        int sectors = SimWorld.GEOMETRY.blocks() * SECTORS;
        this.durable = new long[sectors];
        this.visible = new long[sectors];
        for (int i = 0; i < sectors; i++) {
            versions.add(new ArrayList<>());
        }
        this.logged = new BrickMetadata(brick, layout);
    }

    static BlockData block(long stamp) {
        return new BlockData(
                ByteBuffer.allocate(SECTORS * Long.BYTES).putLong(stamp).putLong(stamp).array());
    }

    static long stamp(BlockData data, int sector) {
        return ByteBuffer.wrap(data.toBytes()).getLong(sector * Long.BYTES);
    }

    @Override
    public void append(MetaRecord record, Runnable whenDurable) {
        appended.add(record);
        long due = world.now() + random.nextLong(OPERATION_NANOS);
        lastAppendDue = Math.max(lastAppendDue + 1, due);
        world.after(
                lastAppendDue - world.now(),
                node,
                () -> {
                    keep(appended.remove(0));
                    whenDurable.run();
                });
    }

    private void keep(MetaRecord record) {
        long promised = logged.promised();
        Config config = logged.config();
        log.add(record);
        if (record instanceof MetaRecord.CacheLost) {
            isCacheLost = false;
        }
        logged.apply(record);
        SimWorld.require(logged.promised() >= promised, "I1: promise decreased: brick=" + brick);
        SimWorld.require(
                !config.isNewerThan(logged.config()), "I1: config decreased: brick=" + brick);
    }

    @Override
    public void write(int block, BlockData data, Consumer<Boolean> done) {
        Write write = new Write(block, data);
        inFlight.add(write);
        world.checks.writing(brick, block, data);
        int region = SimWorld.GEOMETRY.region(block);
        SimWorld.require(
                logged.isActive(region),
                "I6: write to a region that is not durably active: brick=" + brick);
        world.after(
                slowBlocks.getOrDefault(block, writeDelayNanos) + random.nextLong(OPERATION_NANOS),
                node,
                () -> {
                    inFlight.remove(write);
                    for (int i = 0; i < SECTORS; i++) {
                        store(block * SECTORS + i, stamp(data, i));
                    }
                    done.accept(true);
                });
    }

    private void store(int sector, long stamp) {
        visible[sector] = stamp;
        versions.get(sector).add(stamp);
    }

    @Override
    public void read(int block, Consumer<BlockData> done) {
        world.after(random.nextLong(OPERATION_NANOS), node, () -> done.accept(content(block)));
    }

    @Override
    public void sync(Consumer<Boolean> done) {
        List<Integer> counts = versions.stream().map(List::size).toList();
        isSyncing = true;
        world.after(
                random.nextLong(3 * OPERATION_NANOS),
                node,
                () -> {
                    isSyncing = false;
                    if (isSyncToFail) {
                        isSyncToFail = false;
                        failSync(counts);
                        done.accept(false);
                    } else {
                        promote(counts);
                        done.accept(true);
                    }
                });
    }

    private void promote(List<Integer> counts) {
        for (int sector = 0; sector < durable.length; sector++) {
            List<Long> dirty = versions.get(sector);
            int count = Math.min(counts.get(sector), dirty.size());
            if (count > 0) {
                durable[sector] = dirty.get(count - 1);
                dirty.subList(0, count).clear();
            }
        }
    }

    /** What was dirty is clean now, durable or not, and what is read may be either. */
    private void failSync(List<Integer> counts) {
        world.trace(() -> "disk " + brick + " fails to sync");
        isCacheLost = true;
        failedCacheEpoch =
                logged.cacheEpoch()
                        + appended.stream().filter(MetaRecord.CacheLost.class::isInstance).count();
        for (int sector = 0; sector < durable.length; sector++) {
            List<Long> dirty = versions.get(sector);
            int count = Math.min(counts.get(sector), dirty.size());
            if (count > 0) {
                if (random.nextInt(3) == 0) {
                    durable[sector] = dirty.get(random.nextInt(count));
                }
                dirty.subList(0, count).clear();
                if (dirty.isEmpty() && random.nextBoolean()) {
                    visible[sector] = durable[sector];
                }
            }
        }
    }

    /** The process is gone: a write under way may have reached a part of its sectors. */
    void kill() {
        for (Write write : inFlight) {
            for (int i = 0; i < SECTORS; i++) {
                if (random.nextBoolean()) {
                    store(write.block() * SECTORS + i, stamp(write.data(), i));
                }
            }
        }
        inFlight.clear();
        int kept = random.nextInt(appended.size() + 1);
        appended.subList(0, kept).forEach(this::keep);
        appended.clear();
        lastAppendDue = 0;
        isCacheLost |= isSyncing;
        isSyncing = false;
    }

    /** The machine is gone. */
    void crash() {
        kill();
        for (int sector = 0; sector < durable.length; sector++) {
            List<Long> dirty = versions.get(sector);
            int picked = random.nextInt(dirty.size() + 1);
            if (picked > 0) {
                durable[sector] = dirty.get(picked - 1);
            }
            dirty.clear();
            visible[sector] = durable[sector];
        }
        isCacheLost = true;
    }

    /**
     * Whether the next process can not prove that nothing has been lost: true until the log has it
     * that something may have been.
     */
    boolean isCacheLost() {
        return isCacheLost;
    }

    /** The cacheEpoch at which a sync failed last: no flush is acknowledged with it any more. */
    long failedCacheEpoch() {
        return failedCacheEpoch;
    }

    /** Whether no write is under way. */
    boolean isIdle() {
        return inFlight.isEmpty();
    }

    void failNextSync() {
        isSyncToFail = true;
    }

    /** Writes that begin from now on take longer. */
    void setWriteDelay(long nanos) {
        writeDelayNanos = nanos;
    }

    /** So do writes to this block. */
    void setWriteDelay(int block, long nanos) {
        slowBlocks.put(block, nanos);
    }

    BlockData content(int block) {
        return sectors(visible, block);
    }

    boolean isEqual(SimDisk other, int block) {
        int from = block * SECTORS;
        return Arrays.equals(visible, from, from + SECTORS, other.visible, from, from + SECTORS);
    }

    BlockData durable(int block) {
        return sectors(durable, block);
    }

    private static BlockData sectors(long[] from, int block) {
        ByteBuffer bytes = ByteBuffer.allocate(SECTORS * Long.BYTES);
        for (int i = 0; i < SECTORS; i++) {
            bytes.putLong(from[block * SECTORS + i]);
        }
        return new BlockData(bytes.array());
    }

    /** What the log has durably. */
    BrickMetadata logged() {
        return logged;
    }

    /** As the next process replays it. */
    BrickMetadata replay() {
        BrickMetadata metadata = new BrickMetadata(brick, layout);
        log.forEach(metadata::apply);
        return metadata;
    }
}
