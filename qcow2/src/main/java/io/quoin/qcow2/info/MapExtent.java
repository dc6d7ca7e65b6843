package io.quoin.qcow2.info;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A run of guest bytes that are all stored in the same way.
 *
 * <p>Threading: immutable.
 *
 * @param start guest offset
 * @param length in bytes
 * @param depth which image of the chain has it: 0 the image itself, 1 its backing file, ...
 * @param present whether that image has it allocated, be it as zeros
 * @param zero whether it reads as zeros
 * @param data whether the file has bytes for it
 * @param compressed whether the bytes are compressed
 * @param offset where the bytes are in that image's file; -1 where there is no such place
 */
public record MapExtent(
        long start,
        long length,
        int depth,
        boolean present,
        boolean zero,
        boolean data,
        boolean compressed,
        long offset) {
    public static final long NO_OFFSET = -1;

    /** What has not been looked at. */
    static MapExtent unknown(long start, long length, int depth) {
        return new MapExtent(start, length, depth, false, false, false, false, NO_OFFSET);
    }

    /** The fields by the names that {@code qemu-img map --output=json} uses. */
    public Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("start", start);
        map.put("length", length);
        map.put("depth", depth);
        map.put("present", present);
        map.put("zero", zero);
        map.put("data", data);
        map.put("compressed", compressed);
        if (offset != NO_OFFSET) {
            map.put("offset", offset);
        }
        return map;
    }

    /** Whether {@code next}, which starts where this ends, continues it. */
    public boolean isContinuedBy(MapExtent next) {
        return depth == next.depth
                && present == next.present
                && zero == next.zero
                && data == next.data
                && compressed == next.compressed
                && (offset == NO_OFFSET
                        ? next.offset == NO_OFFSET
                        : next.offset == offset + length);
    }

    public MapExtent joined(MapExtent next) {
        return new MapExtent(
                start, length + next.length, depth, present, zero, data, compressed, offset);
    }
}
