package io.quoin.qcow2.check;

import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.file.TablesAhead;
import io.quoin.qcow2.layout.ClusterKind;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.L2Entry;
import java.nio.ByteBuffer;

/**
 * Holds the COPIED flags of the active tables against the refcounts: the flag is set exactly where
 * the refcount is 1.
 *
 * <p>Threading: confined to the check.
 */
final class CopiedCheck {
    private final ClosedImage image;
    private final ClusterBits countIsOne;
    private final CheckReport report;
    private final boolean mayClear;
    private final boolean maySet;
    private final TablesAhead l2Tables;

    /**
     * @param mayClear whether a flag that is wrong is taken away: what it says is copied, at worst
     *     in vain
     * @param maySet whether one that is missing is set: a guest writes there in place then
     */
    CopiedCheck(
            ClosedImage image,
            ClusterBits countIsOne,
            CheckReport report,
            boolean mayClear,
            boolean maySet) {
        this.image = image;
        this.countIsOne = countIsOne;
        this.report = report;
        this.mayClear = mayClear;
        this.maySet = maySet;
        this.l2Tables = new TablesAhead(image, this::l2Offset);
    }

    void check() {
        ByteBuffer l1 = image.tableBuffer();
        int chunk = l1.capacity() / L1Entry.SIZE_BYTES;
        int entries = image.header.l1Size();
        for (int first = 0; first < entries; first += chunk) {
            int count = Math.min(chunk, entries - first);
            long chunkOffset = image.header.l1TableOffset() + (long) first * L1Entry.SIZE_BYTES;
            image.read(chunkOffset, l1, count * L1Entry.SIZE_BYTES);
            boolean changed = false;
            for (int i = 0; i < count; i++) {
                long entry = l1.getLong(i * L1Entry.SIZE_BYTES);
                if (l2Offset(entry) != 0) {
                    if (wrong(entry, L1Entry.hostOffset(entry), false, chunkOffset + 8L * i)) {
                        l1.putLong(i * L1Entry.SIZE_BYTES, entry ^ L1Entry.COPIED);
                        changed = true;
                    }
                    checkL2(l2Offset(entry), l2Tables.table(l1, i * L1Entry.SIZE_BYTES));
                }
            }
            if (changed) {
                image.write(chunkOffset, l1.rewind());
            }
        }
    }

    /** Where the table of an entry is; 0: there is none that could be read. */
    private long l2Offset(long entry) {
        boolean isThere =
                L1Entry.isAllocated(entry)
                        && L1Entry.fault(entry, image.clusterBits, image.fileSizeBytes).isNone();
        return isThere ? L1Entry.hostOffset(entry) : 0;
    }

    private void checkL2(long l2Offset, ByteBuffer l2Table) {
        boolean extended = image.geometry.extendedL2();
        boolean changed = false;
        for (int at = 0; at < image.clusterSize; at += image.geometry.l2EntryBytes()) {
            long entry = l2Table.getLong(at);
            if (entry == 0) {
                continue;
            }
            ClusterKind kind = extended ? L2Entry.extendedKind(entry) : L2Entry.kind(entry);
            boolean standard = kind == ClusterKind.NORMAL || kind == ClusterKind.ZERO_ALLOCATED;
            if (standard && wrong(entry, L2Entry.hostOffset(entry), true, l2Offset + at)) {
                l2Table.putLong(at, entry ^ L2Entry.COPIED);
                changed = true;
            }
        }
        if (changed) {
            image.write(l2Offset, l2Table.rewind());
            l2Tables.forget();
        }
    }

    /** Whether the flag is wrong and is to be turned over. */
    private boolean wrong(long entry, long hostOffset, boolean data, long entryOffset) {
        boolean expected =
                (data && image.header.hasExternalDataFile())
                        || countIsOne.get(hostOffset >>> image.clusterBits);
        if (!expected && !L2Entry.isCopied(entry)) {
            report.listener().shared(hostOffset >>> image.clusterBits);
        }
        if (expected == L2Entry.isCopied(entry)) {
            return false;
        }
        String text =
                String.format(
                        "OFLAG_COPIED %s: entry=%x at host offset %d, refcount is %s1",
                        data ? "data cluster" : "L2 cluster",
                        entry,
                        entryOffset,
                        expected ? "" : "not ");
        boolean repair = expected ? maySet : mayClear;
        if (repair) {
            report.corruptionFixed(text);
        } else {
            report.corruption(text);
        }
        return repair;
    }
}
