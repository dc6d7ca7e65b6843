package io.quoin.qcow2.layout;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Puts a header together: a new one, or one with some fields changed ({@link
 * Qcow2Header#toBuilder}). It checks nothing; {@link Qcow2Header#encode} and parsing do.
 *
 * <p>Threading: confined to its user.
 */
public final class HeaderBuilder {
    int version = 3;
    int clusterBits = 16;
    long sizeBytes;
    int cryptMethod;
    int l1Size;
    long l1TableOffset;
    long refcountTableOffset;
    int refcountTableClusters;
    int snapshotCount;
    long snapshotsOffset;
    long incompatibleFeatures;
    long compatibleFeatures;
    long autoclearFeatures;
    int refcountOrder = 4;
    OpaqueBytes later =
            OpaqueBytes.copyOf(
                    new byte[HeaderLayout.VERSION_3_BYTES - HeaderLayout.VERSION_3_BYTES_MIN]);
    @Nullable String backingFile;
    List<HeaderExtension> extensions = new ArrayList<>();

    public HeaderBuilder version(int newVersion) {
        version = newVersion;
        return this;
    }

    public HeaderBuilder clusterBits(int newClusterBits) {
        clusterBits = newClusterBits;
        return this;
    }

    public HeaderBuilder sizeBytes(long newSizeBytes) {
        sizeBytes = newSizeBytes;
        return this;
    }

    HeaderBuilder cryptMethod(int newCryptMethod) {
        cryptMethod = newCryptMethod;
        return this;
    }

    public HeaderBuilder l1(int newL1Size, long newL1TableOffset) {
        l1Size = newL1Size;
        l1TableOffset = newL1TableOffset;
        return this;
    }

    public HeaderBuilder refcountTable(long newTableOffset, int newTableClusters) {
        refcountTableOffset = newTableOffset;
        refcountTableClusters = newTableClusters;
        return this;
    }

    public HeaderBuilder snapshots(int newSnapshotCount, long newSnapshotsOffset) {
        snapshotCount = newSnapshotCount;
        snapshotsOffset = newSnapshotsOffset;
        return this;
    }

    public HeaderBuilder features(long incompatible, long compatible, long autoclear) {
        incompatibleFeatures = incompatible;
        compatibleFeatures = compatible;
        autoclearFeatures = autoclear;
        return this;
    }

    public HeaderBuilder refcountOrder(int newRefcountOrder) {
        refcountOrder = newRefcountOrder;
        return this;
    }

    /** {@link Qcow2Header#COMPRESSION_DEFLATE} or {@link Qcow2Header#COMPRESSION_ZSTD}. */
    public HeaderBuilder compressionType(int newCompressionType) {
        byte[] bytes = new byte[later.lengthBytes()];
        later.putInto(ByteBuffer.wrap(bytes));
        bytes[0] = (byte) newCompressionType;
        later = OpaqueBytes.copyOf(bytes);
        return this;
    }

    /** The bytes from 104 to header_length, compression_type first. */
    HeaderBuilder later(OpaqueBytes bytes) {
        later = bytes;
        return this;
    }

    public HeaderBuilder backingFile(@Nullable String newBackingFile) {
        backingFile = newBackingFile;
        return this;
    }

    public HeaderBuilder extensions(List<HeaderExtension> newExtensions) {
        extensions = new ArrayList<>(newExtensions);
        return this;
    }

    /** Puts {@code extension} in the place of the first one of its type, or at the end. */
    public HeaderBuilder extension(HeaderExtension extension) {
        int at = 0;
        while (at < extensions.size() && extensions.get(at).type() != extension.type()) {
            at++;
        }
        withoutExtension(extension.type());
        extensions.add(at, extension);
        return this;
    }

    public HeaderBuilder withoutExtension(int type) {
        extensions.removeIf(extension -> extension.type() == type);
        return this;
    }

    public Qcow2Header build() {
        return new Qcow2Header(this);
    }
}
