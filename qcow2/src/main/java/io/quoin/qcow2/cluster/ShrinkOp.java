package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.block.IoRequest;
import io.quoin.qcow2.cache.MappingTables;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.qcow2.layout.Qcow2Geometry;
import io.quoin.qcow2.walk.TableRoot;
import io.quoin.qcow2.walk.TableVisitor;
import io.quoin.qcow2.walk.TableWalk;
import io.quoin.qcow2.walk.TableWords;
import io.quoin.qcow2.walk.WalkPace;
import java.util.List;
import java.util.function.Consumer;

/**
 * Makes an image smaller. The caller sees to it that no request beyond the new end comes any more.
 *
 * <pre>
 *  BARRIER  wait for the changes that are under way, then, as one that has the whole image, for reads
 *  ZERO     what lies beyond the new end is discarded, the rest of the last cluster zeroed: flush; entries first, then
 *           counts, as for every discard
 *  SIZE     the header's size field: flush
 *  DATA     an external data file is cut off at the new end
 *  TRIM     L1 entries of tables that map nothing any more become 0: flush; then these tables lose their reference
 *  L1       l1_size is lowered to what is needed, if nothing is left behind it: flush; clusters behind are free
 * </pre>
 *
 * A crash before SIZE leaves the old size with zeros in the part that was to go, one after it empty
 * tables beyond the end.
 *
 * <p>Threading: confined(loop).
 */
final class ShrinkOp extends WholeImageOp {
    private enum Phase {
        BARRIER,
        TRIM
    }

    private final long newSizeBytes;
    private final int l1Needed;
    private final int l1Before;
    private final Outcome ended;
    private Phase phase = Phase.BARRIER;

    ShrinkOp(MappedImage image, Consumer<IoRequest> changes, long newSizeBytes, Outcome ended) {
        super(image, changes);
        this.newSizeBytes = newSizeBytes;
        this.ended = ended;
        Qcow2Geometry geometry = image.header.header().geometry();
        this.l1Needed = (int) geometry.l1EntriesFor(newSizeBytes);
        this.l1Before = (int) geometry.l1EntriesFor(image.disk.sizeBytes());
    }

    @Override
    protected void walk() {
        if (position == end || !lock()) {
            return;
        }
        if (phase == Phase.BARRIER) {
            position = end;
            return;
        }
        waiting = true;
        // Where entries have subclusters or name places of a data file tables stay.
        boolean plain =
                !image.header.header().hasExtendedL2()
                        && !image.header.header().hasExternalDataFile();
        Outcome trimmed = this::trimmed;
        TableRoot behind = TableRoot.active(plain ? l1Needed : l1Before, l1Before);
        new TableWalk(
                        image.io.loop(),
                        image.tables,
                        List.of(behind),
                        new EmptyTables(),
                        WalkPace.NO_REST,
                        trimmed.ifOk(() -> image.flusher.flush(this::lowerL1)))
                .start();
    }

    @Override
    protected void left(BlockError outcome) {
        if (!outcome.isOk() || phase == Phase.TRIM) {
            ended.done(outcome);
            return;
        }
        Outcome shortened =
                ended.ifOk(
                        () -> {
                            phase = Phase.TRIM;
                            takeTurn();
                        });
        Outcome sized = ended.ifOk(() -> image.disk.shortenData(newSizeBytes, shortened));
        Outcome zeroed = ended.ifOk(() -> changeSize(newSizeBytes, sized));
        zero(newSizeBytes, image.disk.sizeBytes(), zeroed);
    }

    /** Takes tables that map nothing out of the L1 table. */
    private final class EmptyTables implements TableVisitor {
        @Override
        public boolean enter(int l1Index, long entry) {
            return true;
        }

        @Override
        public boolean see(int l1Index, TableWords words) {
            for (int i = 0; i < words.count(); i++) {
                if ((words.word(i) & ~L2Entry.ZERO) != 0) {
                    return false;
                }
            }
            return true;
        }

        @Override
        public void leave(int l1Index, boolean isEmpty) {
            long hostOffset = L1Entry.hostOffset(image.tables.l1Entry(l1Index));
            if (isEmpty && image.tables.drop(l1Index)) {
                image.flusher.drop(hostOffset >>> image.clusterBits);
            }
        }
    }

    private void lowerL1(BlockError flushed) {
        MappingTables tables = image.tables;
        int newL1Size = Math.max(1, l1Needed);
        boolean possible = flushed.isOk() && newL1Size < tables.l1Size();
        for (int i = newL1Size; possible && i < tables.l1Size(); i++) {
            possible = tables.l1Entry(i) == 0;
        }
        if (!possible) {
            trimmed(flushed);
            return;
        }
        image.flusher.exclusive(
                turnEnded ->
                        image.header.switchL1(
                                newL1Size,
                                tables.l1HostOffset(),
                                error -> {
                                    if (error.isOk()) {
                                        dropBehind(newL1Size);
                                        tables.lowerL1(newL1Size);
                                    }
                                    turnEnded.run();
                                    trimmed(error);
                                }));
    }

    private void dropBehind(int newL1Size) {
        long mask = image.clusterSizeBytes - 1L;
        long keptEnd = ((long) newL1Size * Long.BYTES + mask) & ~mask;
        long oldEnd = ((long) image.tables.l1Size() * Long.BYTES + mask) & ~mask;
        for (long at = keptEnd; at < oldEnd; at += image.clusterSizeBytes) {
            image.flusher.drop((image.tables.l1HostOffset() + at) >>> image.clusterBits);
        }
    }

    private void trimmed(BlockError outcome) {
        position = end;
        fail(outcome);
        resume();
    }
}
