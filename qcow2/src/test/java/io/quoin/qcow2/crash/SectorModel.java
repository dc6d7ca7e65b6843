package io.quoin.qcow2.crash;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;

/**
 * What each sector of a disk may read as after a crash: what was flushed, or a write submitted
 * since. Its calls are made again, in the same order, while a crash is replayed.
 *
 * <p>Threading: confined to the test.
 */
final class SectorModel {
    private static final int SECTOR = SectorStamp.SECTOR_BYTES;

    /** A change of a range to one stamp. */
    static final class Change {
        final int number;
        final long offset;
        final long length;
        final int stamp;
        boolean complete;

        Change(int number, long offset, long length, int stamp) {
            this.number = number;
            this.offset = offset;
            this.length = length;
            this.stamp = stamp;
        }

        boolean covers(long at) {
            return offset <= at && at < offset + length;
        }
    }

    private final int[] stableStamp;
    private final int[] stableNumber;
    private final List<Change> loose = new ArrayList<>();
    private final TreeSet<Long> sizes = new TreeSet<>();

    /**
     * @param sizeBytesMax the largest that the disk becomes
     */
    SectorModel(long sizeBytes, long sizeBytesMax) {
        this.stableStamp = new int[(int) (sizeBytesMax / SECTOR)];
        this.stableNumber = new int[stableStamp.length];
        sizes.add(sizeBytes);
    }

    private SectorModel(SectorModel other) {
        stableStamp = other.stableStamp.clone();
        stableNumber = other.stableNumber.clone();
        sizes.addAll(other.sizes);
    }

    /** A model of the same state, for a replay. */
    SectorModel copy() {
        return new SectorModel(this);
    }

    /** Content that is there from the start. */
    void present(long offset, long length, int stamp) {
        Arrays.fill(
                stableStamp, (int) (offset / SECTOR), (int) ((offset + length) / SECTOR), stamp);
    }

    void submitted(Change change) {
        change.complete = false;
        loose.add(change);
    }

    void completed(Change change, boolean forced) {
        change.complete = true;
        if (forced) {
            stable(List.of(change));
        }
    }

    /** What a flush that is submitted now covers. */
    List<Change> covered() {
        return loose.stream().filter(change -> change.complete).toList();
    }

    void stable(List<Change> changes) {
        for (Change change : changes) {
            int end = (int) ((change.offset + change.length) / SECTOR);
            for (int i = (int) (change.offset / SECTOR); i < end; i++) {
                if (change.number > stableNumber[i]) {
                    stableNumber[i] = change.number;
                    stableStamp[i] = change.stamp;
                }
            }
        }
        loose.removeAll(changes);
    }

    void resizing(long newSizeBytes, Change cut) {
        sizes.add(newSizeBytes);
        if (cut.length > 0) {
            submitted(cut);
        }
    }

    /** A size that has been reported is durable. */
    void resized(long newSizeBytes, Change cut) {
        sizes.clear();
        sizes.add(newSizeBytes);
        if (cut.length > 0) {
            stable(List.of(cut));
            // What was written there before must not come back either.
            loose.removeIf(change -> change.offset >= newSizeBytes);
        }
    }

    /** What is wrong with this content, empty if nothing is. */
    String judge(byte[] content) {
        if (!sizes.contains((long) content.length)) {
            return "size is " + content.length + ", expected one of " + sizes;
        }
        for (int at = 0; at < content.length; at += SECTOR) {
            int stamp = SectorStamp.stampOf(content, at);
            if (!isAllowed(at, stamp)) {
                return "sector at "
                        + at
                        + " has stamp "
                        + stamp
                        + ", flushed is "
                        + stableStamp[at / SECTOR]
                        + " and written since are "
                        + since(at);
            }
        }
        return "";
    }

    private boolean isAllowed(int at, int stamp) {
        int sector = at / SECTOR;
        if (stamp == stableStamp[sector]) {
            return true;
        }
        for (Change change : loose) {
            if (change.stamp == stamp
                    && change.covers(at)
                    && change.number > stableNumber[sector]) {
                return true;
            }
        }
        return false;
    }

    private List<Integer> since(int at) {
        return loose.stream().filter(c -> c.covers(at)).map(c -> c.stamp).toList();
    }

    /** What the whole disk reads as now that everything is complete. */
    byte[] content() {
        int size = Math.toIntExact(sizes.last());
        int[] stamps = Arrays.copyOf(stableStamp, size / SECTOR);
        int[] numbers = stableNumber.clone();
        for (Change change : loose) {
            long end = Math.min(size, change.offset + change.length);
            for (int i = (int) (change.offset / SECTOR); i < end / SECTOR; i++) {
                if (change.number > numbers[i]) {
                    numbers[i] = change.number;
                    stamps[i] = change.stamp;
                }
            }
        }
        byte[] content = new byte[size];
        for (int i = 0; i < stamps.length; i++) {
            byte[] sector = SectorStamp.bytes(stamps[i], (long) i * SECTOR, SECTOR);
            System.arraycopy(sector, 0, content, i * SECTOR, SECTOR);
        }
        return content;
    }
}
