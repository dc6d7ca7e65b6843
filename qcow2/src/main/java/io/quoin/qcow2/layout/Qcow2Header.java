package io.quoin.qcow2.layout;

import static io.quoin.qcow2.layout.Refusal.invalid;
import static io.quoin.qcow2.layout.Refusal.require;
import static io.quoin.qcow2.layout.Refusal.unsupported;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What cluster 0 of an image says, every limit checked. See {@link HeaderLayout} for the bytes.
 *
 * <p>Threading: immutable.
 */
public final class Qcow2Header {
    public static final long DIRTY = 1;
    public static final long CORRUPT = 1 << 1;
    public static final long EXTERNAL_DATA_FILE = 1 << 2;
    public static final long COMPRESSION_TYPE = 1 << 3;
    public static final long EXTENDED_L2 = 1 << 4;
    public static final long INCOMPATIBLE_KNOWN = 0x1f;
    public static final long LAZY_REFCOUNTS = 1;
    public static final long COMPATIBLE_KNOWN = 1;
    public static final long BITMAPS_CONSISTENT = 1;
    public static final long RAW_EXTERNAL_DATA = 1 << 1;
    public static final long AUTOCLEAR_KNOWN = 3;

    /**
     * Ours, a bit that the format leaves unassigned: {@link #mayHaveLeaks}, of an image whose first
     * cluster has no room for the extension that says so.
     */
    public static final long LEAKS_POSSIBLE = 1L << 63;

    public static final int COMPRESSION_DEFLATE = 0;
    public static final int COMPRESSION_ZSTD = 1;
    public static final int CRYPT_LUKS = 2;

    private static final String WHAT = "qcow2 header";
    private static final int BACKING_FORMAT_BYTES_MAX = 15;

    private final int version;
    private final int clusterBits;
    private final long sizeBytes;
    private final int cryptMethod;
    private final int l1Size;
    private final long l1TableOffset;
    private final long refcountTableOffset;
    private final int refcountTableClusters;
    private final int snapshotCount;
    private final long snapshotsOffset;
    private final long incompatibleFeatures;
    private final long compatibleFeatures;
    private final long autoclearFeatures;
    private final int refcountOrder;
    private final OpaqueBytes later;
    private final @Nullable String backingFile;
    private final List<HeaderExtension> extensions;

    Qcow2Header(HeaderBuilder builder) {
        version = builder.version;
        clusterBits = builder.clusterBits;
        sizeBytes = builder.sizeBytes;
        cryptMethod = builder.cryptMethod;
        l1Size = builder.l1Size;
        l1TableOffset = builder.l1TableOffset;
        refcountTableOffset = builder.refcountTableOffset;
        refcountTableClusters = builder.refcountTableClusters;
        snapshotCount = builder.snapshotCount;
        snapshotsOffset = builder.snapshotsOffset;
        incompatibleFeatures = builder.incompatibleFeatures;
        compatibleFeatures = builder.compatibleFeatures;
        autoclearFeatures = builder.autoclearFeatures;
        refcountOrder = builder.refcountOrder;
        later = builder.version >= 3 ? builder.later : OpaqueBytes.EMPTY;
        backingFile = builder.backingFile;
        extensions = List.copyOf(builder.extensions);
    }

    public static HeaderBuilder builder() {
        return new HeaderBuilder();
    }

    /**
     * Parses and checks the header of a file.
     *
     * @param bytes from its position on, the first cluster of the file ({@link
     *     HeaderLayout#clusterSizeBytes}) or all of a shorter file
     * @throws io.quoin.block.BlockException EINVAL for a value that breaks a rule, ENOTSUP for a
     *     version or feature that is not known here; the message names field, value and rule
     */
    public static Qcow2Header parse(ByteBuffer bytes, long fileSizeBytes) {
        Qcow2Header header = parseForRepair(bytes, fileSizeBytes);
        header.requireRefcountTable();
        return header;
    }

