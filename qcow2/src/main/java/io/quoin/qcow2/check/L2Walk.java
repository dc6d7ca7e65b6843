package io.quoin.qcow2.check;

import io.quoin.qcow2.check.ReferenceCounts.Use;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.layout.ClusterKind;
import io.quoin.qcow2.layout.EntryFault;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.qcow2.layout.SubclusterBitmap;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;

/**
 * Visits the entries of an L2 table.
 *
 * <p>Threading: confined to its thread.
 */
final class L2Walk {
    private static final int READ_BYTES_MAX = 1 << 20;

    /** As many requests may be in flight for each thread. */
    private static final int READ_TABLES_MAX = 256;

    private final ClosedImage image;
    private final References references;
    private final CheckReport report;
    private final boolean repair;
    private final boolean extended;

    /** Tables as they are read, several at once. */
    private final ByteBuffer buffer;

    private final long[] words;
    private final long unusual;
    private long contiguousHostOffset;

    /** One that walks one table at a time. */
    L2Walk(ClosedImage image, References references, CheckReport report, boolean repair) {
        this(image, references, report, repair, ByteBuffer.allocate(image.clusterSize));
    }

    /** One that walks {@link #tablesAtOnce} tables; what it sees is not repaired. */
    static L2Walk ofMany(ClosedImage image, References references, CheckReport report) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(tablesAtOnce(image) * image.clusterSize);
        return new L2Walk(image, references, report, false, buffer);
    }

    private L2Walk(
            ClosedImage image,
            References references,
            CheckReport report,
            boolean repair,
            ByteBuffer buffer) {
        this.image = image;
        this.references = references;
        this.report = report;
        this.repair = repair;
        this.buffer = buffer;
        this.words = new long[image.clusterSize / Long.BYTES];
        this.extended = image.geometry.extendedL2();
        this.unusual =
                L2Entry.RESERVED_MASK
                        | L2Entry.COMPRESSED
                        | L2Entry.ZERO
                        | (image.clusterSize - 1 & L2Entry.OFFSET_MASK);
    }

    /** Tables that are read at once. */
    static int tablesAtOnce(ClosedImage image) {
        return Math.min(READ_TABLES_MAX, Math.max(1, READ_BYTES_MAX >>> image.clusterBits));
    }

    void walk(long l2Offset, boolean active) {
        image.read(l2Offset, buffer, image.clusterSize);
        buffer.asLongBuffer().get(words);
        walkWords(l2Offset, active);
    }

    /** Walks the tables from index {@code from} up to {@code to}, at most {@link #tablesAtOnce}. */
    void walk(long[] l2Offsets, int from, int to, boolean active) {
        image.readEach(l2Offsets, from, to, buffer);
        LongBuffer all = buffer.asLongBuffer();
        for (int i = from; i < to; i++) {
            all.get(words);
            walkWords(l2Offsets[i], active);
        }
    }

    /** Counts the references of the table; of the active ones, also how clusters are laid out. */
    private void walkWords(long l2Offset, boolean active) {
        contiguousHostOffset = 0;
        int step = extended ? 2 : 1;
        int at = 0;
        while (at < words.length) {
            long entry = words[at];
            long bitmap = extended ? words[at + 1] : 0;
            int run = 1;
            if (entry != 0 || bitmap != 0) {
                run = isPlain(entry) ? runFrom(at) : 1;
                if (run > 1) {
                    plain(entry, run, l2Offset + (long) at * Long.BYTES, active);
                } else {
                    visit(entry, bitmap, l2Offset + (long) at * Long.BYTES, active);
                }
            }
            at += run * step;
        }
    }

    /** A standard entry with a place for its data, and nothing to be looked at. */
    private boolean isPlain(long entry) {
        return !extended && (entry & unusual) == 0 && (entry & L2Entry.OFFSET_MASK) != 0;
    }

    /** Entries from {@code at} on that lead to clusters one behind the other, in the same way. */
    private int runFrom(int at) {
        long next = words[at] + image.clusterSize;
        int end = at + 1;
        while (end < words.length && words[end] == next) {
            next += image.clusterSize;
            end++;
        }
        return end - at;
    }

    private void plain(long entry, int clusters, long entryOffset, boolean active) {
        long hostOffset = L2Entry.hostOffset(entry);
        if (!image.header.hasExternalDataFile()) {
            references.references(hostOffset, clusters, entryOffset);
        }
        if (active) {
            laidOut(hostOffset, clusters);
            references.copied(hostOffset, clusters, L2Entry.isCopied(entry));
        }
    }

    private void laidOut(long hostOffset, int clusters) {
        report.allocatedClusters += clusters;
        if (contiguousHostOffset != 0 && hostOffset != contiguousHostOffset) {
            report.fragmentedClusters++;
        }
        contiguousHostOffset = hostOffset + ((long) clusters << image.clusterBits);
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
            return;
        }
        report.corruption(text);
        // The data are somewhere: their cluster may not be taken for leaked.
        report.referencesHidden |= fault == EntryFault.SUBCLUSTER_WITHOUT_OFFSET;
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
            // Which cluster was meant is unknown: none may be taken for leaked. A place without
            // data
            // hides nothing, and is taken out once every cluster has one owner.
            report.referencesHidden |= hasData;
        }
        if (!image.header.hasExternalDataFile()) {
            references.reference(
                    hostOffset, image.clusterSize, Use.DATA, "data cluster", entryOffset);
        }
        if (active) {
            laidOut(hostOffset, 1);
            references.copied(hostOffset, 1, L2Entry.isCopied(entry));
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
