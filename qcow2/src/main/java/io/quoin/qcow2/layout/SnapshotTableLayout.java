package io.quoin.qcow2.layout;

import static io.quoin.qcow2.layout.Refusal.require;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The snapshot table: entries one behind the other, each at a multiple of 8 from the start of the
 * table.
 *
 * <pre>
 *    0 +---------------------------------------------------------------+
 *      | l1_table_offset                                               |
 *    8 +-------------------------------+---------------+---------------+
 *      | l1_size                       | id length     | name length   |
 *   16 +-------------------------------+---------------+---------------+
 *      | date, seconds                 | date, nanoseconds             |
 *   24 +-------------------------------+-------------------------------+
 *      | VM clock, nanoseconds                                         |
 *   32 +-------------------------------+-------------------------------+
 *      | VM state size, 32 bits        | extra data size               |
 *   40 +-------------------------------+-------------------------------+
 *      | extra: VM state size 64, disk size 64, icount 64, later ones  |
 *      | id, name, padding with zeros to a multiple of 8               |
 *      +---------------------------------------------------------------+
 * </pre>
 *
 * Later extra data of snapshots that Quoin makes, which QEMU keeps as it is:
 *
 * <pre>
 *   24 +---------------------------------------------------------------+
 *      | "QUOINSID"                                                    |
 *   32 +---------------------------------------------------------------+
 *      | UUID, 16 bytes                                                |
 *      +---------------------------------------------------------------+
 * </pre>
 *
 * <p>Threading: immutable.
 */
public final class SnapshotTableLayout {
    public static final int ENTRY_BYTES_MIN = 40;

    /** QEMU's limit is 64 MiB; the largest number of snapshots with usual names takes 5 MiB. */
    public static final int TABLE_BYTES_MAX = 16 << 20;

    public static final int EXTRA_BYTES_MAX = 1024;

    /** The longest an entry can be: what has to be at hand to parse one. */
    public static final int ENTRY_BYTES_MAX = ENTRY_BYTES_MIN + EXTRA_BYTES_MAX + 2 * 0xffff + 7;

    private static final String WHAT = "qcow2 snapshot table";
    private static final int EXTRA_KNOWN_BYTES = 24;
    private static final int EXTRA_VERSION_3_BYTES = 16;
    private static final byte[] UUID_MAGIC = "QUOINSID".getBytes(StandardCharsets.US_ASCII);
    private static final int UUID_BYTES = 16;

    private SnapshotTableLayout() {}

    /** What the table of {@code header} can take at most; it ends at the end of the file. */
    public static long bytesMax(Qcow2Header header, long fileSizeBytes) {
        long most = Math.min(TABLE_BYTES_MAX, (long) header.snapshotCount() * ENTRY_BYTES_MAX);
        return Math.max(0, Math.min(most, fileSizeBytes - header.snapshotsOffset()));
    }

    /**
     * How long a table of {@code count} entries is at least, as far as {@code part}, its start,
     * tells: no more than {@code part} if that has all of it.
     */
    public static long bytesNeeded(ByteBuffer part, int count) {
        ByteBuffer in = part.slice().order(ByteOrder.BIG_ENDIAN);
        long at = 0;
        for (int i = 0; i < count; i++) {
            at = at + 7 & ~7L;
            if (at + ENTRY_BYTES_MIN > in.limit()) {
                return at + ENTRY_BYTES_MIN;
            }
            int start = (int) at;
            long extraLength = in.getInt(start + 36) & 0xffff_ffffL;
            long names = (in.getShort(start + 12) & 0xffffL) + (in.getShort(start + 14) & 0xffffL);
            at += ENTRY_BYTES_MIN + Math.min(extraLength, EXTRA_BYTES_MAX) + names;
        }
        return at;
    }

