package io.quoin.replicate.store;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.replicate.Geometry;
import io.quoin.replicate.Layout;
import java.nio.ByteBuffer;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * What says that a folder is a brick, and which: one sector of 512 bytes, big-endian, never written
 * again.
 *
 * <pre>
 *  0  magic "QUOINBRK"     8  version, u32      12  CRC32C of the sector, this field as 0
 * 16  volume, uuid        32  brick, uuid       48  index, u32
 * 52  data bricks, u32    56  voters, u32       60  bytes of a block, u32
 * 64  bytes of a region, u64
 * </pre>
 *
 * <p>Threading: immutable.
 *
 * @param index its number among the voters
 */
record BrickLabel(UUID volume, UUID brick, int index, Layout layout, Geometry geometry) {
    static final String NAME = "label";

    /** In a folder that is being labelled. */
    static final String NEW_NAME = "label.new";

    static final int BYTES = 512;

    private static final long MAGIC = 0x51554F494E42524BL;
    private static final int VERSION = 1;
    private static final int CRC_AT = 12;

    byte[] encode() {
        ByteBuffer sector = ByteBuffer.allocate(BYTES);
        sector.putLong(MAGIC).putInt(VERSION).putInt(0);
        sector.putLong(volume.getMostSignificantBits()).putLong(volume.getLeastSignificantBits());
        sector.putLong(brick.getMostSignificantBits()).putLong(brick.getLeastSignificantBits());
        sector.putInt(index).putInt(layout.dataBricks()).putInt(layout.voters());
        sector.putInt(geometry.blockBytes()).putLong(geometry.regionBytes());
        sector.putInt(CRC_AT, crc(sector.array()));
        return sector.array();
    }

    /** EIO if it is damaged, ENOTSUP if it is of another version. */
    static BrickLabel decode(byte[] content) {
        if (content.length != BYTES || ByteBuffer.wrap(content).getLong() != MAGIC) {
            throw new BlockException(
                    BlockError.EIO, "label of the brick is damaged: bytes=" + content.length);
        }
        ByteBuffer sector = ByteBuffer.wrap(content.clone());
        int stored = sector.getInt(CRC_AT);
        sector.putInt(CRC_AT, 0);
        if (crc(sector.array()) != stored) {
            throw new BlockException(BlockError.EIO, "label of the brick is damaged: checksum");
        }
        int version = sector.position(Long.BYTES).getInt();
        if (version != VERSION) {
            throw new BlockException(
                    BlockError.ENOTSUP,
                    "brick is of another version: version=" + version + ", expected=" + VERSION);
        }
        sector.getInt();
        UUID volume = new UUID(sector.getLong(), sector.getLong());
        UUID brick = new UUID(sector.getLong(), sector.getLong());
        int index = sector.getInt();
        Layout layout = layout(sector.getInt(), sector.getInt());
        int blockBytes = sector.getInt();
        return new BrickLabel(
                volume, brick, index, layout, new Geometry(sector.getLong(), blockBytes));
    }

    private static Layout layout(int dataBricks, int voters) {
        for (Layout layout : Layout.values()) {
            if (layout.dataBricks() == dataBricks && layout.voters() == voters) {
                return layout;
            }
        }
        throw new BlockException(
                BlockError.ENOTSUP,
                "unknown layout: dataBricks=" + dataBricks + ", voters=" + voters);
    }

    private static int crc(byte[] sector) {
        CRC32C sum = new CRC32C();
        sum.update(sector);
        return (int) sum.getValue();
    }
}
