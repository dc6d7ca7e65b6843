package io.quoin.qcow2.layout;

import static io.quoin.qcow2.layout.Refusal.require;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.NameText;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Cluster 0 of an image.
 *
 * <pre>
 *    0 +-------------------------------+-------------------------------+
 *      | magic "QFI\xfb"               | version 2 | 3                 |
 *    8 +-------------------------------+-------------------------------+
 *      | backing_file_offset                                           |
 *   16 +-------------------------------+-------------------------------+
 *      | backing_file_size             | cluster_bits                  |
 *   24 +-------------------------------+-------------------------------+
 *      | size                                                          |
 *   32 +-------------------------------+-------------------------------+
 *      | crypt_method                  | l1_size (entries)             |
 *   40 +-------------------------------+-------------------------------+
 *      | l1_table_offset                                               |
 *   48 +---------------------------------------------------------------+
 *      | refcount_table_offset                                         |
 *   56 +-------------------------------+-------------------------------+
 *      | refcount_table_clusters       | nb_snapshots                  |
 *   64 +-------------------------------+-------------------------------+
 *      | snapshots_offset                                              |
 *   72 +---------------------------------------------------------------+  end of version 2
 *      | incompatible_features                                         |
 *   80 +---------------------------------------------------------------+
 *      | compatible_features                                           |
 *   88 +---------------------------------------------------------------+
 *      | autoclear_features                                            |
 *   96 +-------------------------------+-------------------------------+
 *      | refcount_order                | header_length                 |
 *  104 +-------+-----------------------+-------------------------------+
 *      | compr.| padding, fields of later versions: kept as they are   |
 *      +-------+-------------------------------------------------------+  header_length
 *      | extensions: { type 32, length 32, data padded to 8 }..., { 0, 0 }
 *      | backing file name, no NUL
 * </pre>
 *
 * Every {@code encode...Fields} method writes one run of bytes that lies in the first 512-byte
 * sector, so that a pointer is switched by one atomic write.
 *
 * <p>Threading: immutable.
 */
public final class HeaderLayout {
    public static final int MAGIC = 0x514649fb;
    public static final int VERSION_2_BYTES = 72;
    public static final int VERSION_3_BYTES_MIN = 104;

    /** Length of the headers that are made here: all fields that have a meaning today. */
    public static final int VERSION_3_BYTES = 112;

    public static final int CLUSTER_BITS_MIN = 9;
    public static final int CLUSTER_BITS_MAX = 21;
    public static final int EXTENDED_L2_CLUSTER_BITS_MIN = 14;
    public static final int L1_BYTES_MAX = 32 << 20;
    public static final int SNAPSHOTS_MAX = 65_536;
    public static final int BACKING_NAME_BYTES_MAX = 1023;

    public static final int SIZE_OFFSET = 24;
    public static final int SIZE_BYTES = 8;
    public static final int L1_FIELDS_OFFSET = 36;
    public static final int L1_FIELDS_BYTES = 12;
    public static final int L1_TABLE_OFFSET_OFFSET = 40;
    public static final int REFCOUNT_TABLE_FIELDS_OFFSET = 48;
    public static final int REFCOUNT_TABLE_FIELDS_BYTES = 12;
    public static final int SNAPSHOT_FIELDS_OFFSET = 60;
    public static final int SNAPSHOT_FIELDS_BYTES = 12;
    public static final int SNAPSHOTS_OFFSET_OFFSET = 64;
    public static final int FEATURES_OFFSET = 72;
    public static final int FEATURES_BYTES = 24;

    private static final String WHAT = "qcow2 header";
    private static final int VERSION_OFFSET = 4;
    static final int BACKING_OFFSET_OFFSET = 8;
    static final int BACKING_SIZE_OFFSET = 16;
    private static final int CLUSTER_BITS_OFFSET = 20;
    private static final int CRYPT_METHOD_OFFSET = 32;
    private static final int REFCOUNT_ORDER_OFFSET = 96;
    private static final int HEADER_LENGTH_OFFSET = 100;
    private static final int COMPRESSION_TYPE_OFFSET = 104;

    private HeaderLayout() {}

    /**
     * The cluster size, from at least the first 24 bytes of a file: how much has to be read for
     * {@link Qcow2Header#parse}.
     */
    public static int clusterSizeBytes(ByteBuffer bytes) {
        ByteBuffer in = bytes.duplicate().order(ByteOrder.BIG_ENDIAN);
        int base = in.position();
        require(
                in.remaining() >= SIZE_OFFSET,
                WHAT,
                "file size",
                in.remaining(),
                "at least 72 bytes");
        if (in.getInt(base) != MAGIC) {
            throw new BlockException(
                    BlockError.EINVAL, WHAT + ": no qcow2 magic number at host offset 0");
        }
        int version = in.getInt(base + VERSION_OFFSET);
        if (version != 2 && version != 3) {
            throw Refusal.unsupported(
                    WHAT, "version", Integer.toUnsignedString(version), "expected=2 or 3");
        }
        long bits = in.getInt(base + CLUSTER_BITS_OFFSET) & 0xffff_ffffL;
        require(
                bits >= CLUSTER_BITS_MIN && bits <= CLUSTER_BITS_MAX,
                WHAT,
                "cluster_bits",
                bits,
                "9..21");
        return 1 << bits;
    }