    /**
     * Parses the table of {@code header}.
     *
     * @param table from its position on, the file from snapshots_offset: {@link #TABLE_BYTES_MAX}
     *     bytes or to the end of the file
     * @throws io.quoin.block.BlockException EINVAL for an entry that breaks a rule
     */
    public static SnapshotTable parse(ByteBuffer table, Qcow2Header header, long fileSizeBytes) {
        ByteBuffer in = table.slice().order(ByteOrder.BIG_ENDIAN);
        List<SnapshotEntry> entries = new ArrayList<>();
        for (int i = 0; i < header.snapshotCount(); i++) {
            entries.add(
                    parseEntry(
                            in,
                            header,
                            fileSizeBytes,
                            fault -> {
                                throw new BlockException(BlockError.EINVAL, fault);
                            }));
            in.position(Math.min(in.limit(), in.position() + 7 & ~7));
        }
        return new SnapshotTable(List.copyOf(entries), in.position());
    }

    /** Hears what is wrong with a table that is read all the same. */
    public interface Faults {
        /** An entry that can be used in spite of it. */
        void mild(String fault);

        /** An entry that is left out. */
        void severe(BlockException fault);

        /** The rest of the table cannot be found. */
        void end(BlockException fault);
    }

    /** As {@link #parse}, of a table that may be broken. */
    public static SnapshotTable parseBroken(
            ByteBuffer table, Qcow2Header header, long fileSizeBytes, Faults faults) {
        ByteBuffer in = table.slice().order(ByteOrder.BIG_ENDIAN);
        List<SnapshotEntry> entries = new ArrayList<>();
        for (int i = 0; i < header.snapshotCount(); i++) {
            int end;
            try {
                end = endOf(in);
            } catch (BlockException e) {
                faults.end(e);
                break;
            }
            try {
                entries.add(parseEntry(in, header, fileSizeBytes, faults::mild));
            } catch (BlockException e) {
                faults.severe(e);
            }
            in.position(Math.min(in.limit(), end + 7 & ~7));
        }
        return new SnapshotTable(List.copyOf(entries), in.position());
    }

    /** The later extra data of a snapshot that has {@code uuid}. */
    public static OpaqueBytes laterExtra(UUID uuid) {
        ByteBuffer bytes = ByteBuffer.allocate(UUID_MAGIC.length + UUID_BYTES);
        bytes.put(UUID_MAGIC);
        bytes.putLong(uuid.getMostSignificantBits()).putLong(uuid.getLeastSignificantBits());
        return OpaqueBytes.copyOf(bytes.array());
    }

    /** The UUID in later extra data; null: there is none. */
    static @Nullable UUID uuid(OpaqueBytes laterExtra) {
        ByteBuffer in = laterExtra.toBuffer();
        if (in.remaining() < UUID_MAGIC.length + UUID_BYTES
                || !in.slice(0, UUID_MAGIC.length).equals(ByteBuffer.wrap(UUID_MAGIC))) {
            return null;
        }
        return new UUID(in.getLong(UUID_MAGIC.length), in.getLong(UUID_MAGIC.length + 8));
    }

    /**
     * A table as it is to be written.
     *
     * @param bytes from 0 to its limit
     * @param table what a reader finds there
     */
    public record Encoded(ByteBuffer bytes, SnapshotTable table) {}

    /**
     * Encodes a table. An entry without a recorded disk size gets that of the image.
     *
     * @param imageSizeBytes the virtual size
     * @throws BlockException EFBIG if that is more than a table may be
     */
    public static Encoded encode(List<SnapshotEntry> entries, long imageSizeBytes) {
        long size = 0;
        for (SnapshotEntry entry : entries) {
            size = (size + 7 & ~7L) + encodedBytes(entry);
        }
        if (entries.size() > HeaderLayout.SNAPSHOTS_MAX || size > TABLE_BYTES_MAX) {
            throw new BlockException(
                    BlockError.EFBIG,
                    WHAT
                            + ": entries="
                            + entries.size()
                            + ", bytes="
                            + size
                            + ", expected=at most "
                            + HeaderLayout.SNAPSHOTS_MAX
                            + " entries and "
                            + TABLE_BYTES_MAX
                            + " bytes");
        }
        ByteBuffer out = ByteBuffer.allocate((int) size);
        List<SnapshotEntry> placed = new ArrayList<>(entries.size());
        for (SnapshotEntry entry : entries) {
            out.position(out.position() + 7 & ~7);
            long diskSize = entry.diskSizeBytes() == -1 ? imageSizeBytes : entry.diskSizeBytes();
            SnapshotEntry at = entry.at(out.position(), diskSize);
            put(out, at);
            placed.add(at);
        }
        return new Encoded(out.flip(), new SnapshotTable(List.copyOf(placed), (int) size));
    }

