package io.quoin.qcow2.io;

import io.quoin.block.BlockError;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.agrona.BufferUtil;
import org.agrona.UnsafeApi;
import org.agrona.collections.Long2ObjectHashMap;

/**
 * The metadata of an open image as they were on disk at one moment, for a reader that goes through
 * them at leisure while they go on changing: before metadata are overwritten, what was there is
 * read and kept. Guest data are not kept, nor clusters that are punched or given to data; what
 * frees clusters with metadata waits with that.
 *
 * <p>Why a read sees that moment: each change of metadata passes {@link #beforeWrite}, which keeps
 * the whole unit before the first write to it is submitted; and a read looks for kept units when it
 * has the bytes of the disk. So either the unit was kept by then, or no write to it had begun.
 *
 * <p>What is kept is bounded; beyond that it is given up, which a reader is told, and no write ever
 * waits for the reader.
 *
 * <p>Threading: confined(loop).
 */
public final class FrozenMetadata {
    static final long KEPT_BYTES_MAX = 64L << 20;

    private static final int UNIT_BYTES = 4096;

    private final ImageIo io;
    private final long sizeBytes;
    private final long keptBytesMax;
    private final Long2ObjectHashMap<byte[]> kept = new Long2ObjectHashMap<>();
    private final ArrayDeque<ByteBuffer> spare = new ArrayDeque<>();
    private BlockError lost = BlockError.OK;

    FrozenMetadata(ImageIo io, long keptBytesMax) {
        this.io = io;
        this.sizeBytes = io.fileSizeBytes();
        this.keptBytesMax = keptBytesMax;
    }

    /** The file's size at that moment. */
    public long sizeBytes() {
        return sizeBytes;
    }

    /**
     * OK, or why it cannot be read any more: EOVERFLOW after more changes than are kept, else the
     * error with which the disk was read.
     */
    public BlockError lost() {
        return lost;
    }

    /** Nothing reads any more. */
    void giveUp(BlockError reason) {
        if (lost.isOk()) {
            lost = reason;
        }
        kept.clear();
        spare.clear();
    }

    /** Keeps what a write is going to change; runs {@code write} then, whatever comes of it. */
    void beforeWrite(long hostOffset, int lengthBytes, Runnable write) {
        Join join = new Join(error -> write.run());
        long end = Math.min(hostOffset + lengthBytes, sizeBytes);
        for (long at = hostOffset & -UNIT_BYTES; at < end && lost.isOk(); at += UNIT_BYTES) {
            if (!kept.containsKey(at)) {
                keep(at, join.one());
            }
        }
        join.started();
    }

    private void keep(long unit, Outcome outcome) {
        ByteBuffer pooled = spare.poll();
        ByteBuffer buffer =
                pooled == null ? BufferUtil.allocateDirectAligned(UNIT_BYTES, UNIT_BYTES) : pooled;
        io.read(
                unit,
                BufferUtil.address(buffer),
                UNIT_BYTES,
                error -> {
                    keepRead(unit, buffer, error);
                    outcome.done(BlockError.OK);
                });
    }

    /** The first to have read a unit keeps it: a later one may have read what the first wrote. */
    private void keepRead(long unit, ByteBuffer buffer, BlockError error) {
        if (!error.isOk()) {
            giveUp(error);
        } else if (lost.isOk() && !kept.containsKey(unit)) {
            if ((kept.size() + 1L) * UNIT_BYTES > keptBytesMax) {
                giveUp(BlockError.EOVERFLOW);
                return;
            }
            byte[] bytes = new byte[UNIT_BYTES];
            buffer.get(0, bytes);
            kept.put(unit, bytes);
        }
        if (lost.isOk()) {
            spare.add(buffer);
        }
    }

    /** Reads what was there at that moment; zeros behind the end of the file. */
    public void read(long hostOffset, ByteBuffer target, int lengthBytes, Outcome outcome) {
        if (!lost.isOk()) {
            outcome.done(lost);
            return;
        }
        long address = BufferUtil.address(target);
        io.read(
                hostOffset,
                address,
                lengthBytes,
                error -> {
                    overlay(hostOffset, target, lengthBytes);
                    outcome.done(error.isOk() ? lost : error);
                });
    }

    private void overlay(long hostOffset, ByteBuffer target, int lengthBytes) {
        long end = hostOffset + lengthBytes;
        for (long unit = hostOffset & -UNIT_BYTES; unit < end; unit += UNIT_BYTES) {
            byte[] bytes = kept.get(unit);
            if (bytes != null) {
                long from = Math.max(unit, hostOffset);
                int count = (int) (Math.min(unit + UNIT_BYTES, end) - from);
                target.put((int) (from - hostOffset), bytes, (int) (from - unit), count);
            }
        }
        long present = Math.max(0, Math.min(lengthBytes, sizeBytes - hostOffset));
        if (present < lengthBytes) {
            UnsafeApi.setMemory(
                    BufferUtil.address(target) + present, lengthBytes - present, (byte) 0);
        }
    }
}
