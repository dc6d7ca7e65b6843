package io.quoin.replicate;

/**
 * The size of an image and of its parts.
 *
 * @param blocks count of blocks, the unit of reads and writes
 * @param blocksPerRegion blocks of a region, the unit of the active and dirty maps
 */
public record Geometry(int blocks, int blocksPerRegion) {
    /** The region of a block. */
    public int region(int block) {
        return block / blocksPerRegion;
    }
}
