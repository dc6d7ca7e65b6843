package io.quoin.backup.stream;

import java.nio.charset.StandardCharsets;

/**
 * The bytes of a stream of differences; all numbers are big-endian. docs/format/diff-stream.md has
 * the same for readers of other programs.
 *
 * <pre>
 *  magic        8  "QUOINDIF"
 *  version      4  1
 *  sections        HEAD, then DATA and ZERO in the order of the disk, then DONE
 *
 *  section:  type 4 | length of the body 4 | body | CRC32C of type, length and body 4
 *
 *  HEAD:  UUID of the older snapshot 16, zeros: none | UUID of the newer 16
 *         size of the disk at the older 8 | at the newer 8
 *         three texts, each length 2 | UTF-8: the disk, the older snapshot, the newer
 *  DATA:  offset 8 | the bytes from there on, 1 MiB at most
 *  ZERO:  offset 8 | length 8
 *  DONE:  number of DATA and ZERO sections 8 | SHA-256 of everything before this section 32
 * </pre>
 *
 * <p>Threading: immutable.
 */
final class DiffStreamLayout {
    static final byte[] MAGIC = "QUOINDIF".getBytes(StandardCharsets.US_ASCII);
    static final int VERSION = 1;
    static final int PREAMBLE_BYTES = MAGIC.length + Integer.BYTES;

    static final int HEAD = 0x48454144;
    static final int DATA = 0x44415441;
    static final int ZERO = 0x5a45524f;
    static final int DONE = 0x444f4e45;

    /** Type and length. */
    static final int PREFIX_BYTES = 2 * Integer.BYTES;

    static final int CRC_BYTES = Integer.BYTES;
    static final int HEAD_BYTES_MAX = 4096;
    static final int DATA_BYTES_MAX = 1 << 20;
    static final int ZERO_BYTES = 2 * Long.BYTES;
    static final int HASH_BYTES = 32;
    static final int DONE_BYTES = Long.BYTES + HASH_BYTES;

    /** Offsets, lengths and sizes are multiples of it. */
    static final int SECTOR_BYTES = 512;

    private DiffStreamLayout() {}

    /** The longest body of a type; -1: there is no such type. */
    static int lengthMax(int type) {
        return switch (type) {
            case HEAD -> HEAD_BYTES_MAX;
            case DATA -> Long.BYTES + DATA_BYTES_MAX;
            case ZERO -> ZERO_BYTES;
            case DONE -> DONE_BYTES;
            default -> -1;
        };
    }
}
