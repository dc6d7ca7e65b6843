package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.block.BlockStatus;
import io.quoin.block.ExtentList;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.qcow2.io.Outcome;
import io.quoin.xlator.XlatorFile;
import java.nio.ByteBuffer;
import org.agrona.BufferUtil;

/**
 * Copies what an image reads from its backing file into the image, a piece at a time, beside the
 * guests. One call is under way at a time.
 *
 * <p>Threading: confined(loop).
 */
public final class BackingCopy {
    /** Guests that want the same clusters wait for one piece. */
    private static final int PIECE_BYTES = 256 << 10;

    private static final long ASKED_BYTES_MAX = 1L << 30;
    private static final int ALIGNMENT = 4096;

    private final MappedImage image;
    private final GuestRequests requests;
    private final FlattenOp op;
    private final ByteBuffer memory;
    private final ExtentList extents = new ExtentList(2);
    private long copiedBytes;

    BackingCopy(MappedImage image, GuestRequests requests) {
        this.image = image;
        this.requests = requests;
        this.op = requests.newFlatten();
        int pieceBytes = Math.max(PIECE_BYTES, image.clusterSizeBytes);
        int most = Math.max(image.clusterSizeBytes, image.disk.transferBytesMax);
        this.memory =
                BufferUtil.allocateDirectAligned(
                        Math.min(pieceBytes, most) & -image.clusterSizeBytes, ALIGNMENT);
    }

    /** Where the content of the backing file ends, or the disk. */
    public long endBytes() {
        return image.disk.backedBytes(0, image.disk.sizeBytes());
    }

    /** Bytes that have got a place in the image so far. */
    public long copiedBytes() {
        return copiedBytes;
    }

    /** Requests of guests so far. */
    public long guestRequests() {
        return requests.submitted();
    }

    /** The end of the cluster that {@code guestOffset} is in. */
    public long clusterEnd(long guestOffset) {
        return clusterStart(guestOffset) + image.clusterSizeBytes;
    }

    public long clusterStart(long guestOffset) {
        return guestOffset & -(long) image.clusterSizeBytes;
    }

    /** The most that is copied at once. */
    public int pieceBytes() {
        return memory.capacity();
    }

    /**
     * Asks the backing file from {@code guestOffset} on, which is before {@link #endBytes}; then
     * {@link #extentEnd} and {@link #isExtentZero} say how it begins there.
     */
    public void ask(long guestOffset, Outcome outcome) {
        XlatorFile backing = image.disk.backing;
        if (backing == null) {
            outcome.done(BlockError.EIO);
            return;
        }
        extents.clear();
        long askedBytes = Math.min(endBytes() - guestOffset, ASKED_BYTES_MAX);
        IoRequest request = image.pool.acquire();
        request.prepare(IoOp.BLOCK_STATUS, guestOffset, askedBytes, IoFlags.REQ_ONE)
                .extents(extents);
        request.push(
                (done, error) -> {
                    image.pool.release(done);
                    outcome.done(error.isOk() && extents.count() == 0 ? BlockError.EIO : error);
                });
        backing.submit(request);
    }

    /** Where the first extent of what was asked ends. */
    public long extentEnd(long guestOffset) {
        return guestOffset + extents.extentLengthBytes(0);
    }

    public boolean isExtentZero() {
        return (extents.status(0) & BlockStatus.ZERO) != 0;
    }

    /**
     * Copies a piece; OK once entries lead to it, in memory.
     *
     * @param from the start of a cluster
     * @param to the end of one, or of the disk
     */
    public void copy(long from, long to, Outcome outcome) {
        IoRequest request = image.pool.acquire().write(from, to - from, IoFlags.NONE);
        request.memory().add(BufferUtil.address(memory), (int) (to - from));
        request.push(
                (done, error) -> {
                    image.pool.release(done);
                    copiedBytes += op.copiedBytes();
                    outcome.done(error);
                });
        requests.start(op, request);
    }

    /**
     * Nothing lies behind the image from now on, when no request is under way; then {@code then}
     * runs.
     */
    public void leaveBacking(Runnable then) {
        new HoldOp(
                        image,
                        requests::startChange,
                        letGo -> {
                            image.disk.leaveBacking();
                            letGo.run();
                            then.run();
                        })
                .takeTurn();
    }
}
