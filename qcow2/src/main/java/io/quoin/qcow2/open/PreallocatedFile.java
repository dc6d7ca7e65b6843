package io.quoin.qcow2.open;

/**
 * An open image whose clusters are to get their places before there are data for them.
 *
 * <p>Threading: confined(loop).
 */
public interface PreallocatedFile {
    /**
     * From now on a WRITE_ZEROES allocates what it covers, as data, and makes the zeros in the
     * file: with MAY_UNMAP they take no space there, without it their space is reserved.
     */
    void allocateZeros();
}
