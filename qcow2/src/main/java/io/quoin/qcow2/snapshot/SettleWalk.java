package io.quoin.qcow2.snapshot;

import io.quoin.block.BlockError;
import io.quoin.qcow2.cluster.ImageParts;
import io.quoin.qcow2.io.ClusterRuns;
import io.quoin.qcow2.io.MetadataKind;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.io.Steps;
import io.quoin.qcow2.io.TransferMemory;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.walk.WalkPace;
import java.util.Arrays;
import org.agrona.UnsafeApi;

/**
 * Counts the references of a pending snapshot, or takes back what it has counted: goes through the
 * tables of the cut where they are on disk, a slice in a turn of the loop, at the pace that guests
 * allow.
 *
 * <pre>
 *  settle    READ a slice --> WRITE it without COPIED, if there was one --> COUNT its references; behind the table's last
 *            slice what was put off under its entry is dropped
 *  take back READ a slice that was counted --> its references are gone; behind the last slice that of the table
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
final class SettleWalk extends Steps {
    private enum State {
        FIND,
        READ,
        WRITE,
        COUNT,
        DONE
    }

    private final ImageParts parts;
    private final long[] l1;
    private final WalkPace pace;
    private final SnapshotProgress progress;
    private final Outcome ended;
    private final int clusterBits;
    private final int entryWords;
    private final int sliceBytes;
    private final int slicesPerTable;
    private final TransferMemory memory;
    private final long[] found;
    private int foundSize;
    private final boolean takesBack;

    /** Behind what is taken back: an entry and a slice of its table. */
    private int endIndex;

    private int endSlice;
    private int index;
    private int slice;
    private State state = State.FIND;
    private boolean waiting;
    private BlockError error = BlockError.OK;

    private SettleWalk(
            ImageParts parts,
            long[] l1,
            WalkPace pace,
            SnapshotProgress progress,
            boolean takesBack,
            Outcome ended) {
        Qcow2Header header = parts.header().header();
        this.parts = parts;
        this.l1 = l1;
        this.pace = pace;
        this.progress = progress;
        this.takesBack = takesBack;
        this.ended = ended;
        this.clusterBits = header.clusterBits();
        this.entryWords = header.hasExtendedL2() ? 2 : 1;
        this.sliceBytes = parts.tables().sliceWords() * Long.BYTES;
        this.slicesPerTable = parts.tables().slicesPerTable();
        // A compressed stream touches two clusters; the table is one more.
        this.found = new long[2 * parts.tables().sliceWords() + 1];
        this.endIndex = l1.length;
        this.memory = new TransferMemory(sliceBytes);
    }

    /** One that counts. */
    static SettleWalk settle(
            ImageParts parts, long[] l1, WalkPace pace, SnapshotProgress progress, Outcome ended) {
        return new SettleWalk(parts, l1, pace, progress, false, ended);
    }

    /** One that takes back what {@code counted} has counted. */
    static SettleWalk takeBack(SettleWalk counted, Outcome ended) {
        SettleWalk back =
                new SettleWalk(
                        counted.parts,
                        counted.l1,
                        counted.pace,
                        (done, total) -> true,
                        true,
                        ended);
        back.endIndex = counted.index;
        back.endSlice = counted.slice;
        return back;
    }

    /** The first entry of whose table nothing has been read. */
    int firstUntouched() {
        return index + 1;
    }

    @Override
    public void fail(BlockError failure) {
        if (error.isOk()) {
            error = failure;
        }
    }

    @Override
    protected boolean step() {
        if (waiting || state == State.DONE) {
            return false;
        }
        if (!error.isOk() || isAtEnd()) {
            BlockError outcome = error;
            state = State.DONE;
            memory.close();
            ended.done(outcome);
            return false;
        }
        switch (state) {
            case FIND -> find();
            case READ -> afterRead();
            case WRITE -> count();
            case COUNT -> next();
            case DONE -> {
                return false;
            }
        }
        return true;
    }

    private boolean isAtEnd() {
        return state == State.FIND
                && (index > endIndex || (index == endIndex && slice >= endSlice));
    }

    private void find() {
        if (index < l1.length && !L1Entry.isAllocated(l1[index])) {
            index++;
            return;
        }
        if (index == l1.length) {
            return;
        }
        long entry = l1[index];
        if (!L1Entry.fault(entry, clusterBits, parts.io().fileSizeBytes()).isNone()
                || (entry & L1Entry.RESERVED_MASK) != 0) {
            fail(BlockError.EIO);
            return;
        }
        state = State.READ;
        await();
        parts.io().read(sliceHostOffset(), memory.address(), sliceBytes, this::waitEnded);
    }

    private long sliceHostOffset() {
        return L1Entry.hostOffset(l1[index]) + (long) slice * sliceBytes;
    }

    private void afterRead() {
        if (!collect()) {
            fail(BlockError.EIO);
            return;
        }
        state = State.WRITE;
        if (!takesBack && parts.tables().withoutCopied(memory.address())) {
            await();
            // A snapshot's table that is to be the disk's again, where QEMU has left COPIED.
            parts.io()
                    .map()
                    .add(L1Entry.hostOffset(l1[index]) >>> clusterBits, MetadataKind.L2_TABLE);
            parts.io()
                    .write(
                            MetadataKind.L2_TABLE,
                            sliceHostOffset(),
                            memory.address(),
                            sliceBytes,
                            this::waitEnded);
        }
    }

    /** Every reference of the slice; false if an entry is wrong. */
    private boolean collect() {
        foundSize = 0;
        if (slice == 0 && !takesBack) {
            found[foundSize++] = L1Entry.hostOffset(l1[index]) >>> clusterBits;
        }
        for (int i = 0; i < sliceBytes / Long.BYTES; i += entryWords) {
            long entry = Long.reverseBytes(UnsafeApi.getLong(memory.address() + 8L * i));
            long from;
            long last;
            if (L2Entry.isCompressed(entry)) {
                from = L2Entry.compressedHostOffset(entry, clusterBits);
                last = from + L2Entry.compressedLengthBytes(entry, clusterBits) - 1;
            } else {
                from = L2Entry.hostOffset(entry);
                last = from;
                if (from == 0) {
                    continue;
                }
                if ((from & ((1L << clusterBits) - 1)) != 0) {
                    return false;
                }
            }
            for (long c = from >>> clusterBits; c <= last >>> clusterBits; c++) {
                found[foundSize++] = c;
            }
        }
        Arrays.sort(found, 0, foundSize);
        return true;
    }

    private void count() {
        state = State.COUNT;
        if (takesBack) {
            lower();
            return;
        }
        await();
        parts.refcounts().share(found, foundSize, this::waitEnded);
    }

    private void lower() {
        boolean isLast =
                slice == slicesPerTable - 1 || (index == endIndex && slice == endSlice - 1);
        ClusterRuns runs = new ClusterRuns();
        for (int i = 0; i < foundSize; i++) {
            runs.add(found[i]);
        }
        if (isLast) {
            runs.add(L1Entry.hostOffset(l1[index]) >>> clusterBits);
        }
        parts.refcounts().unreferenced(runs);
    }

    private void next() {
        slice++;
        state = State.FIND;
        if (slice < slicesPerTable) {
            rest(pace.restNanos(false));
            return;
        }
        int settled = index;
        slice = 0;
        index++;
        if (!takesBack) {
            parts.tables().stripSlices(settled);
            parts.flusher().settled(settled);
            if (parts.flusher().isDeferringFull()) {
                fail(BlockError.ENOMEM);
            }
        }
        if (!progress.advanced(index, l1.length)) {
            fail(BlockError.ESHUTDOWN);
        }
        rest(pace.restNanos(true));
    }

    private void rest(long restNanos) {
        await();
        Runnable goOn = () -> waitEnded(BlockError.OK);
        if (restNanos == 0) {
            parts.io().loop().giveWay(goOn);
        } else {
            parts.io().loop().schedule(restNanos, goOn);
        }
    }

    private void await() {
        waiting = true;
    }

    private void waitEnded(BlockError outcome) {
        waiting = false;
        if (!outcome.isOk()) {
            fail(outcome);
        }
        resume();
    }
}