    /**
     * As {@link #parse}, also with a refcount table that cannot be anywhere: it can be made anew
     * from what the image refers to.
     */
    public static Qcow2Header parseForRepair(ByteBuffer bytes, long fileSizeBytes) {
        Qcow2Header header = HeaderLayout.parse(bytes, fileSizeBytes, false);
        header.check(fileSizeBytes);
        header.checkBackingFormat();
        return header;
    }

    /**
     * As {@link #parse}, also with a backing format that cannot be, or several of them: they are
     * kept, so that all others stay where they are, and must be replaced.
     */
    public static Qcow2Header parseForRebase(ByteBuffer bytes, long fileSizeBytes) {
        Qcow2Header header = HeaderLayout.parse(bytes, fileSizeBytes, true);
        header.check(fileSizeBytes);
        header.requireRefcountTable();
        return header;
    }

    private void check(long fileSizeBytes) {
        checkFeatures();
        checkFields();
        checkTables(fileSizeBytes);
        checkExtensions(fileSizeBytes);
    }

    private void requireRefcountTable() {
        String fault = refcountTableFault();
        if (fault != null) {
            throw new BlockException(BlockError.EINVAL, fault);
        }
    }

    /** What is wrong with the fields of the refcount table; null: nothing. */
    public @Nullable String refcountTableFault() {
        String fault =
                RefcountLayout.tablePlaceFault(
                        refcountTableOffset,
                        Integer.toUnsignedLong(refcountTableClusters),
                        clusterBits);
        return fault == null ? null : WHAT + ": " + fault;
    }

    /**
     * The first cluster, from 0 to its limit; all extensions, known or not, and the bytes of later
     * header fields as they were read. EINVAL if it does not fit.
     */
    public ByteBuffer encode() {
        return HeaderLayout.encode(this);
    }

    private void checkFeatures() {
        long unknown = incompatibleFeatures & ~INCOMPATIBLE_KNOWN;
        if (unknown != 0) {
            List<String> names = new ArrayList<>();
            for (int bit = 0; bit < Long.SIZE; bit++) {
                if ((unknown >>> bit & 1) != 0) {
                    String name =
                            FeatureNames.find(
                                    extension(HeaderExtension.FEATURE_NAMES),
                                    FeatureNames.INCOMPATIBLE,
                                    bit);
                    names.add(name == null ? "bit " + bit : "bit " + bit + " \"" + name + "\"");
                }
            }
            throw unsupported(
                    WHAT,
                    "incompatible_features",
                    String.join(", ", names),
                    "unknown, so the image cannot be read");
        }
        if (isRawExternalData() && (!hasExternalDataFile() || backingFile != null)) {
            throw invalid(
                    WHAT,
                    "autoclear bit 1 (raw external data)",
                    1,
                    "an external data file and no backing file");
        }
    }

    private void checkFields() {
        require(
                refcountOrder >= 0 && refcountOrder <= 6,
                WHAT,
                "refcount_order",
                Integer.toUnsignedLong(refcountOrder),
                "0..6");
        require(
                cryptMethod >= 0 && cryptMethod <= CRYPT_LUKS,
                WHAT,
                "crypt_method",
                Integer.toUnsignedLong(cryptMethod),
                "0, 1 or 2");
        require(
                !hasExtendedL2() || clusterBits >= HeaderLayout.EXTENDED_L2_CLUSTER_BITS_MIN,
                WHAT,
                "cluster_bits",
                clusterBits,
                "at least 14 with extended L2 entries");
        boolean typeBit = (incompatibleFeatures & COMPRESSION_TYPE) != 0;
        require(
                typeBit == (compressionType() != COMPRESSION_DEFLATE),
                WHAT,
                "compression_type",
                compressionType(),
                "non-zero exactly when incompatible bit 3 is set");
        if (compressionType() > COMPRESSION_ZSTD) {
            throw unsupported(
                    WHAT,
                    "compression_type",
                    compressionType(),
                    "expected=0 (deflate) or 1 (zstd)");
        }
    }

