package io.quoin.replicate;

import java.util.BitSet;

/**
 * The sizes of an image's parts.
 *
 * @param regionBytes of a region, the unit of the active and dirty maps; no request goes over the
 *     end of one
 * @param blockBytes of a block, the unit of checksums; divides a region
 */
public record Geometry(long regionBytes, int blockBytes) {
    /** The usual sizes: 1 MiB and 4 KiB. */
    public static final Geometry DEFAULT = new Geometry(1 << 20, 1 << 12);

    /** The region of a byte. */
    public int region(long offsetBytes) {
        return Math.toIntExact(offsetBytes / regionBytes);
    }

    /** Adds the regions that an operation changes on a file of the size. */
    void addChanged(Request.Operation operation, long fileBytes, BitSet regions) {
        if (operation instanceof Request.Write write) {
            regions.set(region(write.offsetBytes()));
        } else if (operation instanceof Request.WriteZeroes zeroes) {
            regions.set(region(zeroes.offsetBytes()));
        } else if (operation instanceof Request.Resize resize && resize.sizeBytes() < fileBytes) {
            regions.set(region(resize.sizeBytes()), region(fileBytes - 1) + 1);
        }
    }
}
