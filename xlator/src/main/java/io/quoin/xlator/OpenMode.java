package io.quoin.xlator;

/**
 * How a file is opened.
 *
 * <p>Threading: immutable.
 */
public enum OpenMode {
    /** Nothing is ever written, not even to repair. */
    READ_ONLY,
    READ_WRITE
}
