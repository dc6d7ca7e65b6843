package io.quoin.tools;

import io.quoin.block.Geometry;
import io.quoin.block.IoFlags;
import org.jspecify.annotations.Nullable;

/**
 * What is copied from where to where, and which parts of it need not be stored.
 *
 * <p>Threading: immutable.
 *
 * @param backing the target's backing file, on the source's loop; what reads the same there is not
 *     stored. Null if the target has none.
 * @param backingSizeBytes its size
 * @param endBytes where copying ends, at the source's end or a little behind it
 * @param sourceBytes the source's size
 * @param unitBytes what the target stores at once: parts begin and end at multiples of it
 * @param partBytes what is copied at once at most
 * @param targetIsZero the target reads as zeros as it is
 * @param sparseBytes so many zeros in a row are not stored; 0 stores everything
 * @param compressedBytes so much of it from the start on is stored compressed, in whole units
 */
record CopyPlan(
        OpenedImage source,
        OpenedImage target,
        @Nullable OpenedImage backing,
        long backingSizeBytes,
        long endBytes,
        long sourceBytes,
        int unitBytes,
        int partBytes,
        boolean targetIsZero,
        int sparseBytes,
        long compressedBytes) {
    private static final int PART_BYTES = 2 << 20;
    private static final int UNIT_BYTES_MIN = 4096;
    private static final int SECTOR_BYTES = 512;

    /** Takes the runs that a part consists of. */
    @FunctionalInterface
    interface Runs {
        /** From {@code position} of the part on, {@code runBytes} of data or of zeros. */
        void add(long position, long runBytes, boolean isZero);
    }

    static CopyPlan of(
            OpenedImage source,
            OpenedImage target,
            @Nullable OpenedImage backing,
            boolean targetIsZero,
            ConvertOptions options) {
        Geometry from = source.geometry();
        Geometry to = target.geometry();
        int cluster =
                target.details().get("cluster-size") instanceof Number bytes
                        ? bytes.intValue()
                        : UNIT_BYTES_MIN;
        int blockMin = Math.max(from.blockSizeMin(), to.blockSizeMin());
        int unit = Math.max(Math.max(cluster, UNIT_BYTES_MIN), blockMin);
        int transferMax = Math.min(from.transferBytesMax(), to.transferBytesMax());
        int part = Math.max(unit, Math.min(PART_BYTES, transferMax & -unit));
        long padding = Math.max(SECTOR_BYTES, to.blockSizeMin());
        long padded = (from.sizeBytes() + padding - 1) & -padding;
        long endBytes = Math.min(padded, to.sizeBytes());
        return new CopyPlan(
                source,
                target,
                backing,
                backing == null ? 0 : backing.geometry().sizeBytes(),
                endBytes,
                from.sizeBytes(),
                unit,
                part,
                targetIsZero,
                sparseBytes(options, to),
                options.compressed() ? wholeUnits(endBytes, to, unit) : 0);
    }

    /** Whole blocks of the target. */
    private static int sparseBytes(ConvertOptions options, Geometry to) {
        int block = to.blockSizeMin();
        return (options.sparseBytes() + block - 1) / block * block;
    }

    /** An end within a unit counts as whole at the end of the target alone. */
    private static long wholeUnits(long endBytes, Geometry to, int unitBytes) {
        return endBytes == to.sizeBytes() ? endBytes : endBytes & -unitBytes;
    }

    /** For a write that ends there. */
    int writeFlags(long endOffset) {
        return endOffset <= compressedBytes ? IoFlags.COMPRESSED : IoFlags.NONE;
    }

    /** Finds the runs to be stored where the target has no backing file. */
    void split(long address, long offsetBytes, long lengthBytes, Runs runs) {
        if (sparseBytes == 0) {
            runs.add(0, lengthBytes, false);
        } else {
            // Whole units, where each is stored compressed.
            splitBlocks(address, lengthBytes, compressedBytes > 0 ? unitBytes : sparseBytes, runs);
        }
    }

    /** Zeros count in blocks of {@code blockBytes}; what follows each other is one run. */
    private void splitBlocks(long address, long lengthBytes, int blockBytes, Runs runs) {
        long start = 0;
        boolean wasZero = false;
        for (long position = 0; position < lengthBytes; position += blockBytes) {
            long block = Math.min(blockBytes, lengthBytes - position);
            boolean isZero = BlockMemory.isZero(address + position, block);
            if (position > 0 && isZero != wasZero) {
                addUnlessNeedless(runs, start, position - start, wasZero);
                start = position;
            }
            wasZero = isZero;
        }
        addUnlessNeedless(runs, start, lengthBytes - start, wasZero);
    }

    private void addUnlessNeedless(Runs runs, long position, long runBytes, boolean isZero) {
        if (!isZero || !targetIsZero) {
            runs.add(position, runBytes, isZero);
        }
    }

    /** Finds the units that do not read the same from the target's backing file. */
    void splitByDifference(
            long address, long backingAddress, long offsetBytes, long lengthBytes, Runs runs) {
        for (long position = 0; position < lengthBytes; position += unitBytes) {
            long part = Math.min(unitBytes, lengthBytes - position);
            if (BlockMemory.mismatch(address + position, backingAddress + position, part) >= 0) {
                runs.add(
                        position,
                        part,
                        sparseBytes > 0 && BlockMemory.isZero(address + position, part));
            }
        }
    }
}
