package io.quoin.nbd.protocol;

/**
 * Options of the handshake and how they are answered.
 *
 * <p>Threading: immutable.
 */
public final class NbdOption {
    public static final int EXPORT_NAME = 1;
    public static final int ABORT = 2;
    public static final int LIST = 3;
    public static final int STARTTLS = 5;
    public static final int INFO = 6;
    public static final int GO = 7;
    public static final int STRUCTURED_REPLY = 8;
    public static final int LIST_META_CONTEXT = 9;
    public static final int SET_META_CONTEXT = 10;
    public static final int EXTENDED_HEADERS = 11;

    public static final int REP_ACK = 1;
    public static final int REP_SERVER = 2;
    public static final int REP_INFO = 3;
    public static final int REP_META_CONTEXT = 4;

    private static final int ERROR = 1 << 31;
    public static final int REP_ERR_UNSUP = ERROR | 1;
    public static final int REP_ERR_POLICY = ERROR | 2;
    public static final int REP_ERR_INVALID = ERROR | 3;
    public static final int REP_ERR_PLATFORM = ERROR | 4;
    public static final int REP_ERR_TLS_REQD = ERROR | 5;
    public static final int REP_ERR_UNKNOWN = ERROR | 6;
    public static final int REP_ERR_SHUTDOWN = ERROR | 7;
    public static final int REP_ERR_TOO_BIG = ERROR | 9;

    public static final int INFO_EXPORT = 0;
    public static final int INFO_NAME = 1;
    public static final int INFO_DESCRIPTION = 2;
    public static final int INFO_BLOCK_SIZE = 3;

    private NbdOption() {}

    /** A name for logs. */
    public static String toString(int option) {
        return switch (option) {
            case EXPORT_NAME -> "EXPORT_NAME";
            case ABORT -> "ABORT";
            case LIST -> "LIST";
            case STARTTLS -> "STARTTLS";
            case INFO -> "INFO";
            case GO -> "GO";
            case STRUCTURED_REPLY -> "STRUCTURED_REPLY";
            case LIST_META_CONTEXT -> "LIST_META_CONTEXT";
            case SET_META_CONTEXT -> "SET_META_CONTEXT";
            case EXTENDED_HEADERS -> "EXTENDED_HEADERS";
            default -> Integer.toUnsignedString(option);
        };
    }
}
