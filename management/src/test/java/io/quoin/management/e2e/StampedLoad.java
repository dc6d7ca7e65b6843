package io.quoin.management.e2e;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Writes, zeroes and trims random parts of a stamped disk, and records what was acknowledged and
 * what a flush, on whichever connection, has then covered.
 */
final class StampedLoad {
    private static final int BATCH_MAX = 16;
    private static final int TRIM = 1;
    private static final int ZERO = 2;
    private static final int FUA = 3;
    private static final int KINDS = 12;

    private record Change(int firstSector, int count, long stamp, boolean certain, boolean fua) {}

    private final StampedDisk disk;
    private final Random random;
    private final boolean survivesUnflushed;
    private final List<Change> unflushed = new ArrayList<>();
    private long lastStamp;
    private long changes;
    private long flushes;

    /**
     * @param firstStamp all of its own are above
     * @param survivesUnflushed whether what was acknowledged must survive without a flush
     */
    StampedLoad(StampedDisk disk, Random random, long firstStamp, boolean survivesUnflushed) {
        this.disk = disk;
        this.random = random;
        this.survivesUnflushed = survivesUnflushed;
        lastStamp = firstStamp;
    }

    /** Changes several slots at once without waiting, then waits for all the answers. */
    void batch(NbdConnection connection) throws IOException {
        List<Integer> slots = new ArrayList<>();
        for (int count = 1 + random.nextInt(BATCH_MAX); count > 0; count--) {
            int slot = random.nextInt(disk.slots());
            if (!slots.contains(slot)) {
                slots.add(slot);
            }
        }
        List<Change> sent = new ArrayList<>();
        for (int slot : slots) {
            sent.add(change(connection, slot, sent.size()));
        }
        for (int left = sent.size(); left > 0; left--) {
            acknowledged(sent.get((int) connection.reply()));
        }
    }

    private void acknowledged(Change done) {
        changes++;
        if (!done.certain) {
            return;
        }
        disk.acknowledged(done.firstSector, done.count, done.stamp);
        if (done.fua || survivesUnflushed) {
            disk.durable(done.firstSector, done.count, done.stamp);
        } else {
            unflushed.add(done);
        }
    }

    private Change change(NbdConnection connection, int slot, int cookie) throws IOException {
        int kind = random.nextInt(KINDS);
        int firstOfSlot = slot * StampedDisk.SLOT_SECTORS;
        if (kind == TRIM || kind == ZERO) {
            long stamp = - ++lastStamp;
            disk.maybe(firstOfSlot, StampedDisk.SLOT_SECTORS, stamp);
            connection.request(
                    kind == TRIM ? NbdConnection.TRIM : NbdConnection.WRITE_ZEROES,
                    0,
                    cookie,
                    disk.offset(slot),
                    StampedDisk.SLOT_BYTES);
            return new Change(firstOfSlot, StampedDisk.SLOT_SECTORS, stamp, kind == ZERO, false);
        }
        int index = random.nextInt(StampedDisk.SLOT_SECTORS);
        int count = 1 + random.nextInt(Math.min(32, StampedDisk.SLOT_SECTORS - index));
        boolean fua = kind == FUA;
        Change change = new Change(firstOfSlot + index, count, ++lastStamp, true, fua);
        disk.maybe(change.firstSector, count, lastStamp);
        ByteBuffer content = StampedDisk.content(change.firstSector, count, lastStamp);
        long offset = disk.offset(slot) + (long) index * StampedDisk.SECTOR_BYTES;
        connection.request(
                NbdConnection.WRITE, fua ? NbdConnection.FLAG_FUA : 0, cookie, offset, content);
        return change;
    }

    /** Covers every change that was acknowledged before, whichever connection it went over. */
    void flush(NbdConnection connection) throws IOException {
        connection.request(NbdConnection.FLUSH, 0, 0, 0, 0);
        connection.reply();
        // The latest change of a sector counts; the earlier ones are dropped with it.
        for (Change change : unflushed) {
            disk.durable(change.firstSector, change.count, change.stamp);
        }
        unflushed.clear();
        flushes++;
    }

    /** The disk is settled: what it holds is known again. */
    void settled() {
        unflushed.clear();
    }

    /** How many changes were acknowledged. */
    long changes() {
        return changes;
    }

    /** How many flushes were answered. */
    long flushes() {
        return flushes;
    }

    long lastStamp() {
        return lastStamp;
    }
}