    private void checkTables(long fileSizeBytes) {
        int clusterSize = clusterSizeBytes();
        long l1Entries = Integer.toUnsignedLong(l1Size);
        require(
                l1Entries <= HeaderLayout.L1_BYTES_MAX / L1Entry.SIZE_BYTES,
                WHAT,
                "l1_size",
                l1Entries,
                "at most 4194304 entries (32 MiB)");
        long needed = geometry().l1EntriesFor(sizeBytes);
        if (Long.compareUnsigned(l1Entries, needed) < 0) {
            throw invalid(
                    WHAT,
                    "l1_size",
                    l1Entries,
                    "at least "
                            + Long.toUnsignedString(needed)
                            + " entries for a size of "
                            + Long.toUnsignedString(sizeBytes)
                            + " bytes");
        }
        require(sizeBytes >= 0, WHAT, "size", sizeBytes, "below 2^63");
        if (l1Entries > 0) {
            Refusal.requireTable(
                    WHAT,
                    "l1_table_offset",
                    l1TableOffset,
                    l1Entries * L1Entry.SIZE_BYTES,
                    clusterSize,
                    fileSizeBytes);
        }
        long snapshots = Integer.toUnsignedLong(snapshotCount);
        require(
                snapshots <= HeaderLayout.SNAPSHOTS_MAX,
                WHAT,
                "nb_snapshots",
                snapshots,
                "at most 65536");
        if (snapshots > 0) {
            Refusal.requireTable(
                    WHAT,
                    "snapshots_offset",
                    snapshotsOffset,
                    snapshots * SnapshotTableLayout.ENTRY_BYTES_MIN,
                    clusterSize,
                    fileSizeBytes);
        } else {
            require(
                    snapshotsOffset >= 0 && geometry().offsetInCluster(snapshotsOffset) == 0,
                    WHAT,
                    "snapshots_offset",
                    snapshotsOffset,
                    "a multiple of the cluster size " + clusterSize);
        }
    }

    private void checkBackingFormat() {
        HeaderExtension format = extension(HeaderExtension.BACKING_FORMAT);
        if (format != null) {
            require(
                    format.data().lengthBytes() <= BACKING_FORMAT_BYTES_MAX,
                    WHAT,
                    "length of the backing format",
                    format.data().lengthBytes(),
                    "0..15");
        }
        text(HeaderExtension.BACKING_FORMAT, "backing format");
    }

    private void checkExtensions(long fileSizeBytes) {
        text(HeaderExtension.DATA_FILE, "data file name");
        if (extension(HeaderExtension.DATA_FILE) != null) {
            require(
                    hasExternalDataFile(),
                    WHAT,
                    "data file name without incompatible bit",
                    2,
                    "the bit to be set");
        }
        HeaderExtension crypto = extension(HeaderExtension.CRYPTO);
        if (crypto != null) {
            CryptoExtension.check(crypto, cryptMethod, clusterSizeBytes(), fileSizeBytes);
        }
        if (bitmapsConsistent()) {
            HeaderExtension bitmaps = extension(HeaderExtension.BITMAPS);
            if (bitmaps == null) {
                throw invalid(WHAT, "autoclear bit 0 (bitmaps)", 1, "a bitmaps extension");
            }
            BitmapsExtension.parse(bitmaps, clusterSizeBytes(), fileSizeBytes);
        }
    }

