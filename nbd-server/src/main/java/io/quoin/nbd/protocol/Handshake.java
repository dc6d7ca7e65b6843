package io.quoin.nbd.protocol;

/**
 * The handshake's frames (proto.md, "Newstyle negotiation").
 *
 * <pre>
 *  greeting      | NBDMAGIC 64 | IHAVEOPT 64 | handshake flags 16 |
 *  client flags  | 32 |
 *  option        | IHAVEOPT 64 | option 32 | length 32 | data |
 *  option reply  | REPLY_MAGIC 64 | option 32 | type 32 | length 32 | data |
 *  EXPORT_NAME's | size 64 | transmission flags 16 | zeros 124 bytes, unless agreed not to |
 * </pre>
 *
 * <p>Threading: immutable.
 */
public final class Handshake {
    public static final long NBDMAGIC = 0x4e42444d41474943L;
    public static final long IHAVEOPT = 0x49484156454f5054L;
    public static final long REPLY_MAGIC = 0x0003e889045565a9L;

    public static final int GREETING_BYTES = 18;
    public static final int CLIENT_FLAGS_BYTES = 4;
    public static final int OPTION_HEADER_BYTES = 16;
    public static final int REPLY_HEADER_BYTES = 20;
    public static final int EXPORT_NAME_PADDING_BYTES = 124;

    /** Flags of both sides, of equal value. */
    public static final int FLAG_FIXED_NEWSTYLE = 1;

    public static final int FLAG_NO_ZEROES = 1 << 1;

    /** The longest name or query, in bytes of UTF-8. */
    public static final int STRING_BYTES_MAX = 4096;

    private Handshake() {}
}
