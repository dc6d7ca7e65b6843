package io.quoin.qcow2.layout;

/**
 * A dirty bitmap that an image carries.
 *
 * <p>Threading: immutable.
 *
 * @param tableOffset host offset of the bitmap table
 * @param tableEntries entries of the bitmap table
 * @param flags {@link BitmapDirectoryLayout#IN_USE} and the others
 * @param granularityBits a bit stands for {@code 1 << granularityBits} guest bytes
 * @param extraData unknown extra data, kept as it is
 */
public record BitmapEntry(
        long tableOffset,
        int tableEntries,
        int flags,
        int granularityBits,
        String name,
        OpaqueBytes extraData) {
    /** The same with other flags. */
    public BitmapEntry withFlags(int newFlags) {
        return new BitmapEntry(
                tableOffset, tableEntries, newFlags, granularityBits, name, extraData);
    }

    public boolean isInUse() {
        return (flags & BitmapDirectoryLayout.IN_USE) != 0;
    }

    public boolean isAuto() {
        return (flags & BitmapDirectoryLayout.AUTO) != 0;
    }
}
