package io.quoin.block;

/**
 * The sizes of a device, in bytes.
 *
 * <p>Threading: immutable.
 *
 * @param sizeBytes the device's size; it may change only by a resize
 * @param blockSizeMin the unit that offsets and lengths must be multiples of; a power of two
 * @param blockSizePreferred the unit that is served best; a power of two, at least {@code
 *     blockSizeMin}
 * @param transferBytesMax the largest memory a single READ or WRITE may carry
 */
public record Geometry(
        long sizeBytes, int blockSizeMin, int blockSizePreferred, int transferBytesMax) {
    public Geometry {
        Invariant.check(sizeBytes >= 0, "negative size");
        Invariant.check(
                Integer.bitCount(blockSizeMin) == 1, "minimum block size is no power of two");
        Invariant.check(
                Integer.bitCount(blockSizePreferred) == 1,
                "preferred block size is no power of two");
        Invariant.check(
                blockSizePreferred >= blockSizeMin, "preferred block size below the minimum");
        Invariant.check(
                transferBytesMax >= blockSizePreferred,
                "transfer limit below the preferred block size");
    }

    /** One of bytes, which are best served as blocks of 4096, with any transfer. */
    public static Geometry ofSize(long sizeBytes) {
        return new Geometry(sizeBytes, 1, 4096, 1 << 30);
    }

    public Geometry blockSizes(int min, int preferred) {
        return new Geometry(sizeBytes, min, preferred, transferBytesMax);
    }

    public Geometry transferMax(int bytes) {
        return new Geometry(sizeBytes, blockSizeMin, blockSizePreferred, bytes);
    }

    /** The same size in units that {@code other} can serve too. */
    public Geometry within(Geometry other) {
        return new Geometry(
                sizeBytes,
                Math.max(blockSizeMin, other.blockSizeMin),
                Math.max(blockSizePreferred, other.blockSizePreferred),
                Math.min(transferBytesMax, other.transferBytesMax));
    }

    public Geometry withSizeBytes(long newSizeBytes) {
        return new Geometry(newSizeBytes, blockSizeMin, blockSizePreferred, transferBytesMax);
    }
}
