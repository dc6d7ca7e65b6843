package io.quoin.qcow2.parents;

/**
 * A file of the volume may be changed by one image, or stays as it is, until this is released.
 *
 * <p>Threading: thread-safe.
 */
public interface Hold {
    /** Ends it, once; later calls do nothing. */
    void release();
}
