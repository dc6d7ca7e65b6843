package io.quoin.qcow2.check;

import io.quoin.qcow2.check.ReferenceCounts.Use;
import io.quoin.qcow2.layout.ClusterKind;
import io.quoin.qcow2.layout.EntryFault;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.qcow2.layout.SubclusterBitmap;
import java.nio.ByteBuffer;

/**
 * Visits the entries of an L2 table.
 *
 * <p>Threading: confined to its thread.
 */
final class L2Walk {
    private final CheckImage image;
    private final References references;
    private final CheckReport report;
    private final boolean repair;
    private final ByteBuffer table;
    private final boolean extended;
    private long contiguousHostOffset;

    L2Walk(CheckImage image, References references, CheckReport report, boolean repair) {
        this.image = image;
        this.references = references;
        this.report = report;
        this.repair = repair;
        this.table = ByteBuffer.allocate(image.clusterSize);
        this.extended = image.geometry.extendedL2();
    }

    /** Counts the references of the table; of the active ones, also how clusters are laid out. */
    void walk(long l2Offset, boolean active) {
        image.read(l2Offset, table, image.clusterSize);
        int entryBytes = image.geometry.l2EntryBytes();
        contiguousHostOffset = 0;
        for (int at = 0; at < image.clusterSize; at += entryBytes) {
            long entry = table.getLong(at);
            long bitmap = extended ? table.getLong(at + L2Entry.SIZE_BYTES) : 0;
            if (entry != 0 || bitmap != 0) {
                visit(entry, bitmap, l2Offset + at, active);
            }
        }
    }

    private void visit(long entry, long bitmap, long entryOffset, boolean active) {
        ClusterKind kind = extended ? L2Entry.extendedKind(entry) : L2Entry.kind(entry);
        long reserved = L2Entry.RESERVED_MASK | (extended ? L2Entry.ZERO : 0);
        long meant = kind == ClusterKind.COMPRESSED ? entry : entry & ~reserved;
        if (meant != entry) {
            references.mendEntry(
                    at(entryOffset) + EntryFault.RESERVED_BITS.text(), entryOffset, meant);
        }
        boolean hasHost = L2Entry.hasHost(entry, image.header.hasExternalDataFile());
        EntryFault fault =
                extended ? SubclusterBitmap.fault(entry, bitmap, hasHost) : EntryFault.NONE;
        if (!fault.isNone()) {
            faulty(fault, entryOffset);
        }
        switch (kind) {
            case COMPRESSED -> compressed(meant, entryOffset, active);
            case NORMAL, ZERO_ALLOCATED -> {
                boolean hasData = extended ? (int) bitmap != 0 : kind == ClusterKind.NORMAL;
                standard(meant, entryOffset, active, hasData);
            }
            case UNALLOCATED, ZERO_PLAIN -> withoutCluster(meant, entryOffset, active);
        }
    }

    private void faulty(EntryFault fault, long entryOffset) {
        String text = at(entryOffset) + fault.text();
        if (fault == EntryFault.SUBCLUSTER_COMPRESSED) {
            // Its subclusters are those of the stream, whatever the bitmap says.
            references.mendEntry(text, entryOffset + L2Entry.SIZE_BYTES, 0);
        } else {
            report.corruption(text);
        }
    }

    private void compressed(long entry, long entryOffset, boolean active) {
        if (L2Entry.isCopied(entry)) {
            references.mendEntry(
                    at(entryOffset) + EntryFault.COPIED_COMPRESSED.text(),
                    entryOffset,
                    entry & ~L2Entry.COPIED);
        }
        if (image.header.hasExternalDataFile()) {
            report.corruption(
                    at(entryOffset)
                            + "a compressed cluster in an image with an external data file");
            return;
        }
        references.reference(
                L2Entry.compressedHostOffset(entry, image.clusterBits),
                L2Entry.compressedLengthBytes(entry, image.clusterBits),
                Use.DATA,
                "compressed cluster",
                entryOffset);
        if (active) {
            report.allocatedClusters++;
            report.compressedClusters++;
            report.fragmentedClusters++;
        }
    }

    private void standard(long entry, long entryOffset, boolean active, boolean hasData) {
        long hostOffset = L2Entry.hostOffset(entry);
        if (image.geometry.offsetInCluster(hostOffset) != 0) {
            String text = at(entryOffset) + EntryFault.UNALIGNED.text() + ", offset=" + hostOffset;
            if (!hasData && repair) {
                // No data are there, it is a place for some.
                references.mendEntry(text, entryOffset, extended ? 0 : L2Entry.zero(0, false));
                return;
            }
            report.corruption(text);
            // Which cluster was meant is unknown: none may be taken for leaked.
            report.referencesHidden = true;
        }
        if (active) {
            report.allocatedClusters++;
            if (contiguousHostOffset != 0 && hostOffset != contiguousHostOffset) {
                report.fragmentedClusters++;
            }
            contiguousHostOffset = hostOffset + image.clusterSize;
        }
        if (!image.header.hasExternalDataFile()) {
            references.reference(
                    hostOffset, image.clusterSize, Use.DATA, "data cluster", entryOffset);
        }
    }

    private void withoutCluster(long entry, long entryOffset, boolean active) {
        boolean dataFileClusterZero = image.header.hasExternalDataFile() && L2Entry.isCopied(entry);
        if (dataFileClusterZero && active) {
            report.allocatedClusters++;
        }
        if (L2Entry.isCopied(entry) && !dataFileClusterZero) {
            references.mendEntry(
                    at(entryOffset) + EntryFault.COPIED_WITHOUT_OFFSET.text(),
                    entryOffset,
                    entry & ~L2Entry.COPIED);
        }
    }

    private static String at(long entryOffset) {
        return "L2 entry at host offset " + entryOffset + ": ";
    }
}
