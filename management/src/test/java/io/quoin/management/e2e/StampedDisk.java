package io.quoin.management.e2e;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;

/**
 * What each sector of some slots of a disk may hold, as a client can know it: every value written
 * since the last one that a flush has made durable. Each slot is one run of sectors; the slots lie
 * scattered over the disk so that several tables of the image are touched.
 *
 * <p>Every change has a stamp of its own: a positive one is the value that the sector then holds
 * with its number, repeated; a negative one stands for a sector of zeros.
 */
final class StampedDisk {
    static final int SECTOR_BYTES = 512;
    static final int SLOT_BYTES = 64 << 10;
    static final int SLOT_SECTORS = SLOT_BYTES / SECTOR_BYTES;

    private static final long MULTIPLIER = 0x9E3779B97F4A7C15L;
    private static final long[] ZEROS = {0};

    private final long[] slotOffsets;

    /** Per sector the stamps of what it may hold; [0] is the last one known to be durable. */
    private final long[][] stamps;

    /**
     * Per sector what it holds for a client of a server that has not ended since: [0], or later.
     */
    private final long[][] served;

    StampedDisk(Random random, long sizeBytes, int slots) {
        slotOffsets = new long[slots];
        long strideBytes = sizeBytes / slots / SLOT_BYTES * SLOT_BYTES;
        for (int slot = 0; slot < slots; slot++) {
            long shift = (long) random.nextInt((int) (strideBytes / SLOT_BYTES)) * SLOT_BYTES;
            slotOffsets[slot] = slot * strideBytes + shift;
        }
        stamps = new long[slots * SLOT_SECTORS][];
        Arrays.fill(stamps, ZEROS);
        served = stamps.clone();
    }

    int slots() {
        return slotOffsets.length;
    }

    long offset(int slot) {
        return slotOffsets[slot];
    }

    /** The sectors' content for this value. */
    static ByteBuffer content(int firstSector, int count, long value) {
        ByteBuffer data = ByteBuffer.allocate(count * SECTOR_BYTES);
        for (int sector = firstSector; sector < firstSector + count; sector++) {
            for (int word = 0; word < SECTOR_BYTES / Long.BYTES; word += 2) {
                data.putLong(value == 0 ? 0 : (sector + 1) * MULTIPLIER ^ word);
                data.putLong(value);
            }
        }
        return data.flip();
    }

    /** From here on the sectors may hold what this stamp stands for as well. */
    void maybe(int firstSector, int count, long stamp) {
        for (int sector = firstSector; sector < firstSector + count; sector++) {
            stamps[sector] = with(stamps[sector], stamp);
            served[sector] = with(served[sector], stamp);
        }
    }

    private static long[] with(long[] known, long stamp) {
        long[] more = Arrays.copyOf(known, known.length + 1);
        more[known.length] = stamp;
        return more;
    }

    /** The server has said that this change is done: nothing from before it is read any more. */
    void acknowledged(int firstSector, int count, long stamp) {
        forget(served, firstSector, count, stamp);
    }

    /** A flush has made this change durable: nothing from before it may come back. */
    void durable(int firstSector, int count, long stamp) {
        forget(stamps, firstSector, count, stamp);
    }

    private static void forget(long[][] all, int firstSector, int count, long stamp) {
        for (int sector = firstSector; sector < firstSector + count; sector++) {
            long[] known = all[sector];
            for (int at = known.length - 1; at > 0; at--) {
                if (known[at] == stamp) {
                    all[sector] = Arrays.copyOfRange(known, at, known.length);
                    break;
                }
            }
        }
    }

    /**
     * Takes what a slot holds after a crash: each sector must hold one of its possible stamps,
     * which is then the one it is known to hold. Returns a description of the first sector at
     * fault, or "".
     */
    String settle(int slot, ByteBuffer actual) {
        String fault = fault(slot, actual, stamps);
        for (int index = 0; fault.isEmpty() && index < SLOT_SECTORS; index++) {
            int sector = slot * SLOT_SECTORS + index;
            stamps[sector] = new long[] {value(actual, index)};
            served[sector] = stamps[sector];
        }
        return fault;
    }

    /** As {@link #settle}, while the server lives: what was acknowledged must be there. */
    String read(int slot, ByteBuffer actual) {
        String fault = fault(slot, actual, served);
        for (int index = 0; fault.isEmpty() && index < SLOT_SECTORS; index++) {
            served[slot * SLOT_SECTORS + index] = new long[] {value(actual, index)};
        }
        return fault;
    }

    private static long value(ByteBuffer slot, int index) {
        return slot.getLong(index * SECTOR_BYTES + Long.BYTES);
    }

    private String fault(int slot, ByteBuffer actual, long[][] all) {
        for (int index = 0; index < SLOT_SECTORS; index++) {
            int sector = slot * SLOT_SECTORS + index;
            ByteBuffer held = actual.slice(index * SECTOR_BYTES, SECTOR_BYTES);
            long value = value(actual, index);
            boolean isWhole = held.equals(content(sector, 1, value));
            if (!isWhole || Arrays.stream(all[sector]).noneMatch(s -> Math.max(s, 0) == value)) {
                return "slot "
                        + slot
                        + " at guest offset "
                        + (slotOffsets[slot] + (long) index * SECTOR_BYTES)
                        + ": "
                        + (all == served ? "acknowledged" : "durable")
                        + " stamp and later ones="
                        + Arrays.toString(all[sector])
                        + ", actual value="
                        + value
                        + (isWhole ? "" : " in a torn sector");
            }
        }
        return "";
    }
}
