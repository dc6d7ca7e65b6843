package io.quoin.qcow2.io;

/**
 * What a host cluster holds, if it is not guest data.
 *
 * <p>Threading: immutable.
 */
public enum MetadataKind {
    NONE(0, "guest data or nothing"),
    HEADER(1, "the header"),
    L1_TABLE(2, "the L1 table"),
    L2_TABLE(3, "an L2 table"),
    REFCOUNT_TABLE(4, "the refcount table"),
    REFCOUNT_BLOCK(5, "a refcount block"),
    SNAPSHOT_TABLE(6, "the snapshot table"),
    SNAPSHOT_L1(7, "the L1 table of a snapshot"),
    BITMAP(8, "a bitmap or the bitmap directory");

    private static final MetadataKind[] ALL = values();

    private final byte code;
    private final String text;

    MetadataKind(int code, String text) {
        this.code = (byte) code;
        this.text = text;
    }

    /** For messages. */
    public String text() {
        return text;
    }

    /** What stands for it in the map; 0 for none. */
    byte code() {
        return code;
    }

    static MetadataKind of(byte code) {
        return ALL[code];
    }
}
