package io.quoin.nbd.protocol;

/**
 * Replies of the transmission phase (proto.md, "Simple reply message", "Structured reply chunk
 * message").
 *
 * <pre>
 *  simple    | magic 0x67446698 | error 32 | cookie 64 | data of a READ |
 *  chunk     | magic 0x668e33ef | flags 16 | type 16 | cookie 64 | length 32 | payload |
 *
 *  payloads:  NONE          -
 *             OFFSET_DATA   | offset 64 | data |
 *             OFFSET_HOLE   | offset 64 | hole size 32 |
 *             BLOCK_STATUS  | context id 32 | (length 32 | status 32)... |
 *             ERROR         | error 32 | message length 16 | message |
 *             ERROR_OFFSET  | error 32 | message length 16 | message | offset 64 |
 * </pre>
 *
 * <p>Threading: immutable.
 */
public final class ReplyLayout {
    public static final int SIMPLE_MAGIC = 0x67446698;
    public static final int SIMPLE_BYTES = 16;

    public static final int CHUNK_MAGIC = 0x668e33ef;
    public static final int CHUNK_BYTES = 20;

    public static final int FLAG_DONE = 1;

    public static final int TYPE_NONE = 0;
    public static final int TYPE_OFFSET_DATA = 1;
    public static final int TYPE_OFFSET_HOLE = 2;
    public static final int TYPE_BLOCK_STATUS = 5;
    public static final int TYPE_ERROR = (1 << 15) | 1;
    public static final int TYPE_ERROR_OFFSET = (1 << 15) | 2;

    /** Chunk header and offset of OFFSET_DATA. */
    public static final int DATA_HEADER_BYTES = CHUNK_BYTES + Long.BYTES;

    /** A whole OFFSET_HOLE chunk. */
    public static final int HOLE_BYTES = CHUNK_BYTES + Long.BYTES + Integer.BYTES;

    /** Chunk header and context id of BLOCK_STATUS. */
    public static final int STATUS_HEADER_BYTES = CHUNK_BYTES + Integer.BYTES;

    public static final int STATUS_DESCRIPTOR_BYTES = 2 * Integer.BYTES;

    /** A whole ERROR chunk without a message. */
    public static final int ERROR_BYTES = CHUNK_BYTES + Integer.BYTES + Short.BYTES;

    private ReplyLayout() {}
}
