package io.quoin.replicate.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.NameText;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * One of the two places in the catalogue that names are written to in turn, big-endian: magic (8
 * bytes), version (4), bytes of the entries (4), generation (8), CRC32C (4) of all else, 4 zeros;
 * then for each name the file's id (16), the length of the name in bytes (2), the name.
 *
 * <p>Threading: immutable.
 *
 * @param generation counts the changes, from 1
 */
record CatalogueSlot(long generation, SortedMap<String, UUID> names) {
    /** Bytes of each place. */
    static final int SLOT_BYTES = 16 << 20;

    static final int HEADER_BYTES = 32;
    private static final long MAGIC = 0x51554F494E434154L; // QUOINCAT
    private static final int VERSION = 1;
    private static final int CRC_OFFSET = 24;
    private static final int ENTRY_FIXED_BYTES = 18;

    CatalogueSlot {
        names = Collections.unmodifiableSortedMap(new TreeMap<>(names));
    }

    /** Where in the catalogue it is. */
    long offsetBytes() {
        return offsetBytes(generation);
    }

    /** Where in the catalogue a generation is. */
    static long offsetBytes(long generation) {
        return (generation & 1) * SLOT_BYTES;
    }

    /**
     * As it is stored.
     *
     * @throws BlockException EFBIG if the names do not fit
     */
    byte[] encode() {
        long lengthBytes = HEADER_BYTES;
        for (String name : names.keySet()) {
            lengthBytes += ENTRY_FIXED_BYTES + NameText.bytes(name).length;
        }
        if (lengthBytes > SLOT_BYTES) {
            throw new BlockException(
                    BlockError.EFBIG,
                    "too many files in the volume: bytes of names="
                            + lengthBytes
                            + ", expected=at most "
                            + SLOT_BYTES);
        }
        ByteBuffer out = ByteBuffer.allocate((int) lengthBytes);
        out.putLong(MAGIC).putInt(VERSION).putInt((int) lengthBytes - HEADER_BYTES);
        out.putLong(generation).putLong(0);
        for (Map.Entry<String, UUID> entry : names.entrySet()) {
            byte[] name = NameText.bytes(entry.getKey());
            out.putLong(entry.getValue().getMostSignificantBits());
            out.putLong(entry.getValue().getLeastSignificantBits());
            out.putShort((short) name.length).put(name);
        }
        out.putInt(CRC_OFFSET, crc(out.array()));
        return out.array();
    }

    /** Bytes of header and entries together as a header tells them; 0 if it is none. */
    static int lengthBytes(byte[] header) {
        ByteBuffer in = ByteBuffer.wrap(header);
        boolean isHeader =
                header.length >= HEADER_BYTES
                        && in.getLong() == MAGIC
                        && in.getInt() == VERSION
                        && in.getInt(12) >= 0
                        && in.getInt(12) <= SLOT_BYTES - HEADER_BYTES;
        return isHeader ? HEADER_BYTES + in.getInt(12) : 0;
    }

    /** What {@link #encode} made; null if it is not whole. */
    static @Nullable CatalogueSlot decode(byte[] stored) {
        ByteBuffer in = ByteBuffer.wrap(stored);
        if (lengthBytes(stored) != stored.length || in.getInt(CRC_OFFSET) != crc(stored)) {
            return null;
        }
        long generation = in.getLong(16);
        SortedMap<String, UUID> names = new TreeMap<>();
        in.position(HEADER_BYTES);
        while (in.remaining() >= ENTRY_FIXED_BYTES) {
            UUID file = new UUID(in.getLong(), in.getLong());
            int nameBytes = Short.toUnsignedInt(in.getShort());
            if (nameBytes > in.remaining()) {
                return null;
            }
            byte[] name = new byte[nameBytes];
            in.get(name);
            names.put(NameText.of(name), file);
        }
        return in.hasRemaining() ? null : new CatalogueSlot(generation, names);
    }

    private static int crc(byte[] stored) {
        CRC32C crc = new CRC32C();
        crc.update(stored, 0, CRC_OFFSET);
        crc.update(stored, HEADER_BYTES, stored.length - HEADER_BYTES);
        return (int) crc.getValue();
    }
}