    /** What an entry takes of a table as {@link #encode} makes it. */
    public static int encodedBytes(SnapshotEntry entry) {
        return ENTRY_BYTES_MIN
                + EXTRA_KNOWN_BYTES
                + entry.laterExtra().lengthBytes()
                + entry.idBytes().lengthBytes()
                + entry.nameBytes().lengthBytes();
    }

    private static void put(ByteBuffer out, SnapshotEntry entry) {
        long vmState = entry.vmStateSizeBytes();
        out.putLong(entry.l1TableOffset()).putInt(entry.l1Size());
        out.putShort((short) entry.idBytes().lengthBytes());
        out.putShort((short) entry.nameBytes().lengthBytes());
        out.putInt(entry.dateSeconds()).putInt(entry.dateNanos()).putLong(entry.vmClockNanos());
        // What does not fit there is found in the extra data alone.
        out.putInt(vmState >>> Integer.SIZE == 0 ? (int) vmState : 0);
        out.putInt(EXTRA_KNOWN_BYTES + entry.laterExtra().lengthBytes());
        out.putLong(vmState).putLong(entry.diskSizeBytes()).putLong(entry.icount());
        entry.laterExtra().putInto(out);
        entry.idBytes().putInto(out);
        entry.nameBytes().putInto(out);
    }

    /**
     * A table with its extra data as they have to be.
     *
     * @param table from 0 to its limit
     * @param sizeOnDiskBytes of the table as it was
     */
    public record Repaired(ByteBuffer table, int sizeOnDiskBytes) {}

    /**
     * Gives each entry of {@code table} the extra data that it has to have: what is missing has the
     * values that readers assume where it is missing, what is more than the limit is left out.
     *
     * @param table from its position on, the file from snapshots_offset to the end of what is known
     * @return null: there is nothing to change, or no telling where its entries are
     */
    public static @Nullable Repaired repaired(ByteBuffer table, Qcow2Header header) {
        ByteBuffer in = table.slice().order(ByteOrder.BIG_ENDIAN);
        List<ByteBuffer> entries = new ArrayList<>();
        boolean changed = false;
        int size = 0;
        for (int i = 0; i < header.snapshotCount(); i++) {
            int start = in.position();
            if (in.remaining() < ENTRY_BYTES_MIN) {
                return null;
            }
            long extraLength = in.getInt(start + 36) & 0xffff_ffffL;
            int names = (in.getShort(start + 12) & 0xffff) + (in.getShort(start + 14) & 0xffff);
            long end = start + ENTRY_BYTES_MIN + extraLength + names;
            if (end > in.limit()) {
                return null;
            }
            ByteBuffer entry = repairedEntry(in, header, (int) extraLength, names);
            changed |= entry.getInt(36) != (int) extraLength;
            entries.add(entry);
            size = (size + 7 & ~7) + entry.limit();
            if (size > TABLE_BYTES_MAX) {
                return null;
            }
            in.position((int) Math.min(in.limit(), end + 7 & ~7L));
        }
        if (!changed) {
            return null;
        }
        ByteBuffer out = ByteBuffer.allocate(size);
        for (ByteBuffer entry : entries) {
            out.position(out.position() + 7 & ~7).put(entry);
        }
        return new Repaired(out.clear(), in.position());
    }

