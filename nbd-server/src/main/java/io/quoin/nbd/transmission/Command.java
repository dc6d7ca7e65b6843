package io.quoin.nbd.transmission;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.quoin.block.BlockError;
import io.quoin.block.ExtentList;
import io.quoin.block.Invariant;
import io.quoin.block.IoVector;
import io.quoin.block.MemoryLease;
import io.quoin.nbd.protocol.RequestLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A request of a client from its header to its answer, and on while the lease of its payload is
 * retained. Pooled by its connection.
 *
 * <p>Threading: confined(loop).
 */
final class Command implements MemoryLease {
    private static final int CHUNK_BYTES_MAX = 1 << 20;

    int type;
    int flags;
    long cookie;
    long offsetBytes;
    long lengthBytes;

    /** Where the next device request starts, relative to {@link #offsetBytes}. */
    long nextBytes;

    /** Device requests not completed yet. */
    int outstanding;

    boolean isSubmitted;

    /** Some of its chunks are in the buffer of small answers, which is sent last. */
    boolean hasSmallChunks;

    BlockError error = BlockError.OK;

    /** Its answer was complete with its last piece. */
    boolean isAnswered;

    /** What a BLOCK_STATUS of base:allocation is reported into; null for every other command. */
    @Nullable ExtentList extents;

    /** The same of the dirty bitmap. */
    @Nullable ExtentList dirtyExtents;

    /** What it holds of the connection's share of memory, beyond its read pieces. */
    long chargedBytes;

    /** Payload of a WRITE, in the parts it was received in. */
    final IoVector payload = new IoVector();

    /** Pieces of a READ that is answered as a whole, by position. */
    final List<ReadPiece> pieces = new ArrayList<>(1);

    private final List<ByteBuf> chunks = new ArrayList<>(1);
    private Receiver.@Nullable Slab slab;
    private int pinnedBytes;
    private final Consumer<Command> whenLetGo;
    private int leases;
    private boolean isEnded;

    /**
     * @param whenLetGo is told of a command that had {@link #end}ed with its payload kept, once
     *     that is kept no more
     */
    Command(Consumer<Command> whenLetGo) {
        this.whenLetGo = whenLetGo;
    }

    @Override
    public void retain() {
        leases++;
    }

    @Override
    public void release() {
        Invariant.check(leases > 0, "payload released more often than retained");
        leases--;
        if (leases == 0 && isEnded) {
            isEnded = false;
            whenLetGo.accept(this);
        }
    }

    /** It has been answered. Says whether it may be used again now, and not only once let go. */
    boolean end() {
        isEnded = leases > 0;
        return !isEnded;
    }

    void begin(int newType, int newFlags, long newCookie, long newOffset, long newLength) {
        type = newType;
        flags = newFlags;
        cookie = newCookie;
        offsetBytes = newOffset;
        lengthBytes = newLength;
        nextBytes = 0;
        outstanding = 0;
        isSubmitted = false;
        hasSmallChunks = false;
        error = BlockError.OK;
        isAnswered = false;
        chargedBytes = 0;
        pinnedBytes = 0;
    }

    boolean has(int flag) {
        return (flags & flag) != 0;
    }

    boolean isRead() {
        return type == RequestLayout.READ;
    }

    /** The first error is the one that is answered. */
    void fail(BlockError cause) {
        if (error.isOk()) {
            error = cause;
        }
    }

    boolean isPayloadEmpty() {
        return pinnedBytes == 0 && chunks.isEmpty();
    }

    /** Bytes of the payload that have not been received. */
    int payloadMissing() {
        long missing = lengthBytes - pinnedBytes;
        for (int i = 0; i < chunks.size(); i++) {
            missing -= chunks.get(i).readableBytes();
        }
        return (int) missing;
    }

    /** The first part of the payload, or all of it, stays where it was received. */
    void pin(Receiver.Slab newSlab, long address, int partBytes) {
        slab = newSlab;
        pinnedBytes = partBytes;
        payload.add(address, partBytes);
    }

    /** Memory for the next part of the payload. */
    ByteBuf addChunk(ByteBufAllocator allocator) {
        int size = Math.min(payloadMissing(), CHUNK_BYTES_MAX);
        ByteBuf chunk = allocator.directBuffer(size, size);
        chunks.add(chunk);
        payload.add(Addresses.of(chunk), size);
        return chunk;
    }

    void releasePayload(Receiver receiver) {
        Receiver.Slab pinned = slab;
        if (pinned != null) {
            slab = null;
            receiver.unpin(pinned);
        }
        for (int i = 0; i < chunks.size(); i++) {
            chunks.get(i).release();
        }
        chunks.clear();
        payload.clear();
    }
}
