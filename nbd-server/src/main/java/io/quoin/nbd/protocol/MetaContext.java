package io.quoin.nbd.protocol;

/**
 * A metadata context that is offered (proto.md, "Metadata querying"; QEMU docs/interop/nbd).
 *
 * <p>Threading: immutable.
 *
 * @param name its namespace, a colon and what it is called there
 * @param id its id once selected
 */
public record MetaContext(String name, int id) {
    private static final String BASE = "base:";
    private static final String QEMU = "qemu:";
    private static final String DIRTY_BITMAPS = "qemu:dirty-bitmap:";

    /** Where there are holes and zeros: every export has it. */
    public static final MetaContext BASE_ALLOCATION = new MetaContext("base:allocation", 1);

    /** The id of every {@link #dirtyBitmap}. */
    public static final int DIRTY_BITMAP_ID = 2;

    /** What differs from an older state; there is one at most. */
    public static MetaContext dirtyBitmap(String bitmap) {
        return new MetaContext(DIRTY_BITMAPS + bitmap, DIRTY_BITMAP_ID);
    }

    public boolean isDirtyBitmap() {
        return id == DIRTY_BITMAP_ID;
    }

    /** Whether a query of a list asks for it: by its name, or for all of a namespace. */
    public boolean isListedBy(String query) {
        boolean isNamespace =
                query.equals(BASE) || query.equals(QEMU) || query.equals(DIRTY_BITMAPS);
        return isNamespace ? name.startsWith(query) : name.equals(query);
    }
}
