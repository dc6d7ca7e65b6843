package io.quoin.qcow2.layout;

import static io.quoin.qcow2.layout.Refusal.require;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The bitmap directory and the bitmap tables that it points to.
 *
 * <pre>
 *  directory entry
 *    0 +---------------------------------------------------------------+
 *      | bitmap_table_offset                                           |
 *    8 +-------------------------------+-------------------------------+
 *      | bitmap_table_size (entries)   | flags: in_use, auto, extra ok |
 *   16 +-------+-------+---------------+-------------------------------+
 *      | type 1| gran. | name length   | extra data size               |
 *   24 +-------+-------+---------------+-------------------------------+
 *      | extra data, name, padding with zeros to a multiple of 8       |
 *      +---------------------------------------------------------------+
 *
 *  bitmap table entry   63      56 55                            9 8        1   0
 *                      +----------+-------------------------------+----------+-----+
 *                      | reserved | offset of a cluster of bits   | reserved | one |
 *                      +----------+-------------------------------+----------+-----+
 *                      offset 0: all bits of the cluster are "one"
 * </pre>
 *
 * <p>Threading: immutable.
 */
public final class BitmapDirectoryLayout {
    public static final int IN_USE = 1;
    public static final int AUTO = 1 << 1;
    public static final int EXTRA_DATA_COMPATIBLE = 1 << 2;
    public static final int TABLE_ENTRY_BYTES = 8;
    public static final int GRANULARITY_BITS_MIN = 9;
    public static final int GRANULARITY_BITS_MAX = 31;
    public static final int NAME_BYTES_MAX = 1023;

    /** Entry of a bitmap table: all bits of the cluster are 1. */
    public static final long ALL_ONES = 1;

    /** Entry of a bitmap table: all bits of the cluster are 0. */
    public static final long ALL_ZEROS = 0;

    private static final String WHAT = "qcow2 bitmap directory";
    private static final int ENTRY_BYTES_MIN = 24;
    private static final int FLAGS_KNOWN = IN_USE | AUTO | EXTRA_DATA_COMPATIBLE;
    private static final int TYPE_DIRTY = 1;
    private static final long DATA_BYTES_MAX = 512L << 20;
    private static final long TABLE_RESERVED_MASK = 0xff00_0000_0000_01feL;
    private static final long TABLE_OFFSET_MASK = 0x00ff_ffff_ffff_fe00L;

    private BitmapDirectoryLayout() {}

    /**
     * Parses a directory, which {@code directory} holds from its position to its limit; EINVAL if
     * it is broken.
     */
    public static List<BitmapEntry> parse(
            ByteBuffer directory,
            BitmapsExtension extension,
            int clusterSizeBytes,
            long fileSizeBytes) {
        ByteBuffer in = directory.slice().order(ByteOrder.BIG_ENDIAN);
        List<BitmapEntry> entries = new ArrayList<>();
        Set<String> names = new HashSet<>();
        while (in.hasRemaining()) {
            BitmapEntry entry = parseEntry(in, clusterSizeBytes, fileSizeBytes);
            if (!names.add(entry.name())) {
                throw Refusal.invalid(
                        WHAT, "name", entry.name(), "a name of its own for each bitmap");
            }
            entries.add(entry);
        }
        require(
                entries.size() == extension.count(),
                WHAT,
                "entries",
                entries.size(),
                "nb_bitmaps=" + extension.count());
        return entries;
    }