    /**
     * Refuses what the online data path cannot serve: encryption, an external data file without a
     * name or together with internal snapshots, a backing file without a format, and for writing a
     * refcount table beyond the end of the file or an image that is marked corrupt.
     */
    public void requireServable(boolean writable, long fileSizeBytes) {
        if (cryptMethod != 0) {
            throw unsupported(
                    WHAT, "crypt_method", cryptMethod, "encrypted images are not supported");
        }
        if (hasExternalDataFile() && dataFile() == null) {
            throw unsupported(
                    WHAT, "data file name", "none", "an external data file needs its name");
        }
        if (hasExternalDataFile() && snapshotCount > 0) {
            throw unsupported(
                    WHAT,
                    "nb_snapshots",
                    snapshotCount,
                    "expected=0 with an external data file (incompatible bit 2)");
        }
        if (backingFile != null && backingFormat() == null) {
            throw unsupported(
                    WHAT,
                    "backing format",
                    "none",
                    "a backing file needs its format in the header: no probing");
        }
        if (writable) {
            if (isCorrupt()) {
                throw unsupported(
                        WHAT,
                        "incompatible bit",
                        1,
                        "the image is marked corrupt: open it read-only or repair it");
            }
            Refusal.requireTable(
                    WHAT,
                    "refcount_table_offset",
                    refcountTableOffset,
                    refcountTableBytes(),
                    clusterSizeBytes(),
                    fileSizeBytes);
            require(
                    fileSizeBytes <= refcounts().fileBytesMax(),
                    WHAT,
                    "file size",
                    fileSizeBytes,
                    "at most "
                            + refcounts().fileBytesMax()
                            + ", what the longest refcount table counts");
        }
    }

    /**
     * The header that {@code snapshot} had: its L1 table and its size, without bitmaps, which are
     * of the image as it is now; EINVAL where the one does not cover the other.
     */
    public Qcow2Header atSnapshot(SnapshotEntry snapshot) {
        long size = snapshot.diskSizeBytes() == -1 ? sizeBytes : snapshot.diskSizeBytes();
        long needed = geometry().l1EntriesFor(size);
        require(
                size >= 0 && needed <= snapshot.l1Size(),
                "qcow2 snapshot " + snapshot.id(),
                "disk size",
                size,
                "what its L1 table of " + snapshot.l1Size() + " entries covers");
        return toBuilder()
                .sizeBytes(size)
                .l1(snapshot.l1Size(), snapshot.l1TableOffset())
                .features(
                        incompatibleFeatures,
                        compatibleFeatures,
                        autoclearFeatures & ~BITMAPS_CONSISTENT)
                .withoutExtension(HeaderExtension.BITMAPS)
                .build();
    }

    public HeaderBuilder toBuilder() {
        return new HeaderBuilder()
                .version(version)
                .clusterBits(clusterBits)
                .sizeBytes(sizeBytes)
                .cryptMethod(cryptMethod)
                .l1(l1Size, l1TableOffset)
                .refcountTable(refcountTableOffset, refcountTableClusters)
                .snapshots(snapshotCount, snapshotsOffset)
                .features(incompatibleFeatures, compatibleFeatures, autoclearFeatures)
                .refcountOrder(refcountOrder)
                .later(later)
                .backingFile(backingFile)
                .extensions(extensions);
    }

    public int version() {
        return version;
    }

    public int clusterBits() {
        return clusterBits;
    }

    public int clusterSizeBytes() {
        return 1 << clusterBits;
    }

    /** The virtual size. */
    public long sizeBytes() {
        return sizeBytes;
    }

    /** 0 none, 1 AES, 2 LUKS. */
    public int cryptMethod() {
        return cryptMethod;
    }

    /** Entries of the active L1 table. */
    public int l1Size() {
        return l1Size;
    }

    public long l1TableOffset() {
        return l1TableOffset;
    }

    public long refcountTableOffset() {
        return refcountTableOffset;
    }

    public int refcountTableClusters() {
        return refcountTableClusters;
    }

    public long refcountTableBytes() {
        return (long) refcountTableClusters << clusterBits;
    }

    public int snapshotCount() {
        return snapshotCount;
    }

    public long snapshotsOffset() {
        return snapshotsOffset;
    }

    public long incompatibleFeatures() {
        return incompatibleFeatures;
    }

    public long compatibleFeatures() {
        return compatibleFeatures;
    }

    public long autoclearFeatures() {
        return autoclearFeatures;
    }

    public int refcountOrder() {
        return refcountOrder;
    }

    public int refcountBits() {
        return 1 << refcountOrder;
    }