    /**
     * How many bytes from the start of a file {@link Qcow2Header#parse} needs: as many as header,
     * extensions and backing file name fill, else the whole first cluster.
     *
     * @param bytes from its position on, the first of the file, at least 104 or all
     * @throws BlockException as {@link #clusterSizeBytes}
     */
    public static int bytesNeeded(ByteBuffer bytes) {
        int clusterSize = clusterSizeBytes(bytes);
        ByteBuffer in = bytes.slice().order(ByteOrder.BIG_ENDIAN);
        if (in.limit() < VERSION_3_BYTES_MIN) {
            return clusterSize;
        }
        long nameOffset = in.getLong(BACKING_OFFSET_OFFSET);
        long nameBytes = in.getInt(BACKING_SIZE_OFFSET) & 0xffff_ffffL;
        if (nameOffset < 0 || nameOffset > clusterSize) {
            return clusterSize;
        }
        long headerLength =
                in.getInt(VERSION_OFFSET) == 2
                        ? VERSION_2_BYTES
                        : in.getInt(HEADER_LENGTH_OFFSET) & 0xffff_ffffL;
        long listEnd = nameOffset == 0 ? clusterSize : nameOffset;
        long needed =
                Math.max(
                        HeaderExtension.listEnd(in, headerLength, listEnd),
                        nameOffset == 0 ? 0 : nameOffset + nameBytes);
        return needed <= in.limit() ? (int) Math.min(needed, clusterSize) : clusterSize;
    }

    static Qcow2Header parse(ByteBuffer source, long fileSizeBytes, boolean anyBackingFormat) {
        int clusterSize = clusterSizeBytes(source);
        ByteBuffer in = source.slice().order(ByteOrder.BIG_ENDIAN);
        int end = (int) Math.min(clusterSize, fileSizeBytes);
        require(
                in.limit() >= end || in.limit() >= bytesNeeded(in),
                WHAT,
                "bytes read",
                in.limit(),
                "the whole first cluster");
        in.limit(Math.min(in.limit(), end));
        HeaderBuilder header = new HeaderBuilder();
        int headerLength = parseFixed(in, clusterSize, header);
        long backingOffset = in.getLong(BACKING_OFFSET_OFFSET);
        long backingSize = in.getInt(BACKING_SIZE_OFFSET) & 0xffff_ffffL;
        int extensionsEnd = end;
        if (backingOffset != 0) {
            checkBackingName(backingOffset, backingSize, headerLength, end);
            extensionsEnd = (int) backingOffset;
            if (backingSize > 0) {
                header.backingFile(
                        Refusal.name(
                                WHAT,
                                "backing file name",
                                in,
                                (int) backingOffset,
                                (int) backingSize));
            }
        }
        header.extensions(
                HeaderExtension.parseAll(in, headerLength, extensionsEnd, anyBackingFormat));
        return header.build();
    }

    private static int parseFixed(ByteBuffer in, int clusterSize, HeaderBuilder header) {
        require(in.limit() >= VERSION_2_BYTES, WHAT, "file size", in.limit(), "at least 72 bytes");
        int version = in.getInt(VERSION_OFFSET);
        header.version(version)
                .clusterBits(Integer.numberOfTrailingZeros(clusterSize))
                .sizeBytes(in.getLong(SIZE_OFFSET))
                .cryptMethod(in.getInt(CRYPT_METHOD_OFFSET))
                .l1(in.getInt(L1_FIELDS_OFFSET), in.getLong(L1_FIELDS_OFFSET + 4))
                .refcountTable(
                        in.getLong(REFCOUNT_TABLE_FIELDS_OFFSET),
                        in.getInt(REFCOUNT_TABLE_FIELDS_OFFSET + 8))
                .snapshots(
                        in.getInt(SNAPSHOT_FIELDS_OFFSET), in.getLong(SNAPSHOT_FIELDS_OFFSET + 4));
        if (version == 2) {
            return VERSION_2_BYTES;
        }
        require(
                in.limit() >= VERSION_3_BYTES_MIN,
                WHAT,
                "file size",
                in.limit(),
                "at least 104 bytes");
        long headerLength = in.getInt(HEADER_LENGTH_OFFSET) & 0xffff_ffffL;
        require(
                headerLength >= VERSION_3_BYTES_MIN
                        && headerLength % 8 == 0
                        && headerLength <= clusterSize,
                WHAT,
                "header_length",
                headerLength,
                "104.." + clusterSize + ", a multiple of 8");
        require(
                headerLength <= in.limit(),
                WHAT,
                "file size",
                in.limit(),
                "at least header_length " + headerLength);
        header.features(
                        in.getLong(FEATURES_OFFSET),
                        in.getLong(FEATURES_OFFSET + 8),
                        in.getLong(FEATURES_OFFSET + 16))
                .refcountOrder(in.getInt(REFCOUNT_ORDER_OFFSET))
                .later(
                        OpaqueBytes.copyOf(
                                in, VERSION_3_BYTES_MIN, (int) headerLength - VERSION_3_BYTES_MIN));
        return (int) headerLength;
    }