    private static ByteBuffer repairedEntry(
            ByteBuffer in, Qcow2Header header, int extraLength, int namesLength) {
        int start = in.position();
        int extra = start + ENTRY_BYTES_MIN;
        boolean tooShort = header.version() >= 3 && extraLength < EXTRA_VERSION_3_BYTES;
        int newLength = tooShort ? EXTRA_KNOWN_BYTES : Math.min(extraLength, EXTRA_BYTES_MAX);
        ByteBuffer out = ByteBuffer.allocate(ENTRY_BYTES_MIN + newLength + namesLength);
        out.put(in.slice(start, ENTRY_BYTES_MIN)).putInt(36, newLength);
        if (tooShort) {
            long l1Size = in.getInt(start + 8) & 0xffff_ffffL;
            long needed = header.geometry().l1EntriesFor(header.sizeBytes());
            // A disk that its L1 table does not cover could not be opened.
            long diskSize =
                    needed <= l1Size
                            ? header.sizeBytes()
                            : l1Size * header.geometry().l2CoverBytes();
            boolean hasStateSize = extraLength >= Long.BYTES;
            out.putLong(hasStateSize ? in.getLong(extra) : in.getInt(start + 32) & 0xffff_ffffL);
            out.putLong(diskSize);
            out.putLong(-1);
        } else {
            out.put(in.slice(extra, newLength));
        }
        out.put(in.slice(extra + extraLength, namesLength));
        return out.flip();
    }

    /** Where the entry that starts at the position ends; extra data longer than allowed end it. */
    private static int endOf(ByteBuffer in) {
        int start = in.position();
        require(
                in.remaining() >= ENTRY_BYTES_MIN,
                WHAT,
                "bytes left at " + start,
                in.remaining(),
                "at least 40");
        long extraLength = in.getInt(start + 36) & 0xffff_ffffL;
        require(
                extraLength <= EXTRA_BYTES_MAX,
                WHAT,
                "extra data size",
                extraLength,
                "at most 1024");
        int idLength = in.getShort(start + 12) & 0xffff;
        int nameLength = in.getShort(start + 14) & 0xffff;
        int end = start + ENTRY_BYTES_MIN + (int) extraLength + idLength + nameLength;
        require(
                end <= in.limit() && end <= TABLE_BYTES_MAX,
                WHAT,
                "end of the entry at " + start,
                end,
                "inside of the file and of 16 MiB");
        return end;
    }

    private static SnapshotEntry parseEntry(
            ByteBuffer in, Qcow2Header header, long fileSizeBytes, Consumer<String> mild) {
        int start = in.position();
        int end = endOf(in);
        long l1Offset = in.getLong(start);
        long l1Size = in.getInt(start + 8) & 0xffff_ffffL;
        int idLength = in.getShort(start + 12) & 0xffff;
        int nameLength = in.getShort(start + 14) & 0xffff;
        long extraLength = in.getInt(start + 36) & 0xffff_ffffL;
        require(
                l1Size <= HeaderLayout.L1_BYTES_MAX / L1Entry.SIZE_BYTES,
                WHAT,
                "l1_size",
                l1Size,
                "at most 4194304 entries (32 MiB)");
        if (l1Size > 0) {
            Refusal.requireTable(
                    WHAT,
                    "l1_table_offset",
                    l1Offset,
                    l1Size * L1Entry.SIZE_BYTES,
                    header.clusterSizeBytes(),
                    fileSizeBytes);
        }
        if (header.version() >= 3 && extraLength < EXTRA_VERSION_3_BYTES) {
            mild.accept(
                    WHAT
                            + ": extra data size="
                            + extraLength
                            + ", expected=at least 16 in a version 3 image");
        }
        int extra = start + ENTRY_BYTES_MIN;
        int id = extra + (int) extraLength;
        in.position(end);
        int known = Math.min((int) extraLength, EXTRA_KNOWN_BYTES);
        return new SnapshotEntry(
                start,
                l1Offset,
                (int) l1Size,
                OpaqueBytes.copyOf(in, id, idLength),
                OpaqueBytes.copyOf(in, id + idLength, nameLength),
                in.getInt(start + 16),
                in.getInt(start + 20),
                in.getLong(start + 24),
                known >= 8 ? in.getLong(extra) : in.getInt(start + 32) & 0xffff_ffffL,
                known >= 16 ? in.getLong(extra + 8) : -1,
                known >= 24 ? in.getLong(extra + 16) : -1,
                OpaqueBytes.copyOf(in, extra + known, (int) extraLength - known));
    }
}