    private static BitmapEntry parseEntry(ByteBuffer in, int clusterSizeBytes, long fileSizeBytes) {
        int start = in.position();
        require(
                in.remaining() >= ENTRY_BYTES_MIN,
                WHAT,
                "bytes left at " + start,
                in.remaining(),
                "at least 24");
        long tableOffset = in.getLong(start);
        long tableEntries = in.getInt(start + 8) & 0xffff_ffffL;
        int flags = in.getInt(start + 12);
        int type = in.get(start + 16) & 0xff;
        int granularityBits = in.get(start + 17) & 0xff;
        int nameLength = in.getShort(start + 18) & 0xffff;
        long extraLength = in.getInt(start + 20) & 0xffff_ffffL;
        require((flags & ~FLAGS_KNOWN) == 0, WHAT, "flags", flags, "no unknown flag");
        require(type == TYPE_DIRTY, WHAT, "type", type, "1");
        require(
                granularityBits >= GRANULARITY_BITS_MIN && granularityBits <= GRANULARITY_BITS_MAX,
                WHAT,
                "granularity_bits",
                granularityBits,
                "9..31");
        require(
                nameLength >= 1 && nameLength <= NAME_BYTES_MAX,
                WHAT,
                "name length",
                nameLength,
                "1..1023");
        require(
                tableEntries <= DATA_BYTES_MAX / clusterSizeBytes,
                WHAT,
                "bitmap_table_size",
                tableEntries,
                "at most " + DATA_BYTES_MAX / clusterSizeBytes + " clusters (512 MiB of bits)");
        if (tableEntries > 0) {
            Refusal.requireTable(
                    WHAT,
                    "bitmap_table_offset",
                    tableOffset,
                    tableEntries * TABLE_ENTRY_BYTES,
                    clusterSizeBytes,
                    fileSizeBytes);
        }
        long end = start + ENTRY_BYTES_MIN + extraLength + nameLength;
        end = (end + 7) & ~7L;
        require(
                end <= in.limit(),
                WHAT,
                "end of the entry at " + start,
                end,
                "at most the directory's " + in.limit());
        int extra = start + ENTRY_BYTES_MIN;
        in.position((int) end);
        return new BitmapEntry(
                tableOffset,
                (int) tableEntries,
                flags,
                granularityBits,
                Refusal.name(WHAT, "name", in, extra + (int) extraLength, nameLength),
                OpaqueBytes.copyOf(in, extra, (int) extraLength));
    }

    /** The directory of {@code entries}, from 0 to its limit. */
    public static ByteBuffer encode(List<BitmapEntry> entries) {
        ByteBuffer out = ByteBuffer.allocate(Math.toIntExact(sizeBytes(entries)));
        for (BitmapEntry entry : entries) {
            int start = out.position();
            byte[] name = entry.name().getBytes(StandardCharsets.UTF_8);
            out.putLong(entry.tableOffset()).putInt(entry.tableEntries()).putInt(entry.flags());
            out.put((byte) TYPE_DIRTY).put((byte) entry.granularityBits());
            out.putShort((short) name.length).putInt(entry.extraData().lengthBytes());
            entry.extraData().putInto(out);
            out.put(name).position(start + Math.toIntExact(sizeBytes(List.of(entry))));
        }
        return out.clear();
    }

    /** The size of the directory of {@code entries}. */
    public static long sizeBytes(List<BitmapEntry> entries) {
        long size = 0;
        for (BitmapEntry entry : entries) {
            size += ENTRY_BYTES_MIN + entry.extraData().lengthBytes();
            size += entry.name().getBytes(StandardCharsets.UTF_8).length;
            size = (size + 7) & ~7L;
        }
        return size;
    }

    /** Host offset of the cluster of bits; 0: all of them are the same. */
    public static long dataHostOffset(long tableEntry) {
        return tableEntry & TABLE_OFFSET_MASK;
    }

    /** Checks an entry of a bitmap table. */
    public static EntryFault tableFault(long tableEntry, int clusterBits, long fileSizeBytes) {
        long hostOffset = tableEntry & TABLE_OFFSET_MASK;
        if ((tableEntry & TABLE_RESERVED_MASK) != 0 || (hostOffset != 0 && (tableEntry & 1) != 0)) {
            return EntryFault.RESERVED_BITS;
        }
        if ((hostOffset & ((1L << clusterBits) - 1)) != 0) {
            return EntryFault.UNALIGNED;
        }
        return hostOffset != 0 && hostOffset >= fileSizeBytes
                ? EntryFault.BEYOND_EOF
                : EntryFault.NONE;
    }
}
