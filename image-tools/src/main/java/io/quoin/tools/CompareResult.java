package io.quoin.tools;

/**
 * How two images compare.
 *
 * <p>Threading: immutable.
 *
 * @param finding the first difference
 * @param offsetBytes where it is; 0 where there is none or it is the size
 * @param sizesDiffer whether one is longer; if that is all, its rest is zeros
 */
public record CompareResult(Finding finding, long offsetBytes, boolean sizesDiffer) {
    /** What differs first. */
    public enum Finding {
        /** The content is the same. */
        SAME,
        /** A byte. */
        CONTENT,
        /** What is allocated; only looked at in strict mode. */
        STATUS,
        /** The size, in strict mode. */
        SIZE
    }

    public boolean isSame() {
        return finding == Finding.SAME;
    }
}
