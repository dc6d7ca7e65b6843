package io.quoin.nbd.transmission;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.quoin.block.Invariant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Where a connection receives: a slab that requests are parsed in and that payloads stay in until
 * they were written, and for a payload that does not fit there, chunks of its own.
 *
 * <p>A slab is filled from the front. Once nothing in it is needed any more it is filled again,
 * which keeps it in the processor's cache; while payloads are pinned in it and it is full, it is
 * left to them and another takes its place.
 *
 * <p>Threading: confined(loop).
 */
final class Receiver {
    /** A slab that turns out too small is followed by one of twice its size, up to this. */
    static final int SLAB_BYTES_MAX = 256 << 10;

    /** The first one: hundreds of connections have a request or two in flight each. */
    static final int SLAB_BYTES_FIRST = 32 << 10;

    /** Slabs left to their payloads; with more, payloads are copied out. */
    private static final int RETIRED_MAX = 4;

    /** A smaller first part of a payload is copied to the rest of it. */
    private static final int PIN_BYTES_MIN = 16 << 10;

    private final ByteBufAllocator allocator;
    private @Nullable Slab slab;
    private int slabBytes = SLAB_BYTES_FIRST;
    private int retired;
    private @Nullable ByteBuf chunk;
    private boolean isClosed;

    Receiver(ByteBufAllocator allocator) {
        this.allocator = allocator;
    }

    /** Memory that payloads are parsed and pinned in. */
    static final class Slab {
        private final ByteBuf buffer;
        private int pins;
        private boolean isRetired;

        private Slab(ByteBuf buffer) {
            this.buffer = buffer;
        }
    }

    /** The buffer that the next bytes go into, retained for the caller; it has room. */
    ByteBuf target() {
        ByteBuf open = chunk;
        if (open != null && open.isWritable()) {
            return open.retain();
        }
        Slab present = slab;
        if (present == null) {
            present = new Slab(allocator.directBuffer(slabBytes, slabBytes));
            slab = present;
        } else {
            present = makeRoom(present);
        }
        return present.buffer.retain();
    }

    private Slab makeRoom(Slab present) {
        ByteBuf buffer = present.buffer;
        boolean isTooSmall = !buffer.isWritable() && slabBytes < SLAB_BYTES_MAX;
        if (!buffer.isReadable() && present.pins == 0 && !isTooSmall) {
            buffer.clear();
            return present;
        }
        // With less room than this at its end a slab is not received into.
        int roomBytesMin = slabBytes / 4;
        if (buffer.writableBytes() >= roomBytesMin) {
            return present;
        }
        if (present.pins == 0 && buffer.readerIndex() >= roomBytesMin && !isTooSmall) {
            buffer.discardReadBytes();
            return present;
        }
        // Larger than usual only when a peer that has closed sent more than is being parsed.
        slabBytes = Math.min(SLAB_BYTES_MAX, 2 * slabBytes);
        int unparsed = buffer.readableBytes();
        int capacity = Math.max(slabBytes, unparsed + slabBytes / 2);
        Slab fresh = new Slab(allocator.directBuffer(capacity, capacity));
        fresh.buffer.writeBytes(buffer);
        retire(present);
        slab = fresh;
        return fresh;
    }

    /** What was received into the slab and not parsed yet; empty memory if there is no slab. */
    @Nullable ByteBuf unparsed() {
        return slab == null ? null : slab.buffer;
    }

    int unparsedBytes() {
        return slab == null ? 0 : slab.buffer.readableBytes();
    }

    /** Puts bytes that were received earlier, by another handler, in front. */
    void preload(ByteBuf bytes) {
        Invariant.check(slab == null, "receiver already in use");
        int capacity = Math.max(slabBytes, bytes.readableBytes());
        slab = new Slab(allocator.directBuffer(capacity, capacity));
        slab.buffer.writeBytes(bytes);
    }

    /**
     * Goes on with the payload of {@code command}: {@code true} once it is complete and pinned or
     * stored there.
     */
    boolean collect(Command command) {
        int missing = command.payloadMissing();
        ByteBuf buffer = unparsed();
        if (buffer == null) {
            return fill(command);
        }
        if (command.isPayloadEmpty()) {
            int available = buffer.readableBytes();
            if (available >= missing) {
                if (retired < RETIRED_MAX) {
                    pin(command, missing);
                } else {
                    copyOut(command, missing);
                }
                return true;
            }
            if (retired < RETIRED_MAX && buffer.capacity() - buffer.readerIndex() >= missing) {
                return false;
            }
        }
        int available = Math.min(missing, buffer.readableBytes());
        if (available >= PIN_BYTES_MIN && retired < RETIRED_MAX && command.isPayloadEmpty()) {
            pin(command, available);
        } else if (available > 0) {
            copyOut(command, available);
        }
        return fill(command);
    }

    /** Whether the open chunk, and with it the payload, is full; opens the next chunk if not. */
    private boolean fill(Command command) {
        ByteBuf open = chunk;
        if (open == null || !open.isWritable()) {
            if (command.payloadMissing() == 0) {
                chunk = null;
                return true;
            }
            chunk = command.addChunk(allocator);
        }
        return false;
    }

    private void pin(Command command, int lengthBytes) {
        Slab present = Objects.requireNonNull(slab, "payload without a slab");
        ByteBuf buffer = present.buffer;
        command.pin(present, Addresses.of(buffer) + buffer.readerIndex(), lengthBytes);
        present.pins++;
        buffer.skipBytes(lengthBytes);
    }

    private void copyOut(Command command, int lengthBytes) {
        ByteBuf buffer = Objects.requireNonNull(unparsed(), "payload without a slab");
        int left = lengthBytes;
        while (left > 0) {
            ByteBuf open = chunk;
            if (open == null || !open.isWritable()) {
                open = command.addChunk(allocator);
                chunk = open;
            }
            int part = Math.min(left, open.writableBytes());
            buffer.readBytes(open, part);
            left -= part;
        }
        if (command.payloadMissing() == 0) {
            chunk = null;
        }
    }

    /** Passes over up to {@code lengthBytes}; says how many. */
    long skip(long lengthBytes) {
        ByteBuf buffer = unparsed();
        if (buffer == null) {
            return 0;
        }
        int part = (int) Math.min(lengthBytes, buffer.readableBytes());
        buffer.skipBytes(part);
        return part;
    }

    /** A payload in {@code pinned} is no longer needed. */
    void unpin(Slab pinned) {
        pinned.pins--;
        if (pinned.pins == 0 && pinned.isRetired) {
            retired--;
            pinned.buffer.release();
        }
    }

    /** Gives the slab back if nothing is in it; the next bytes get another. */
    boolean releaseIdle() {
        Slab present = slab;
        if (present == null) {
            return true;
        }
        if (present.pins > 0 || present.buffer.isReadable()) {
            return false;
        }
        present.buffer.release();
        slab = null;
        slabBytes = SLAB_BYTES_FIRST;
        return true;
    }

    /** Forgets what is not parsed; pinned payloads stay until they are unpinned. */
    void close() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        chunk = null;
        Slab present = slab;
        slab = null;
        if (present != null) {
            retire(present);
        }
    }

    private void retire(Slab old) {
        if (old.pins == 0) {
            old.buffer.release();
        } else {
            old.isRetired = true;
            retired++;
        }
    }
}