    /** {@link #COMPRESSION_DEFLATE} or {@link #COMPRESSION_ZSTD}. */
    public int compressionType() {
        return later.lengthBytes() == 0 ? COMPRESSION_DEFLATE : later.toBuffer().get(0) & 0xff;
    }

    int headerLengthBytes() {
        return version == 2
                ? HeaderLayout.VERSION_2_BYTES
                : HeaderLayout.VERSION_3_BYTES_MIN + later.lengthBytes();
    }

    OpaqueBytes later() {
        return later;
    }

    /** As it stands in the image, not to be trusted; null: none. */
    public @Nullable String backingFile() {
        return backingFile;
    }

    public @Nullable String backingFormat() {
        return text(HeaderExtension.BACKING_FORMAT, "backing format");
    }

    /** As it stands in the image, not to be trusted; null: none. */
    public @Nullable String dataFile() {
        return text(HeaderExtension.DATA_FILE, "data file name");
    }

    public List<HeaderExtension> extensions() {
        return extensions;
    }

    /**
     * Whether clusters may be counted to which nothing refers: the last writer did not end what it
     * had begun. It may say so of an image that another program has repaired since.
     */
    public boolean mayHaveLeaks() {
        return (autoclearFeatures & LEAKS_POSSIBLE) != 0
                || extension(HeaderExtension.LEAKS) != null;
    }

    public @Nullable HeaderExtension extension(int type) {
        for (HeaderExtension extension : extensions) {
            if (extension.type() == type) {
                return extension;
            }
        }
        return null;
    }

    /** Where the bitmaps are; null: none, or stale ones that must not be used. */
    public @Nullable BitmapsExtension bitmaps() {
        HeaderExtension bitmaps = extension(HeaderExtension.BITMAPS);
        return bitmapsConsistent() && bitmaps != null
                ? BitmapsExtension.parse(bitmaps, clusterSizeBytes(), Long.MAX_VALUE)
                : null;
    }

    /** Host offset of the LUKS header and its length; null: none, or it is not known where. */
    public long @Nullable [] cryptoHeader() {
        HeaderExtension crypto = extension(HeaderExtension.CRYPTO);
        if (crypto == null) {
            return null;
        }
        ByteBuffer data = crypto.data().toBuffer();
        return new long[] {data.getLong(0), data.getLong(8)};
    }

    public boolean isDirty() {
        return (incompatibleFeatures & DIRTY) != 0;
    }

    public boolean isCorrupt() {
        return (incompatibleFeatures & CORRUPT) != 0;
    }

    public boolean hasExternalDataFile() {
        return (incompatibleFeatures & EXTERNAL_DATA_FILE) != 0;
    }

    public boolean isRawExternalData() {
        return (autoclearFeatures & RAW_EXTERNAL_DATA) != 0;
    }

    public boolean hasExtendedL2() {
        return (incompatibleFeatures & EXTENDED_L2) != 0;
    }

    public boolean lazyRefcounts() {
        return (compatibleFeatures & LAZY_REFCOUNTS) != 0;
    }

    public boolean bitmapsConsistent() {
        return version >= 3 && (autoclearFeatures & BITMAPS_CONSISTENT) != 0;
    }

    public Qcow2Geometry geometry() {
        return new Qcow2Geometry(clusterBits, hasExtendedL2());
    }

    public RefcountLayout refcounts() {
        return new RefcountLayout(refcountOrder, clusterBits);
    }

    private @Nullable String text(int type, String field) {
        HeaderExtension extension = extension(type);
        return extension == null
                ? null
                : Refusal.name(
                        WHAT,
                        field,
                        extension.data().toBuffer(),
                        0,
                        extension.data().lengthBytes());
    }

    /** The extension that names the format of the backing file. */
    public static HeaderExtension backingFormatExtension(String format) {
        return new HeaderExtension(
                HeaderExtension.BACKING_FORMAT,
                OpaqueBytes.copyOf(format.getBytes(StandardCharsets.UTF_8)));
    }
}
