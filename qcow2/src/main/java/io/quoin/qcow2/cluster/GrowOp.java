package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.block.IoRequest;
import io.quoin.qcow2.io.MetadataKind;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.layout.HeaderLayout;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.agrona.BufferUtil;

/**
 * Makes an image larger.
 *
 * <pre>
 *  LOCK    the whole image, for as long as the L1 table moves
 *  FLUSH   the mapping; then the flusher's turn is taken, so that the L1 table is written by nothing else
 *  L1      only if it is too short: clusters in one piece; write: flush; header switch: flush; the old ones are free
 *  DATA    an external data file reaches the new end
 *  ZERO    what becomes visible must not show the backing file or what was left there: zero it, flush
 *  SIZE    the header's size field, last: flush
 * </pre>
 *
 * A crash in between leaves the old size. A failure before the header switch gives the new clusters
 * back.
 *
 * <p>Threading: confined(loop).
 */
final class GrowOp extends WholeImageOp {
    private static final int ALIGNMENT = 4096;

    private final long newSizeBytes;
    private final int newL1Size;
    private final Outcome ended;
    private ByteBuffer bytes = ByteBuffer.allocate(0);
    private long newL1Cluster;

    GrowOp(MappedImage image, Consumer<IoRequest> changes, long newSizeBytes, Outcome ended) {
        super(image, changes);
        this.newSizeBytes = newSizeBytes;
        this.ended = ended;
        int shift = image.form.l1Shift;
        this.newL1Size = Math.toIntExact((newSizeBytes + (1L << shift) - 1) >>> shift);
    }

    /** Whether an L1 table for {@code sizeBytes} is within the limits of the format. */
    static boolean isPossible(MappedImage image, long sizeBytes) {
        int shift = image.form.l1Shift;
        return ((sizeBytes - 1) >>> shift) < HeaderLayout.L1_BYTES_MAX / Long.BYTES;
    }

    @Override
    protected void walk() {
        if (!lock()) {
            return;
        }
        if (newL1Size <= image.tables.l1Size()) {
            position = end;
            return;
        }
        waiting = true;
        image.flusher.flush(
                error -> {
                    if (error.isOk()) {
                        image.flusher.exclusive(this::allocateL1);
                    } else {
                        ended(error);
                    }
                });
    }

    private void allocateL1(Runnable turnEnded) {
        long lengthBytes = (long) newL1Size * Long.BYTES;
        int clusters = (int) ((lengthBytes + image.clusterSizeBytes - 1) >>> image.clusterBits);
        image.refcounts.allocateRun(
                clusters,
                first -> {
                    if (first < 0) {
                        turnEnded.run();
                        ended(BlockError.ENOSPC);
                    } else {
                        newL1Cluster = first;
                        writeL1(clusters, turnEnded);
                    }
                });
    }

    private void writeL1(int clusters, Runnable turnEnded) {
        long[] l1 = image.tables.longerL1(newL1Size);
        bytes = BufferUtil.allocateDirectAligned(clusters << image.clusterBits, ALIGNMENT);
        for (int i = 0; i < l1.length; i++) {
            bytes.putLong(i * Long.BYTES, l1[i]);
        }
        long hostOffset = newL1Cluster << image.clusterBits;
        image.io.map().addAll(newL1Cluster, clusters, MetadataKind.L1_TABLE);
        image.io.write(
                MetadataKind.L1_TABLE,
                hostOffset,
                BufferUtil.address(bytes),
                bytes.capacity(),
                written -> {
                    if (written.isOk()) {
                        image.io.flush(flushed -> switchL1(flushed, l1, hostOffset, turnEnded));
                    } else {
                        giveBack(written, turnEnded);
                    }
                });
    }

    /** No header on disk leads to the new table. */
    private void giveBack(BlockError error, Runnable turnEnded) {
        for (int i = 0; i < bytes.capacity() >>> image.clusterBits; i++) {
            image.flusher.drop(newL1Cluster + i);
        }
        turnEnded.run();
        ended(error);
    }

    private void switchL1(BlockError flushed, long[] l1, long hostOffset, Runnable turnEnded) {
        if (!flushed.isOk()) {
            giveBack(flushed, turnEnded);
            return;
        }
        // If this fails the header may be on disk or not: both tables stay.
        image.header.switchL1(
                newL1Size,
                hostOffset,
                error -> {
                    if (error.isOk()) {
                        dropOldL1();
                        image.tables.grow(l1, hostOffset);
                    }
                    turnEnded.run();
                    ended(error);
                });
    }

    private void dropOldL1() {
        long oldBytes = (long) image.tables.l1Size() * Long.BYTES;
        long first = image.tables.l1HostOffset() >>> image.clusterBits;
        for (long i = 0; i << image.clusterBits < oldBytes; i++) {
            image.flusher.drop(first + i);
        }
    }

    private void ended(BlockError outcome) {
        bytes = ByteBuffer.allocate(0);
        position = end;
        fail(outcome);
        resume();
    }

    @Override
    protected void left(BlockError outcome) {
        Outcome zeroed = ended.ifOk(() -> changeSize(newSizeBytes, ended));
        Outcome grown = ended.ifOk(() -> zero(image.disk.sizeBytes(), newSizeBytes, zeroed));
        ended.ifOk(() -> image.disk.growData(newSizeBytes, grown)).done(outcome);
    }
}
