package io.quoin.qcow2.bitmap;

/**
 * An open file that has persistent dirty bitmaps.
 *
 * <p>Threading: confined(loop).
 */
public interface BitmappedFile {
    /** Its bitmaps, for as long as it is open. */
    BitmapControl bitmaps();
}
