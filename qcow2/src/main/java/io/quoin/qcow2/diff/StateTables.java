package io.quoin.qcow2.diff;

import io.quoin.block.BlockError;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.file.TablesAhead;
import io.quoin.qcow2.layout.EntryFault;
import io.quoin.qcow2.layout.L1Entry;
import java.nio.ByteBuffer;

/**
 * The tables of one state, in the order of the disk.
 *
 * <p>Threading: confined to its user.
 */
final class StateTables {
    private final ClosedImage image;
    private final DiskState state;
    private final ByteBuffer l1;
    private final TablesAhead l2Tables;
    private final ByteBuffer unmapped;
    private int l1First = -1;

    StateTables(ClosedImage image, DiskState state) {
        this.image = image;
        this.state = state;
        this.l1 = image.tableBuffer();
        this.l2Tables = new TablesAhead(image, this::soundOffset);
        this.unmapped = ByteBuffer.allocate(image.clusterSize);
    }

    long sizeBytes() {
        return state.sizeBytes();
    }

    /** Where the L2 table of an index is; 0: none. */
    long tableOffset(int index) {
        return L1Entry.hostOffset(entry(index));
    }

    /** The L2 table of an index, or zeros where there is none; it stands until the next call. */
    ByteBuffer table(int index) {
        long entry = entry(index);
        if (!L1Entry.isAllocated(entry)) {
            return unmapped.clear();
        }
        EntryFault fault = L1Entry.fault(entry, image.clusterBits, image.fileSizeBytes);
        if (!fault.isNone()) {
            throw image.refusal(
                    BlockError.EIO,
                    "snapshot diff: L1 entry: index=" + index + ", " + fault.text());
        }
        return l2Tables.table(l1, (index - l1First) * L1Entry.SIZE_BYTES);
    }

    private long soundOffset(long entry) {
        return L1Entry.fault(entry, image.clusterBits, image.fileSizeBytes).isNone()
                ? L1Entry.hostOffset(entry)
                : 0;
    }

    private long entry(int index) {
        if (index >= state.l1Size()) {
            return 0;
        }
        int perBuffer = l1.capacity() / L1Entry.SIZE_BYTES;
        int first = index / perBuffer * perBuffer;
        if (first != l1First) {
            int count = Math.min(perBuffer, state.l1Size() - first);
            long hostOffset = state.l1TableOffset() + (long) first * L1Entry.SIZE_BYTES;
            image.read(hostOffset, l1, count * L1Entry.SIZE_BYTES);
            l1First = first;
        }
        return l1.getLong((index - first) * L1Entry.SIZE_BYTES);
    }
}
