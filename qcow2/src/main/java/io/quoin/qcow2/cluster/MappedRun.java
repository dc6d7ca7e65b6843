package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.qcow2.cache.MappingTables;
import io.quoin.qcow2.cache.Slice;
import io.quoin.qcow2.io.ImageHealth;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.layout.ClusterKind;
import io.quoin.qcow2.layout.EntryFault;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.L2Entry;
import org.jspecify.annotations.Nullable;

/**
 * A look-up and its result: the longest run of guest bytes from a position that one slice of an L2
 * table maps in one way, to host bytes that follow each other. One object for each image, used
 * within a step only.
 *
 * <p>Threading: confined(loop).
 */
final class MappedRun {
    /** What a look-up gave. */
    enum Lookup {
        /** The fields describe the run. */
        FOUND,
        /** The slice {@link #sliceIndex} has to be loaded first. */
        LOAD,
        /** {@link #error} says why not. */
        REFUSED
    }

    private final ImageIo io;
    private final ImageHealth health;
    private final MappingTables tables;
    private final EntryForm form;
    private final int clusterBits;
    private final int l1Shift;
    private final int sliceShift;
    private final int sliceMask;
    private final int version;

    /** Null for standard entries. */
    private final @Nullable SubclusterRun subclusters;

    ClusterKind kind = ClusterKind.UNALLOCATED;
    boolean copied;

    /** Where the position is in the file; only of {@link ClusterKind#NORMAL} and ZERO_ALLOCATED. */
    long hostOffset;

    /** The entry of a {@link ClusterKind#COMPRESSED} cluster; the run is within that cluster. */
    long descriptor;

    long lengthBytes;
    int sliceIndex;
    @Nullable Slice slice;
    BlockError error = BlockError.OK;

    MappedRun(ImageIo io, MappingTables tables, EntryForm form, int version) {
        this.io = io;
        this.health = io.health();
        this.tables = tables;
        this.form = form;
        this.clusterBits = form.clusterBits;
        this.l1Shift = form.l1Shift;
        this.sliceShift = form.sliceShift;
        this.sliceMask = form.sliceMask;
        this.version = version;
        this.subclusters = form.isStandard() ? null : new SubclusterRun(io, form);
    }

    /** Looks up {@code guestOffset}; the run ends at {@code guestEnd} at the latest. */
    Lookup find(long guestOffset, long guestEnd) {
        sliceIndex = (int) (guestOffset >>> sliceShift);
        Slice found = tables.find(sliceIndex);
        slice = found;
        if (found == null) {
            return tables.isAllocated(tables.l1Index(sliceIndex))
                    ? Lookup.LOAD
                    : withoutTable(guestOffset, guestEnd);
        }
        SubclusterRun other = subclusters;
        if (other != null) {
            return findSubcluster(other, found, guestOffset, guestEnd);
        }
        int l2Index = (int) (guestOffset >>> clusterBits) & sliceMask;
        long entry = found.entry(l2Index);
        kind = L2Entry.kind(entry);
        if (kind == ClusterKind.COMPRESSED) {
            return compressed(guestOffset, guestEnd, entry);
        }
        if ((entry & L2Entry.RESERVED_MASK) != 0) {
            return refuse(found, l2Index, entry, EntryFault.RESERVED_BITS);
        }
        long clusterHost = L2Entry.hostOffset(entry);
        copied = L2Entry.isCopied(entry) && tables.isCopiedValid(sliceIndex);
        long step = clusterHost == 0 ? 0 : 1L << clusterBits;
        long inCluster = guestOffset & ((1L << clusterBits) - 1);
        long clusterEnd = guestOffset - inCluster + (1L << clusterBits);
        long expected = entry + step;
        while (clusterEnd < guestEnd
                && l2Index < sliceMask
                && found.entry(l2Index + 1) == expected) {
            l2Index++;
            expected += step;
            clusterEnd += 1L << clusterBits;
        }
        lengthBytes = Math.min(clusterEnd, guestEnd) - guestOffset;
        hostOffset = clusterHost + inCluster;
        long lastHost = L2Entry.hostOffset(expected - step);
        long unusual = L2Entry.ZERO | ((1L << clusterBits) - 1);
        boolean isPlain =
                clusterHost == 0 ? entry == 0 : (entry & unusual) == 0 && io.reaches(lastHost + 1);
        if (isPlain) {
            return Lookup.FOUND;
        }
        EntryFault fault = L2Entry.fault(entry, clusterBits, version, io.fileSizeBytes());
        if (fault.isNone() && clusterHost != 0 && !io.reaches(lastHost + 1)) {
            fault = EntryFault.BEYOND_EOF;
        }
        return fault.isNone() ? Lookup.FOUND : refuse(found, l2Index, entry, fault);
    }

    private Lookup findSubcluster(
            SubclusterRun other, Slice found, long guestOffset, long guestEnd) {
        EntryFault fault = other.find(this, found, guestOffset, guestEnd);
        copied = copied && (form.external || tables.isCopiedValid(sliceIndex));
        int word = form.word(other.l2Index());
        if (!fault.isNone()) {
            return refuse(found, word, found.entry(word), fault);
        }
        return kind == ClusterKind.COMPRESSED
                ? compressed(guestOffset, guestEnd, found.entry(word))
                : Lookup.FOUND;
    }

    private Lookup withoutTable(long guestOffset, long guestEnd) {
        int l1Index = tables.l1Index(sliceIndex);
        if (L1Entry.isCopied(tables.l1Entry(l1Index))) {
            health.corrupt(
                    "L1 entry " + l1Index + ": " + EntryFault.COPIED_WITHOUT_OFFSET.text(),
                    tables.l1HostOffset() + 8L * l1Index,
                    tables.l1Entry(l1Index));
            error = BlockError.EIO;
            return Lookup.REFUSED;
        }
        int next = l1Index + 1;
        while ((long) next << l1Shift < guestEnd
                && next < tables.l1Size()
                && tables.l1Entry(next) == 0) {
            next++;
        }
        kind = ClusterKind.UNALLOCATED;
        copied = false;
        hostOffset = 0;
        lengthBytes = Math.min((long) next << l1Shift, guestEnd) - guestOffset;
        return Lookup.FOUND;
    }

    private Lookup refuse(Slice found, int word, long entry, EntryFault fault) {
        int index = (int) found.index();
        int l1Index = tables.l1Index(index);
        int inTable = (index - tables.firstSlice(l1Index)) * tables.sliceWords() + word;
        health.corrupt(
                "L2 entry "
                        + (form.extended ? inTable >> 1 : inTable)
                        + " of table "
                        + l1Index
                        + ": "
                        + fault.text(),
                tables.hostOffset(index) + 8L * word,
                entry);
        error = BlockError.EIO;
        return Lookup.REFUSED;
    }

    /** One cluster at a time: each is a stream of its own. */
    private Lookup compressed(long guestOffset, long guestEnd, long entry) {
        long inCluster = guestOffset & ((1L << clusterBits) - 1);
        descriptor = entry;
        copied = false;
        hostOffset = 0;
        lengthBytes = Math.min(guestEnd - guestOffset, (1L << clusterBits) - inCluster);
        return Lookup.FOUND;
    }
}
