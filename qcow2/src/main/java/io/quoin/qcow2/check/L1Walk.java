package io.quoin.qcow2.check;

import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.layout.EntryFault;
import io.quoin.qcow2.layout.L1Entry;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Visits L1 tables and the L2 tables that they lead to.
 *
 * <p>Threading: confined to the check.
 */
final class L1Walk {
    private final ClosedImage image;
    private final ReferenceTally tally;
    private final CheckReport report;
    private final L2Walk l2Walk;
    private final @Nullable SideBySide sideBySide;
    private final ByteBuffer buffer;
    private long total;
    private long done;

    /**
     * @param sideBySide what walks the L2 tables; null: they are walked as they come
     */
    L1Walk(
            ClosedImage image,
            ReferenceTally tally,
            CheckReport report,
            L2Walk l2Walk,
            @Nullable SideBySide sideBySide) {
        this.image = image;
        this.tally = tally;
        this.report = report;
        this.l2Walk = l2Walk;
        this.sideBySide = sideBySide;
        this.buffer = image.tableBuffer();
    }

    /** So many entries in all will be walked. */
    void expect(long entries) {
        total = entries;
    }

    /**
     * Counts the references of a table, and those of its L2 tables.
     *
     * @param active whether it is what the guest sees
     */
    void walk(long tableOffset, int entries, boolean active) {
        int chunk = buffer.capacity() / L1Entry.SIZE_BYTES;
        for (int first = 0; first < entries; first += chunk) {
            int count = Math.min(chunk, entries - first);
            long chunkOffset = tableOffset + (long) first * L1Entry.SIZE_BYTES;
            image.read(chunkOffset, buffer, count * L1Entry.SIZE_BYTES);
            for (int i = 0; i < count; i++) {
                long entry = buffer.getLong(i * L1Entry.SIZE_BYTES);
                if (entry != 0) {
                    follow(entry, chunkOffset + (long) i * L1Entry.SIZE_BYTES, active);
                    report.listener().progress(done + i, total);
                }
            }
            if (sideBySide != null) {
                sideBySide.walkBatch();
            }
            done += count;
            report.listener().progress(done, total);
        }
    }

    private void follow(long entry, long entryOffset, boolean active) {
        String what = "L1 entry at host offset " + entryOffset;
        long l2Offset = L1Entry.hostOffset(entry);
        long meant = entry & ~L1Entry.RESERVED_MASK;
        if (meant != entry) {
            tally.mendEntry(what + ": " + EntryFault.RESERVED_BITS.text(), entryOffset, meant);
        }
        EntryFault fault = L1Entry.fault(meant, image.clusterBits, image.fileSizeBytes);
        if (fault == EntryFault.COPIED_WITHOUT_OFFSET) {
            tally.mendEntry(what + ": " + fault.text(), entryOffset, 0);
        } else if (!fault.isNone()) {
            report.corruption(what + ": " + fault.text() + ", l2_offset=" + l2Offset);
            report.referencesHidden = true;
        } else if (l2Offset != 0) {
            boolean own = tally.l2Table(l2Offset, entryOffset);
            if (!own && !TableProbe.isTable(image, l2Offset)) {
                // Its contents would be taken for references.
                report.referencesHidden = true;
            } else if (sideBySide != null) {
                sideBySide.add(l2Offset, active, L1Entry.isCopied(meant));
            } else {
                l2Walk.walk(l2Offset, active);
            }
        }
    }
}
