package io.quoin.replicate.store;

import io.quoin.replicate.Geometry;
import io.quoin.replicate.Payload;
import java.util.BitSet;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The blocks of a file whose stored checksum may be of what was there before: those written since
 * their region was bound last. Every other stored checksum is right, and durable. Of a block that a
 * write has covered wholly its checksum is kept, so that it need not be read to be bound.
 *
 * <p>Threading: confined(loop).
 */
final class WrittenBlocks {
    private final Geometry geometry;
    private final Checksums checksums;
    private final int blocksOfRegion;
    private final Map<Integer, Region> written = new TreeMap<>();
    private final Map<Integer, Region> binding = new TreeMap<>();

    /** Blocks of one region. */
    final class Region {
        private final BitSet blocks = new BitSet();
        private final BitSet known = new BitSet();
        private int[] sums = {};

        /** Those that were written. */
        BitSet blocks() {
            return blocks;
        }

        /** Those of them that have to be read for their checksum. */
        BitSet unknown() {
            BitSet unknown = (BitSet) blocks.clone();
            unknown.andNot(known);
            return unknown;
        }

        /** The checksum of a block that was written and is not unknown. */
        int sum(int block) {
            return sums[block];
        }

        private void learn(int block, int sum) {
            if (sums.length == 0) {
                sums = new int[blocksOfRegion];
            }
            sums[block] = sum;
            known.set(block);
        }
    }

    /**
     * @param active regions that a process before this one may have written to, anywhere
     */
    WrittenBlocks(Geometry geometry, Checksums checksums, BitSet active) {
        this.geometry = geometry;
        this.checksums = checksums;
        this.blocksOfRegion = (int) (geometry.regionBytes() / geometry.blockBytes());
        active.stream().forEach(region -> region(region).blocks.set(0, blocksOfRegion));
    }

    private Region region(int region) {
        return written.computeIfAbsent(region, key -> new Region());
    }

    /** A range within one region is about to be changed. */
    void add(long offsetBytes, long lengthBytes) {
        Region region = region(geometry.region(offsetBytes));
        int first = inRegion(offsetBytes);
        int last = inRegion(offsetBytes + lengthBytes - 1);
        region.blocks.set(first, last + 1);
        region.known.clear(first, last + 1);
    }

    /** The data are in the file now, and nothing else was written there since {@link #add}. */
    void learn(long offsetBytes, Payload data) {
        int block = geometry.blockBytes();
        int before = (int) ((block - offsetBytes % block) % block);
        Region region = region(geometry.region(offsetBytes));
        for (int at = before; at + block <= data.lengthBytes(); at += block) {
            region.learn(inRegion(offsetBytes + at), checksums.of(data, at));
        }
    }

    /** What is in the file may not be what was written: all of it is read to be bound. */
    void forgetSums() {
        written.values().forEach(region -> region.known.clear());
        binding.values().forEach(region -> region.known.clear());
    }

    private int inRegion(long offsetBytes) {
        return (int) (offsetBytes % geometry.regionBytes() / geometry.blockBytes());
    }

    boolean contains(long offsetBytes) {
        int region = geometry.region(offsetBytes);
        int block = inRegion(offsetBytes);
        return isSet(written.get(region), block) || isSet(binding.get(region), block);
    }

    private static boolean isSet(@Nullable Region region, int block) {
        return region != null && region.blocks.get(block);
    }

    /** Takes the blocks to bind; null: there are none. What is written from now on is not bound. */
    @Nullable Region beginBind(int region) {
        Region taken = written.remove(region);
        if (taken != null) {
            binding.put(region, taken);
        }
        return taken;
    }

    /** The stored checksums of what was taken are right and durable, or may not be. */
    void endBind(boolean isBound) {
        if (!isBound) {
            binding.forEach((index, taken) -> region(index).blocks.or(taken.blocks));
        }
        binding.clear();
    }
}
