package io.quoin.nbd.protocol;

import io.quoin.block.Capabilities;

/**
 * What an export can do, as sent with its size (proto.md, "Transmission flags").
 *
 * <p>Threading: immutable.
 */
public final class TransmissionFlags {
    public static final int HAS_FLAGS = 1;
    public static final int READ_ONLY = 1 << 1;
    public static final int SEND_FLUSH = 1 << 2;
    public static final int SEND_FUA = 1 << 3;
    public static final int SEND_TRIM = 1 << 5;
    public static final int SEND_WRITE_ZEROES = 1 << 6;
    public static final int SEND_DF = 1 << 7;
    public static final int CAN_MULTI_CONN = 1 << 8;
    public static final int SEND_CACHE = 1 << 10;
    public static final int SEND_FAST_ZERO = 1 << 11;

    private TransmissionFlags() {}

    /** The flags of a device for one connection. */
    public static int of(Capabilities capabilities, boolean readOnly, boolean structuredReplies) {
        boolean writable = capabilities.canWrite() && !readOnly;
        return HAS_FLAGS
                | SEND_FLUSH
                | SEND_CACHE
                | when(!writable, READ_ONLY)
                | when(capabilities.canFua(), SEND_FUA)
                | when(writable, SEND_WRITE_ZEROES)
                | when(writable && capabilities.canDiscard(), SEND_TRIM)
                | when(writable && capabilities.canFastZero(), SEND_FAST_ZERO)
                | when(capabilities.canMultiConn(), CAN_MULTI_CONN)
                | when(structuredReplies, SEND_DF);
    }

    private static int when(boolean condition, int flag) {
        return condition ? flag : 0;
    }
}