    private static void checkBackingName(long offset, long length, int headerLength, int limit) {
        require(length <= BACKING_NAME_BYTES_MAX, WHAT, "backing_file_size", length, "0..1023");
        require(
                offset >= headerLength && offset <= limit,
                WHAT,
                "backing_file_offset",
                offset,
                "behind the header, inside of the first cluster");
        require(
                offset + length <= limit,
                WHAT,
                "backing_file_size",
                length,
                "a name that ends inside of the first cluster");
    }

    /** The first cluster; EINVAL if it does not all fit. */
    static ByteBuffer encode(Qcow2Header header) {
        byte[] backing = backingName(header);
        require(
                backing.length <= BACKING_NAME_BYTES_MAX,
                WHAT,
                "backing file name length",
                backing.length,
                "0..1023");
        ByteBuffer out = ByteBuffer.allocate(header.clusterSizeBytes());
        int needed = lengthBytes(header);
        require(
                needed <= out.capacity(),
                WHAT,
                "header, extensions and backing file name",
                needed,
                "at most the cluster size " + out.capacity());
        encodeFixed(out, header);
        out.position(header.headerLengthBytes());
        for (HeaderExtension extension : header.extensions()) {
            extension.encode(out);
        }
        out.putLong(0);
        if (backing.length > 0) {
            out.putLong(BACKING_OFFSET_OFFSET, out.position())
                    .putInt(BACKING_SIZE_OFFSET, backing.length);
            out.put(backing);
        }
        return out.clear();
    }

    /** What {@link #encode} fills, the mark at the end of the extensions included. */
    static int lengthBytes(Qcow2Header header) {
        int length = header.headerLengthBytes() + HeaderExtension.HEADER_BYTES;
        for (HeaderExtension extension : header.extensions()) {
            length = Math.addExact(length, extension.sizeOnDiskBytes());
        }
        return Math.addExact(length, backingName(header).length);
    }

    static byte[] backingName(Qcow2Header header) {
        String name = header.backingFile();
        return name == null ? new byte[0] : NameText.bytes(name);
    }

    private static void encodeFixed(ByteBuffer out, Qcow2Header header) {
        out.putInt(0, MAGIC).putInt(VERSION_OFFSET, header.version());
        out.putInt(CLUSTER_BITS_OFFSET, header.clusterBits());
        out.putLong(SIZE_OFFSET, header.sizeBytes());
        out.putInt(CRYPT_METHOD_OFFSET, header.cryptMethod());
        encodeL1Fields(out.position(L1_FIELDS_OFFSET), header.l1Size(), header.l1TableOffset());
        encodeRefcountTableFields(
                out.position(REFCOUNT_TABLE_FIELDS_OFFSET),
                header.refcountTableOffset(),
                header.refcountTableClusters());
        encodeSnapshotFields(
                out.position(SNAPSHOT_FIELDS_OFFSET),
                header.snapshotCount(),
                header.snapshotsOffset());
        if (header.version() >= 3) {
            encodeFeatures(
                    out.position(FEATURES_OFFSET),
                    header.incompatibleFeatures(),
                    header.compatibleFeatures(),
                    header.autoclearFeatures());
            out.putInt(REFCOUNT_ORDER_OFFSET, header.refcountOrder());
            out.putInt(HEADER_LENGTH_OFFSET, header.headerLengthBytes());
            header.later().putInto(out.position(COMPRESSION_TYPE_OFFSET));
        }
    }

    /** Puts what belongs at {@link #SIZE_OFFSET}. */
    public static void encodeSize(ByteBuffer target, long sizeBytes) {
        target.order(ByteOrder.BIG_ENDIAN).putLong(sizeBytes);
    }

    /** Puts what belongs at {@link #L1_FIELDS_OFFSET}. */
    public static void encodeL1Fields(ByteBuffer target, int l1Size, long l1TableOffset) {
        target.order(ByteOrder.BIG_ENDIAN).putInt(l1Size).putLong(l1TableOffset);
    }

    /** Puts what belongs at {@link #REFCOUNT_TABLE_FIELDS_OFFSET}. */
    public static void encodeRefcountTableFields(
            ByteBuffer target, long tableOffset, int tableClusters) {
        target.order(ByteOrder.BIG_ENDIAN).putLong(tableOffset).putInt(tableClusters);
    }

    /** Puts what belongs at {@link #SNAPSHOT_FIELDS_OFFSET}. */
    public static void encodeSnapshotFields(
            ByteBuffer target, int snapshotCount, long snapshotsOffset) {
        target.order(ByteOrder.BIG_ENDIAN).putInt(snapshotCount).putLong(snapshotsOffset);
    }

    /** Puts what belongs at {@link #FEATURES_OFFSET}; version 3 only. */
    public static void encodeFeatures(
            ByteBuffer target, long incompatible, long compatible, long autoclear) {
        target.order(ByteOrder.BIG_ENDIAN)
                .putLong(incompatible)
                .putLong(compatible)
                .putLong(autoclear);
    }
}
