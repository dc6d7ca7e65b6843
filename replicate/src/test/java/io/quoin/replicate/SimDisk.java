package io.quoin.replicate;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
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

    /** A resize has the whole file: what is called before it ends before, what after it later. */
    private long lastResizeDue;

    private long lastWriteDue;
    private boolean isSyncing;
    private boolean isCacheLost;
    private boolean isSyncToFail;
    private boolean isFull;
    private final Map<Integer, Long> slowBlocks = new HashMap<>();
    private long failedCacheEpoch;
    private long writeDelayNanos;
    private long sizeBytes;
    private long durableBytes;
    private long wipes;
    private final BitSet corrupt = new BitSet();

    /** Under which newest committed configuration its disk went back to an earlier time. */
    private Config rolledBackUnder = Config.NONE;

    /** What a disk has, all of it durable. */
    record Copy(List<MetaRecord> log, List<Long> content, long sizeBytes) {}

    private record Write(int firstSector, Payload data) {
        int sectors() {
            return data.lengthBytes() / Long.BYTES;
        }
    }

    SimDisk(SimWorld world, SimWorld.Node node, int brick, Layout layout) {
        this.world = world;
        this.node = node;
        this.brick = brick;
        this.layout = layout;
        this.random = world.random();
        int sectors = SimWorld.BLOCKS * SECTORS;
        this.durable = new long[sectors];
        this.visible = new long[sectors];
        for (int i = 0; i < sectors; i++) {
            versions.add(new ArrayList<>());
        }
        this.logged = new BrickMetadata(brick, layout);
    }

    static Payload block(long stamp) {
        return Payload.of(
                ByteBuffer.allocate(SECTORS * Long.BYTES).putLong(stamp).putLong(stamp).array());
    }

    static long stamp(Payload data, int sector) {
        return ByteBuffer.wrap(data.bytes()).getLong(sector * Long.BYTES);
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
    public void write(long offsetBytes, Payload data, Consumer<StoreResult> done) {
        Write write = new Write((int) offsetBytes / Long.BYTES, data);
        inFlight.add(write);
        world.checks.writing(brick, offsetBytes, data);
        requireActive(SimWorld.GEOMETRY.region(offsetBytes));
        int block = (int) offsetBytes / SimWorld.GEOMETRY.blockBytes();
        long delayNanos =
                slowBlocks.getOrDefault(block, writeDelayNanos) + random.nextLong(OPERATION_NANOS);
        long due = Math.max(world.now() + delayNanos, lastResizeDue + 1);
        lastWriteDue = Math.max(lastWriteDue, due);
        world.after(
                due - world.now(),
                node,
                () -> {
                    inFlight.remove(write);
                    for (int i = 0; i < write.sectors(); i++) {
                        if (!isFull || random.nextBoolean()) {
                            store(write.firstSector() + i, stamp(data, i));
                        }
                    }
                    done.accept(isFull ? StoreResult.NO_SPACE : StoreResult.OK);
                });
    }

    private void requireActive(int region) {
        SimWorld.require(
                logged.isActive(region),
                "I6: write to a region that is not durably active: brick=" + brick);
    }

    @Override
    public void writeZeroes(
            long offsetBytes, int lengthBytes, boolean mayUnmap, Consumer<StoreResult> done) {
        write(offsetBytes, Payload.of(new byte[lengthBytes]), done);
    }

    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    /** What is cut is zero, also if the file grows again. */
    @Override
    public void resize(long newSizeBytes, Consumer<StoreResult> done) {
        for (long cut = newSizeBytes; cut < sizeBytes; cut += Long.BYTES) {
            requireActive(SimWorld.GEOMETRY.region(cut));
        }
        long due = world.now() + random.nextLong(OPERATION_NANOS);
        lastResizeDue = Math.max(due, Math.max(lastWriteDue, lastResizeDue) + 1);
        world.after(
                lastResizeDue - world.now(),
                node,
                () -> {
                    for (long cut = newSizeBytes; cut < sizeBytes; cut += Long.BYTES) {
                        store((int) cut / Long.BYTES, 0);
                    }
                    sizeBytes = newSizeBytes;
                    done.accept(StoreResult.OK);
                });
    }

    @Override
    public void bind(BitSet regions, Consumer<Boolean> done) {
        world.after(random.nextLong(OPERATION_NANOS), node, () -> done.accept(true));
    }

    private void store(int sector, long stamp) {
        corrupt.clear(sector);
        visible[sector] = stamp;
        versions.get(sector).add(stamp);
        sizeBytes = Math.max(sizeBytes, (sector + 1L) * Long.BYTES);
    }

    @Override
    public void read(long offsetBytes, int lengthBytes, Consumer<Payload> done) {
        int first = (int) offsetBytes / Long.BYTES;
        int count = lengthBytes / Long.BYTES;
        world.after(
                random.nextLong(OPERATION_NANOS),
                node,
                () -> done.accept(isCorrupt(first, count) ? null : sectors(visible, first, count)));
    }

    @Override
    public void sync(Consumer<Boolean> done) {
        List<Integer> counts = versions.stream().map(List::size).toList();
        long syncedBytes = sizeBytes;
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
                        durableBytes = syncedBytes;
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

    /**
     * What was dirty is clean now, durable or not, and what is read may be either; what was cut
     * stays cut.
     */
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
        for (int sector = (int) sizeBytes / Long.BYTES; sector < durable.length; sector++) {
            durable[sector] = 0;
            visible[sector] = 0;
            versions.get(sector).clear();
        }
    }

    /** The process is gone: a write under way may have reached a part of its sectors. */
    void kill() {
        for (Write write : inFlight) {
            for (int i = 0; i < write.sectors(); i++) {
                if (random.nextBoolean()) {
                    store(write.firstSector() + i, stamp(write.data(), i));
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
        sizeBytes = random.nextBoolean() ? durableBytes : sizeBytes;
        for (int sector = 0; sector < durable.length; sector++) {
            if (durable[sector] != 0) {
                sizeBytes = Math.max(sizeBytes, (sector + 1L) * Long.BYTES);
            }
        }
        durableBytes = sizeBytes;
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

    /** A block is not what its checksum says, until it is written again. */
    void corrupt(int block) {
        corrupt.set(block * SECTORS, (block + 1) * SECTORS);
    }

    boolean isCorrupt() {
        return !corrupt.isEmpty();
    }

    private boolean isCorrupt(int first, int count) {
        int next = corrupt.nextSetBit(first);
        return next >= 0 && next < first + count;
    }

    /** Writes end with NO_SPACE, and may have stored some of their sectors. */
    void setFull(boolean full) {
        isFull = full;
    }

    /** Writes that begin from now on take longer. */
    void setWriteDelay(long nanos) {
        writeDelayNanos = nanos;
    }

    /** So do writes to this block. */
    void setWriteDelay(int block, long nanos) {
        slowBlocks.put(block, nanos);
    }

    Payload content(int block) {
        return sectors(visible, block * SECTORS, SECTORS);
    }

    /** Whether these bytes are there. */
    boolean isSame(long offsetBytes, Payload data) {
        int first = (int) offsetBytes / Long.BYTES;
        return sectors(visible, first, data.lengthBytes() / Long.BYTES).equals(data);
    }

    boolean isEqual(SimDisk other, int block) {
        int from = block * SECTORS;
        return Arrays.equals(visible, from, from + SECTORS, other.visible, from, from + SECTORS);
    }

    Payload durable(int block) {
        return sectors(durable, block * SECTORS, SECTORS);
    }

    private static Payload sectors(long[] from, int first, int count) {
        ByteBuffer bytes = ByteBuffer.allocate(count * Long.BYTES);
        for (int i = first; i < first + count; i++) {
            bytes.putLong(from[i]);
        }
        return SimWorld.POOL.copyOf(bytes.array());
    }

    /** What the log has durably. */
    BrickMetadata logged() {
        return logged;
    }

    /** Another disk is in its place, formatted. */
    void wipe() {
        kill();
        wipes++;
        log.clear();
        versions.forEach(List::clear);
        Arrays.fill(durable, 0);
        Arrays.fill(visible, 0);
        corrupt.clear();
        sizeBytes = 0;
        durableBytes = 0;
        isCacheLost = false;
        isSyncToFail = false;
        failedCacheEpoch = 0;
        logged = unused();
    }

    /** Of what is seen of it; while no process has it. */
    Copy copy() {
        return new Copy(List.copyOf(log), Arrays.stream(visible).boxed().toList(), sizeBytes);
    }

    /** It is again as it was copied. */
    void rollBack(Copy copy) {
        kill();
        rolledBackUnder = world.committed();
        log.clear();
        log.addAll(copy.log());
        versions.forEach(List::clear);
        for (int sector = 0; sector < durable.length; sector++) {
            durable[sector] = copy.content().get(sector);
            visible[sector] = durable[sector];
        }
        sizeBytes = copy.sizeBytes();
        durableBytes = sizeBytes;
        logged = replay();
    }

    /** Whether it has forgotten something, and has not been told of a configuration since. */
    boolean isRolledBack() {
        return !rolledBackUnder.isNone() && !logged.config().isNewerThan(rolledBackUnder);
    }

    /** The image is new on all bricks at first. */
    private BrickMetadata unused() {
        return wipes == 0
                ? new BrickMetadata(brick, layout)
                : BrickMetadata.blank(brick, layout, Incarnation.firstCacheEpoch(wipes << 40));
    }

    /** As the next process replays it. */
    BrickMetadata replay() {
        BrickMetadata metadata = unused();
        log.forEach(metadata::apply);
        return metadata;
    }
}
