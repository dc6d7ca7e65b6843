package io.quoin.snapshot;

import io.quoin.block.ExtentList;
import io.quoin.qcow2.diff.DiffExtent;
import java.util.List;

/**
 * What is known of the differences of two snapshots, which do not change: those of a range.
 *
 * <p>Threading: immutable.
 *
 * @param start where the range begins
 * @param end where it ends; not before it begins
 * @param extents what differs there, in order; the first and the last may go beyond
 */
record DifferenceWindow(long start, long end, List<DiffExtent> extents) {
    static final DifferenceWindow NOTHING = new DifferenceWindow(0, 0, List.of());

    boolean covers(long offset) {
        return offset >= start && offset < end;
    }

    /** Reports from an offset that is covered as far as the window, or the target, goes. */
    void report(long offset, long lengthBytes, ExtentList target) {
        long stop = lengthBytes < end - offset ? offset + lengthBytes : end;
        long at = offset;
        for (int i = firstBehind(offset); i < extents.size() && at < stop; i++) {
            DiffExtent extent = extents.get(i);
            long from = Math.min(stop, Math.max(at, extent.start()));
            long to = Math.min(stop, extent.start() + extent.length());
            if (!add(target, from - at, DiskDifferences.EQUAL)
                    || !add(target, to - from, DiskDifferences.DIFFERS)) {
                return;
            }
            at = to;
        }
        add(target, stop - at, DiskDifferences.EQUAL);
    }

    private static boolean add(ExtentList target, long lengthBytes, int status) {
        return lengthBytes <= 0 || target.add(lengthBytes, status);
    }

    /** The first extent that ends behind {@code offset}. */
    private int firstBehind(long offset) {
        int low = 0;
        int high = extents.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            DiffExtent extent = extents.get(middle);
            if (extent.start() + extent.length() > offset) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }
}
