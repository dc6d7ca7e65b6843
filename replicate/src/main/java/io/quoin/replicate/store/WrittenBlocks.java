package io.quoin.replicate.store;

import io.quoin.replicate.Geometry;
import java.util.BitSet;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The blocks of a file whose stored checksum may be of what was there before: those written since
 * their region was bound last. Every other stored checksum is right, and durable.
 *
 * <p>Threading: confined(loop).
 */
final class WrittenBlocks {
    private final Geometry geometry;
    private final int blocksOfRegion;
    private final Map<Integer, BitSet> written = new TreeMap<>();
    private final Map<Integer, BitSet> binding = new TreeMap<>();

    /**
     * @param active regions that a process before this one may have written to, anywhere
     */
    WrittenBlocks(Geometry geometry, BitSet active) {
        this.geometry = geometry;
        this.blocksOfRegion = (int) (geometry.regionBytes() / geometry.blockBytes());
        active.stream().forEach(region -> blocks(written, region).set(0, blocksOfRegion));
    }

    private static BitSet blocks(Map<Integer, BitSet> of, int region) {
        return of.computeIfAbsent(region, key -> new BitSet());
    }

    /** A range within one region is about to be written. */
    void add(long offsetBytes, long lengthBytes) {
        int first = inRegion(offsetBytes);
        int last = inRegion(offsetBytes + lengthBytes - 1);
        blocks(written, geometry.region(offsetBytes)).set(first, last + 1);
    }

    private int inRegion(long offsetBytes) {
        return (int) (offsetBytes % geometry.regionBytes() / geometry.blockBytes());
    }

    boolean contains(long offsetBytes) {
        int region = geometry.region(offsetBytes);
        int block = inRegion(offsetBytes);
        return isSet(written.get(region), block) || isSet(binding.get(region), block);
    }

    private static boolean isSet(@Nullable BitSet blocks, int block) {
        return blocks != null && blocks.get(block);
    }

    /** Takes the blocks to bind; null: there are none. What is written from now on is not bound. */
    @Nullable BitSet beginBind(int region) {
        BitSet blocks = written.remove(region);
        if (blocks != null) {
            binding.put(region, blocks);
        }
        return blocks;
    }

    /** The stored checksums of what was taken are right and durable, or may not be. */
    void endBind(boolean isBound) {
        if (!isBound) {
            binding.forEach((region, blocks) -> blocks(written, region).or(blocks));
        }
        binding.clear();
    }
}
