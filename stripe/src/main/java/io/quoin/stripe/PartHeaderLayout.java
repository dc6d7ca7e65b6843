package io.quoin.stripe;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * The start of each part, big-endian. The data begin at {@link #DATA_OFFSET}, so that blocks keep
 * the alignment they have in the striped file, up to that.
 *
 * <pre>
 *   0  8  magic "QUOINSTR"
 *   8  4  version, 1
 *  12  4  where the data begin, 65536
 *  16 16  id of the striped file
 *  32  4  number of the part, from 0
 *  36  4  count of parts
 *  40  8  block size in bytes, a power of two
 *  48  4  CRC32C of the bytes before
 * </pre>
 *
 * <p>In part 0 a resize that is not finished has a record at {@link #RESIZE_OFFSET}; anything else
 * there means that there is none, also one that is torn: nothing is resized before its record is
 * durable, and all of it is done before the record is cleared.
 *
 * <pre>
 *   0  8  magic "QUOINRSZ"
 *   8  8  the size that the striped file is given, in bytes
 *  16  4  CRC32C of the bytes before
 * </pre>
 *
 * <p>Threading: immutable.
 */
final class PartHeaderLayout {
    static final long DATA_OFFSET = 65536;
    static final int RESIZE_OFFSET = 4096;
    static final int RESIZE_BYTES = 4096;

    /** Header and resize record. */
    static final int READ_BYTES = RESIZE_OFFSET + RESIZE_BYTES;

    /** The header as it is written. */
    static final int WRITE_BYTES = 4096;

    /** What is written begins and ends at multiples of it. */
    static final int UNIT_BYTES_MAX = 4096;

    static final long BLOCK_BYTES_MIN = 4096;
    static final long BLOCK_BYTES_MAX = 1L << 30;
    static final int COUNT_MIN = 2;
    static final int COUNT_MAX = 256;

    private static final long MAGIC = 0x51554F494E535452L;
    private static final int VERSION = 1;
    private static final int MAGIC_AT = 0;
    private static final int VERSION_AT = 8;
    private static final int DATA_OFFSET_AT = 12;
    private static final int FILE_ID_AT = 16;
    private static final int PART_AT = 32;
    private static final int COUNT_AT = 36;
    private static final int BLOCK_BYTES_AT = 40;
    private static final int CHECKSUM_AT = 48;

    private static final long RESIZE_MAGIC = 0x51554F494E52535AL;
    private static final int RESIZE_SIZE_AT = 8;
    private static final int RESIZE_CHECKSUM_AT = 16;

    /** No resize is unfinished. */
    static final long NO_RESIZE = -1;

    private PartHeaderLayout() {}

    /** Writes a header to the start of {@code target}, which is zeros. */
    static void put(ByteBuffer target, PartHeader header) {
        target.putLong(MAGIC_AT, MAGIC);
        target.putInt(VERSION_AT, VERSION);
        target.putInt(DATA_OFFSET_AT, (int) DATA_OFFSET);
        target.putLong(FILE_ID_AT, header.fileId().getMostSignificantBits());
        target.putLong(FILE_ID_AT + Long.BYTES, header.fileId().getLeastSignificantBits());
        target.putInt(PART_AT, header.part());
        target.putInt(COUNT_AT, header.count());
        target.putLong(BLOCK_BYTES_AT, header.blockBytes());
        target.putInt(CHECKSUM_AT, checksum(target, 0, CHECKSUM_AT));
    }

    /**
     * Reads the header of a part.
     *
     * @throws BlockException EIO if it is none, or of a version that is not known
     */
    static PartHeader get(ByteBuffer source) {
        if (source.limit() < READ_BYTES || source.getLong(MAGIC_AT) != MAGIC) {
            throw wrong("it has no header of one");
        }
        if (source.getInt(CHECKSUM_AT) != checksum(source, 0, CHECKSUM_AT)) {
            throw wrong("the checksum of its header is wrong");
        }
        if (source.getInt(VERSION_AT) != VERSION || source.getInt(DATA_OFFSET_AT) != DATA_OFFSET) {
            throw wrong("version=" + source.getInt(VERSION_AT) + ", expected=" + VERSION);
        }
        PartHeader header =
                new PartHeader(
                        new UUID(
                                source.getLong(FILE_ID_AT),
                                source.getLong(FILE_ID_AT + Long.BYTES)),
                        source.getInt(PART_AT),
                        source.getInt(COUNT_AT),
                        source.getLong(BLOCK_BYTES_AT));
        boolean isSound =
                header.count() >= COUNT_MIN
                        && header.count() <= COUNT_MAX
                        && header.part() >= 0
                        && header.part() < header.count()
                        && isBlockSize(header.blockBytes());
        if (!isSound) {
            throw wrong("its header makes no sense: " + header);
        }
        return header;
    }

    /** As {@link #get}; empty for what is no part. */
    static Optional<PartHeader> find(ByteBuffer source) {
        try {
            return Optional.of(get(source));
        } catch (BlockException e) {
            return Optional.empty();
        }
    }

    static boolean isBlockSize(long bytes) {
        return bytes >= BLOCK_BYTES_MIN && bytes <= BLOCK_BYTES_MAX && Long.bitCount(bytes) == 1;
    }

    private static BlockException wrong(String why) {
        return new BlockException(BlockError.EIO, "not a part of a striped file: " + why);
    }

    /** Writes a resize record to the start of {@code target}, which is zeros. */
    static void putResize(ByteBuffer target, long sizeBytes) {
        target.putLong(0, RESIZE_MAGIC);
        target.putLong(RESIZE_SIZE_AT, sizeBytes);
        target.putInt(RESIZE_CHECKSUM_AT, checksum(target, 0, RESIZE_CHECKSUM_AT));
    }

    /** The size that a resize was going to, or {@link #NO_RESIZE}, of a part's first bytes. */
    static long getResize(ByteBuffer source) {
        boolean isThere =
                source.getLong(RESIZE_OFFSET) == RESIZE_MAGIC
                        && source.getInt(RESIZE_OFFSET + RESIZE_CHECKSUM_AT)
                                == checksum(source, RESIZE_OFFSET, RESIZE_CHECKSUM_AT);
        return isThere ? source.getLong(RESIZE_OFFSET + RESIZE_SIZE_AT) : NO_RESIZE;
    }

    private static int checksum(ByteBuffer bytes, int start, int lengthBytes) {
        CRC32C sum = new CRC32C();
        sum.update(bytes.duplicate().position(start).limit(start + lengthBytes));
        return (int) sum.getValue();
    }
}
