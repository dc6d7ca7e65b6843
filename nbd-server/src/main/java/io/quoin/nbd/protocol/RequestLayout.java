package io.quoin.nbd.protocol;

/**
 * A request of the transmission phase (proto.md, "Request message"), 28 bytes, followed by the
 * payload of a WRITE.
 *
 * <pre>
 *   0      | magic 0x25609513 |
 *   4      | flags 16 | type 16 |
 *   8      | cookie 64 |
 *   16     | offset 64 |
 *   24     | length 32 |
 * </pre>
 *
 * <p>Threading: immutable.
 */
public final class RequestLayout {
    public static final int MAGIC = 0x25609513;
    public static final int BYTES = 28;

    public static final int MAGIC_OFFSET = 0;
    public static final int FLAGS_OFFSET = 4;
    public static final int TYPE_OFFSET = 6;
    public static final int COOKIE_OFFSET = 8;
    public static final int OFFSET_OFFSET = 16;
    public static final int LENGTH_OFFSET = 24;

    public static final int READ = 0;
    public static final int WRITE = 1;
    public static final int DISC = 2;
    public static final int FLUSH = 3;
    public static final int TRIM = 4;
    public static final int CACHE = 5;
    public static final int WRITE_ZEROES = 6;
    public static final int BLOCK_STATUS = 7;

    public static final int FLAG_FUA = 1;
    public static final int FLAG_NO_HOLE = 1 << 1;
    public static final int FLAG_DF = 1 << 2;
    public static final int FLAG_REQ_ONE = 1 << 3;
    public static final int FLAG_FAST_ZERO = 1 << 4;

    /** The largest payload of a READ or WRITE, as advertised. */
    public static final int PAYLOAD_BYTES_MAX = 64 << 20;

    /** A longer WRITE is not skipped to keep in step: its connection is closed. */
    public static final long SKIPPED_BYTES_MAX = 128L << 20;

    private RequestLayout() {}
}
