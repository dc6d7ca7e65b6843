package io.quoin.replicate.store;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * The log of metadata on disk, big-endian: a header, then frames that each begin on a sector of 512
 * bytes.
 *
 * <pre>
 * header, 512 bytes
 *   0  magic "QUOINLOG"           8  version, u32        12  CRC32C of the sector, this field as 0
 *  16  log id, u64               24  brick, uuid         40  start count, u64
 *  48  cache epoch, u64          56  frames of the checkpoint, u64
 *  64  length of the boot id, u16, and the boot id in UTF-8
 *
 * frame, 24 bytes and its records; zeros up to the next sector
 *   0  length of the records, u32     4  CRC32C of all that follows, the records included
 *   8  log id, u64                   16  sequence, u64: from 1, without gaps
 *  24  records
 * </pre>
 *
 * <p>Threading: immutable.
 */
final class LogLayout {
    static final int SECTOR_BYTES = 512;
    static final int VERSION = 1;

    private static final long MAGIC = 0x51554F494E4C4F47L;
    private static final int VERSION_AT = 8;
    private static final int HEADER_CRC_AT = 12;
    private static final int HEADER_ID_AT = 16;
    private static final int BOOT_AT = 64;
    private static final int BOOT_BYTES_MAX = SECTOR_BYTES - BOOT_AT - Short.BYTES;
    private static final int CRC_AT = 4;
    private static final int ID_AT = 8;
    private static final int SEQUENCE_AT = 16;
    private static final int RECORDS_AT = 24;

    private LogLayout() {}

    /**
     * What a log begins with.
     *
     * @param logId random, of this log alone
     * @param startCount how often the brick has been started
     * @param cacheEpoch how often unflushed writes of the brick may have been lost, from 1
     * @param checkpointFrames as many frames were durable before the log got its name
     * @param boot when the brick was started; the page cache is the same while it is the same
     */
    record Header(
            long logId,
            UUID brick,
            long startCount,
            long cacheEpoch,
            long checkpointFrames,
            String boot) {
        /** The same for another log. */
        Header ofLog(long newLogId, long newCheckpointFrames) {
            return new Header(newLogId, brick, startCount, cacheEpoch, newCheckpointFrames, boot);
        }
    }

    static int frameBytes(int recordsBytes) {
        return (RECORDS_AT + recordsBytes + SECTOR_BYTES - 1) & -SECTOR_BYTES;
    }

    static byte[] header(Header header) {
        byte[] boot = header.boot().getBytes(StandardCharsets.UTF_8);
        if (boot.length > BOOT_BYTES_MAX) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "boot id is too long: bytes="
                            + boot.length
                            + ", expected=at most "
                            + BOOT_BYTES_MAX);
        }
        ByteBuffer sector = ByteBuffer.allocate(SECTOR_BYTES);
        sector.putLong(MAGIC).putInt(VERSION).putInt(0).putLong(header.logId());
        sector.putLong(header.brick().getMostSignificantBits());
        sector.putLong(header.brick().getLeastSignificantBits());
        sector.putLong(header.startCount()).putLong(header.cacheEpoch());
        sector.putLong(header.checkpointFrames());
        sector.putShort((short) boot.length).put(boot);
        sector.putInt(HEADER_CRC_AT, crc(sector.array(), 0, SECTOR_BYTES));
        return sector.array();
    }

    /** The header of a log; EIO if it is damaged, ENOTSUP if it is of another version. */
    static Header header(byte[] log) {
        if (log.length < SECTOR_BYTES || ByteBuffer.wrap(log).getLong() != MAGIC) {
            throw damaged("no header, offset=0");
        }
        ByteBuffer sector = ByteBuffer.allocate(SECTOR_BYTES).put(log, 0, SECTOR_BYTES);
        int stored = sector.getInt(HEADER_CRC_AT);
        sector.putInt(HEADER_CRC_AT, 0);
        if (crc(sector.array(), 0, SECTOR_BYTES) != stored) {
            throw damaged("checksum of the header, offset=0");
        }
        int version = sector.getInt(VERSION_AT);
        if (version != VERSION) {
            throw new BlockException(
                    BlockError.ENOTSUP,
                    "metadata log is of another version: version="
                            + version
                            + ", expected="
                            + VERSION);
        }
        sector.position(HEADER_ID_AT);
        long logId = sector.getLong();
        UUID brick = new UUID(sector.getLong(), sector.getLong());
        long startCount = sector.getLong();
        long cacheEpoch = sector.getLong();
        long frames = sector.getLong();
        byte[] boot = new byte[sector.getShort()];
        sector.get(boot);
        return new Header(
                logId,
                brick,
                startCount,
                cacheEpoch,
                frames,
                new String(boot, StandardCharsets.UTF_8));
    }

    /** Records as a frame, whole sectors. */
    static byte[] frame(long logId, long sequence, byte[] records) {
        ByteBuffer frame = ByteBuffer.allocate(frameBytes(records.length));
        frame.putInt(records.length).putInt(0).putLong(logId).putLong(sequence).put(records);
        frame.putInt(CRC_AT, crc(frame.array(), ID_AT, RECORDS_AT - ID_AT + records.length));
        return frame.array();
    }

    /** Whether a whole frame of the log begins here, of any sequence. */
    static boolean isFrame(byte[] log, int offset, long logId) {
        if (offset + RECORDS_AT > log.length) {
            return false;
        }
        ByteBuffer bytes = ByteBuffer.wrap(log);
        int length = bytes.getInt(offset);
        return bytes.getLong(offset + ID_AT) == logId
                && length > 0
                && length <= log.length - offset - RECORDS_AT
                && bytes.getInt(offset + CRC_AT)
                        == crc(log, offset + ID_AT, RECORDS_AT - ID_AT + length);
    }

    static long sequence(byte[] log, int offset) {
        return ByteBuffer.wrap(log).getLong(offset + SEQUENCE_AT);
    }

    /** The records of a whole frame. */
    static ByteBuffer records(byte[] log, int offset) {
        int length = ByteBuffer.wrap(log).getInt(offset);
        return ByteBuffer.wrap(log, offset + RECORDS_AT, length).slice();
    }

    static BlockException damaged(String what) {
        return new BlockException(BlockError.EIO, "metadata log is damaged: " + what);
    }

    private static int crc(byte[] bytes, int offset, int length) {
        CRC32C sum = new CRC32C();
        sum.update(bytes, offset, length);
        return (int) sum.getValue();
    }
}
