package io.quoin.qcow2.io;

import java.util.concurrent.ThreadLocalRandom;

/**
 * Which host clusters hold metadata, and of what kind: header, L1, L2, refcount table and blocks,
 * snapshot tables, bitmaps. Every write of data asks it first, and so does every write of metadata,
 * so that a wrong entry cannot destroy the image.
 *
 * <pre>
 *  a hash table, open, linear, at most half full, of pairs of words:
 *  | ~(cluster / 16), 0: free | 16 kinds of 4 bits, the lowest is the first cluster's |
 * </pre>
 *
 * Metadata lie far apart (an L2 table for each 512 clusters of 4 KiB), so what counts is the memory
 * for one of them alone: 32 to 64 bytes. Clusters come from the image, which need not be trusted:
 * the hash is multiplied with a random number, so that no image can make them collide.
 *
 * <p>Threading: confined(loop).
 */
public final class MetadataMap {
    /** As many groups of 16 clusters an image may have when it is opened: 64 MiB. */
    public static final int GROUPS_AT_OPEN_MAX = 1 << 21;

    /** Left for what is not allocated cluster by cluster: longer L1 tables, bitmaps. */
    private static final int GROUPS_SPARE = 1 << 16;

    private static final int GROUP_BITS = 4;
    private static final int KIND_BITS = 4;
    private static final int GROUP_CLUSTERS = 1 << GROUP_BITS;
    private static final int KIND_MASK = (1 << KIND_BITS) - 1;
    private static final int CAPACITY_MIN = 64;

    private final long multiplier = ThreadLocalRandom.current().nextLong() | 1;
    private long[] pairs = new long[2 * CAPACITY_MIN];
    private int shift = Long.SIZE - Integer.numberOfTrailingZeros(CAPACITY_MIN);

    /** Pairs in use, also for groups that have no metadata any more. */
    private int used;

    /** Groups that have metadata. */
    private int live;

    /**
     * Whether an image that is being opened may have {@code clusters} more, side by side; each
     * image has its bound, so that none takes the memory of all.
     */
    public boolean hasRoom(long clusters) {
        return live + (clusters >>> GROUP_BITS) < GROUPS_AT_OPEN_MAX;
    }

    /** Whether an open image may get more tables and still be opened when it has been closed. */
    public boolean hasRoomToGrow() {
        return live < GROUPS_AT_OPEN_MAX - GROUPS_SPARE;
    }

    /** Whether cluster {@code clusterIndex} holds metadata. */
    public boolean contains(long clusterIndex) {
        return kind(clusterIndex) != 0;
    }

    /** What cluster {@code clusterIndex} holds. */
    public MetadataKind kindOf(long clusterIndex) {
        return MetadataKind.of(kind(clusterIndex));
    }

    /** Whether any of {@code count} clusters holds metadata. */
    public boolean containsAny(long clusterIndex, long count) {
        long end = clusterIndex + count;
        long at = clusterIndex;
        while (at < end) {
            long groupEnd = Math.min(end, (at | (GROUP_CLUSTERS - 1)) + 1);
            long kinds = kinds(at >>> GROUP_BITS);
            for (; kinds != 0 && at < groupEnd; at++) {
                if (kindIn(kinds, at) != 0) {
                    return true;
                }
            }
            at = groupEnd;
        }
        return false;
    }

    /** The first of {@code count} clusters that does not hold {@code kind}; -1: all do. */
    public long firstOther(MetadataKind kind, long clusterIndex, long count) {
        for (long i = clusterIndex; i < clusterIndex + count; i++) {
            if (kind(i) != kind.code()) {
                return i;
            }
        }
        return -1;
    }

    /** Adds a cluster; {@code false} if it was there already, which then is what it was. */
    public boolean add(long clusterIndex, MetadataKind kind) {
        int slot = slotToChange(clusterIndex >>> GROUP_BITS);
        long kinds = pairs[slot + 1];
        if (kindIn(kinds, clusterIndex) != 0) {
            return false;
        }
        pairs[slot + 1] = kinds | (long) kind.code() << bitOf(clusterIndex);
        live += kinds == 0 ? 1 : 0;
        return true;
    }

    /** Adds {@code count} clusters; {@code false} if one of them was there already. */
    public boolean addAll(long clusterIndex, long count, MetadataKind kind) {
        boolean allNew = true;
        for (long i = clusterIndex; i < clusterIndex + count; i++) {
            allNew &= add(i, kind);
        }
        return allNew;
    }

    public void remove(long clusterIndex) {
        int slot = slot(clusterIndex >>> GROUP_BITS);
        long kinds = pairs[slot + 1];
        // A group without metadata keeps its pair until the table is rebuilt: others lie behind it.
        pairs[slot + 1] = kinds & ~((long) KIND_MASK << bitOf(clusterIndex));
        live -= kinds != 0 && pairs[slot + 1] == 0 ? 1 : 0;
    }

    private byte kind(long clusterIndex) {
        return kindIn(kinds(clusterIndex >>> GROUP_BITS), clusterIndex);
    }

    private static byte kindIn(long kinds, long clusterIndex) {
        return (byte) (kinds >>> bitOf(clusterIndex) & KIND_MASK);
    }

    private static int bitOf(long clusterIndex) {
        return ((int) clusterIndex & (GROUP_CLUSTERS - 1)) * KIND_BITS;
    }

    private long kinds(long group) {
        return pairs[slot(group) + 1];
    }

    /** Where the pair of {@code group} is, or the free one, of zeros, where it would go. */
    private int slot(long group) {
        long[] table = pairs;
        int mask = table.length - 1;
        int slot = (int) ((group * multiplier) >>> shift) << 1;
        while (table[slot] != ~group && table[slot] != 0) {
            slot = slot + 2 & mask;
        }
        return slot;
    }

    private int slotToChange(long group) {
        int slot = slot(group);
        if (pairs[slot] != 0) {
            return slot;
        }
        if (4 * (used + 1) > pairs.length) {
            rebuild();
            slot = slot(group);
        }
        pairs[slot] = ~group;
        used++;
        return slot;
    }

    /** Without what is empty; twice as large where that would leave it more than a quarter full. */
    private void rebuild() {
        long[] old = pairs;
        if (8L * live > old.length) {
            pairs = new long[Math.multiplyExact(old.length, 2)];
            shift--;
        } else {
            pairs = new long[old.length];
        }
        used = live;
        for (int i = 0; i < old.length; i += 2) {
            if (old[i + 1] != 0) {
                int slot = slot(~old[i]);
                pairs[slot] = old[i];
                pairs[slot + 1] = old[i + 1];
            }
        }
    }
}
