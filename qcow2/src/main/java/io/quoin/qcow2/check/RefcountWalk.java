package io.quoin.qcow2.check;

import io.quoin.qcow2.check.Relocations.Level;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.layout.EntryFault;
import io.quoin.qcow2.layout.RefcountLayout;
import java.nio.ByteBuffer;
import org.agrona.collections.LongArrayList;

/**
 * Visits the refcount structure itself: its table and its blocks.
 *
 * <p>Threading: confined to the check.
 */
final class RefcountWalk {
    private final ClosedImage image;
    private final ReferenceTally tally;
    private final CheckReport report;
    private final LongArrayList clusters = new LongArrayList();

    RefcountWalk(ClosedImage image, ReferenceTally tally, CheckReport report) {
        this.image = image;
        this.tally = tally;
        this.report = report;
    }

    /** Clusters of the refcount table and blocks, each with one reference counted. */
    LongArrayList clusters() {
        return clusters;
    }

    void walk() {
        long tableOffset = image.header.refcountTableOffset();
        long tableBytes = image.refcountTableBytes();
        String placeFault = image.header.refcountTableFault();
        if (placeFault != null) {
            report.corruption(placeFault);
            report.rebuild = true;
            return;
        }
        reference(tableOffset, tableBytes, "refcount table");
        ByteBuffer buffer = image.tableBuffer();
        int step = buffer.capacity();
        for (long at = 0; at < tableBytes; at += step) {
            int length = (int) Math.min(step, tableBytes - at);
            image.read(tableOffset + at, buffer, length);
            for (int i = 0; i < length; i += RefcountLayout.TABLE_ENTRY_BYTES) {
                follow(buffer.getLong(i), (at + i) / RefcountLayout.TABLE_ENTRY_BYTES);
            }
        }
    }

    private void follow(long entry, long index) {
        EntryFault fault = RefcountLayout.tableFault(entry, image.clusterBits, image.fileSizeBytes);
        if (!fault.isNone()) {
            report.corruption("refcount table entry " + index + ": " + fault.text());
            report.rebuild = true;
            long firstCluster = index * image.header.refcounts().blockEntries();
            boolean isNeeded = firstCluster < image.clusters();
            if (isNeeded && (fault == EntryFault.UNALIGNED || entry < 0)) {
                report.checkErrors++;
            }
        } else if (entry != 0) {
            reference(RefcountLayout.blockHostOffset(entry), image.clusterSize, "refcount block");
        }
    }

    private void reference(long hostOffset, long lengthBytes, String what) {
        if (hostOffset > image.fileSizeBytes - lengthBytes) {
            report.corruption(
                    what + " at host offset " + hostOffset + " lies beyond the end of the file");
            report.rebuild = true;
            return;
        }
        if (!tally.exclusive(hostOffset, lengthBytes, what, Level.HEADER, Relocations.FIXED)) {
            report.rebuild = true;
            report.refcountOverlaps++;
        }
        long first = hostOffset >>> image.clusterBits;
        for (long i = 0; i < lengthBytes >>> image.clusterBits; i++) {
            clusters.addLong(first + i);
        }
    }
}
