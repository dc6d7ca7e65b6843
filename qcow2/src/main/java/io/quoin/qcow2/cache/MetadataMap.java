package io.quoin.qcow2.cache;

import java.util.Arrays;
import org.agrona.collections.Long2ObjectHashMap;

/**
 * Which host clusters hold metadata, and of what kind: header, L1, L2, refcount table and blocks,
 * snapshot tables, bitmaps. Every write of data asks it first, and so does every write of metadata,
 * so that a wrong entry cannot destroy the image. A byte for each cluster, in pages that exist only
 * where there is metadata.
 *
 * <p>Threading: confined(loop).
 */
public final class MetadataMap {
    private static final int PAGE_BITS = 8;
    private static final int PAGE_MASK = (1 << PAGE_BITS) - 1;

    /** Beyond, pages are in a hash map: a sparse file of many exabytes must cost no memory. */
    private static final int NEAR_PAGES_MAX = 1 << 20;

    private static final byte[] NONE = {};

    private final Long2ObjectHashMap<byte[]> far = new Long2ObjectHashMap<>();
    private byte[][] near = new byte[0][];

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
        for (long i = clusterIndex; i < clusterIndex + count; i++) {
            if (kind(i) != 0) {
                return true;
            }
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
        byte[] page = pageToChange(clusterIndex >>> PAGE_BITS);
        int at = (int) clusterIndex & PAGE_MASK;
        if (page[at] != 0) {
            return false;
        }
        page[at] = kind.code();
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
        if (contains(clusterIndex)) {
            page(clusterIndex >>> PAGE_BITS)[(int) clusterIndex & PAGE_MASK] = 0;
        }
    }

    private byte kind(long clusterIndex) {
        byte[] page = page(clusterIndex >>> PAGE_BITS);
        return page.length == 0 ? 0 : page[(int) clusterIndex & PAGE_MASK];
    }

    private byte[] page(long index) {
        if (index < near.length) {
            return near[(int) index];
        }
        if (index < NEAR_PAGES_MAX || far.isEmpty()) {
            return NONE;
        }
        byte[] page = far.get(index);
        return page == null ? NONE : page;
    }

    private byte[] pageToChange(long index) {
        if (index >= NEAR_PAGES_MAX) {
            return far.computeIfAbsent(index, key -> new byte[1 << PAGE_BITS]);
        }
        if (index >= near.length) {
            int before = near.length;
            long wanted = Math.max(index + 1, before * 2L);
            near = Arrays.copyOf(near, (int) Math.min(wanted, NEAR_PAGES_MAX));
            Arrays.fill(near, before, near.length, NONE);
        }
        int at = (int) index;
        if (near[at].length == 0) {
            near[at] = new byte[1 << PAGE_BITS];
        }
        return near[at];
    }
}
