package io.quoin.nbd.transmission;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import io.quoin.block.ExtentList;
import io.quoin.nbd.protocol.MetaContext;
import io.quoin.nbd.protocol.ReplyLayout;
import io.quoin.nbd.protocol.RequestLayout;
import org.jspecify.annotations.Nullable;

/**
 * Answers of a connection: encoded as they come, sent once per batch. Answers without data share a
 * buffer. Replies may go in any order, but the chunks of one reply end with the one marked DONE.
 *
 * <p>Threading: confined(loop).
 */
@SuppressWarnings(
        "FutureReturnValueIgnored") // a failed write or close shows in the channel's events
final class Replies {
    private static final int SMALL_BYTES = 1024;

    /** Charged for each buffer besides its data, so that many small ones are bounded too. */
    static final int OVERHEAD_BYTES = 256;

    private final ChannelHandlerContext context;
    private final MemoryShare share;
    private final Runnable progress;
    private final ChannelFutureListener onMarker = future -> markerSent();
    private @Nullable ByteBuf small;
    private boolean isUnflushed;
    private boolean isClosed;
    private long unsentBytes;
    private long markedBytes;

    Replies(ChannelHandlerContext context, MemoryShare share, Runnable progress) {
        this.context = context;
        this.share = share;
        this.progress = progress;
    }

    /** Whether something waits for {@link #flush}. */
    boolean isUnflushed() {
        return isUnflushed || small != null;
    }

    /** Answers that the socket has not taken. */
    long unsentBytes() {
        ChannelOutboundBuffer queue = context.channel().unsafe().outboundBuffer();
        return queue == null ? 0 : queue.totalPendingWriteBytes();
    }

    /** A reply without data. */
    void simple(long cookie, int errno) {
        ByteBuf out = small(ReplyLayout.SIMPLE_BYTES);
        out.writeInt(ReplyLayout.SIMPLE_MAGIC).writeInt(errno).writeLong(cookie);
    }

    /** The end of a structured reply without content. */
    void none(long cookie) {
        chunk(
                small(ReplyLayout.CHUNK_BYTES),
                ReplyLayout.FLAG_DONE,
                ReplyLayout.TYPE_NONE,
                cookie,
                0);
    }

    /** The end of a structured reply that failed. */
    void error(long cookie, int errno) {
        ByteBuf out = small(ReplyLayout.ERROR_BYTES);
        int length = ReplyLayout.ERROR_BYTES - ReplyLayout.CHUNK_BYTES;
        chunk(out, ReplyLayout.FLAG_DONE, ReplyLayout.TYPE_ERROR, cookie, length);
        out.writeInt(errno).writeShort(0);
    }

    /**
     * One piece of a READ in chunks: its data, and holes where it reads as zeros.
     *
     * @param isLast nothing of the reply comes after it
     */
    void piece(ReadPiece piece, boolean isLast, long chargedBytes) {
        if (!piece.hasZeros()) {
            ByteBuf buffer = piece.takeBuffer();
            dataHeader(
                    buffer, piece.command().cookie, piece.offsetBytes, piece.lengthBytes, isLast);
            beforeData(piece.command());
            write(buffer, chargedBytes);
            return;
        }
        if (isClosed) {
            share.uncharge(chargedBytes);
            return;
        }
        ByteBuf buffer = piece.takeBuffer();
        int done = 0;
        int parts = 0;
        while (done < piece.lengthBytes) {
            int end = SparseRead.runEnd(piece.extents, done, piece.lengthBytes);
            boolean isEnd = isLast && end == piece.lengthBytes;
            long offset = piece.offsetBytes + done;
            if (SparseRead.isHole(piece.extents, done)) {
                hole(piece.command(), offset, end - done, isEnd);
            } else {
                beforeData(piece.command());
                ByteBuf header = context.alloc().directBuffer(ReplyLayout.DATA_HEADER_BYTES);
                dataHeader(header, piece.command().cookie, offset, end - done, isEnd);
                write(header.writerIndex(ReplyLayout.DATA_HEADER_BYTES), 0);
                write(buffer.retainedSlice(piece.headerBytes + done, end - done), 0);
                parts++;
            }
            done = end;
        }
        buffer.release();
        if (parts == 0) {
            share.uncharge(chargedBytes);
        } else {
            unsentBytes += chargedBytes;
            share.charge((long) parts * OVERHEAD_BYTES);
            unsentBytes += (long) parts * OVERHEAD_BYTES;
        }
    }

    /** All of a READ at once: a simple reply, or a single chunk. */
    void whole(Command command, boolean structured, long chargedBytes) {
        for (int i = 0; i < command.pieces.size(); i++) {
            ReadPiece piece = command.pieces.get(i);
            ByteBuf buffer = piece.takeBuffer();
            if (i == 0 && structured) {
                int length = (int) command.lengthBytes;
                dataHeader(buffer, command.cookie, command.offsetBytes, length, true);
            } else if (i == 0) {
                buffer.setInt(0, ReplyLayout.SIMPLE_MAGIC).setInt(4, 0).setLong(8, command.cookie);
            }
            write(buffer, i == 0 ? chargedBytes : 0);
        }
    }

    /**
     * The answer to BLOCK_STATUS: a chunk for each context that has extents, all of which end at
     * the same offset, at the end of the request at the latest.
     *
     * @param statusMask what is told of the bits of base:allocation
     */
    void status(Command command, int statusMask) {
        ExtentList extents = command.extents;
        ExtentList dirty = command.dirtyExtents;
        long length = command.lengthBytes;
        length = extents == null ? length : Math.min(length, coveredBytes(command, extents));
        length = dirty == null ? length : Math.min(length, coveredBytes(command, dirty));
        if (extents != null) {
            int flags = dirty == null ? ReplyLayout.FLAG_DONE : 0;
            status(command, flags, MetaContext.BASE_ALLOCATION.id(), extents, statusMask, length);
        }
        if (dirty != null) {
            int id = MetaContext.DIRTY_BITMAP_ID;
            status(command, ReplyLayout.FLAG_DONE, id, dirty, -1, length);
        }
    }

    private static long coveredBytes(Command command, ExtentList extents) {
        return command.has(RequestLayout.FLAG_REQ_ONE)
                ? extents.extentLengthBytes(0)
                : extents.lengthBytes();
    }

    private void status(
            Command command,
            int flags,
            int contextId,
            ExtentList extents,
            int mask,
            long lengthBytes) {
        int size =
                ReplyLayout.STATUS_HEADER_BYTES
                        + extents.count() * ReplyLayout.STATUS_DESCRIPTOR_BYTES;
        ByteBuf out = context.alloc().directBuffer(size);
        chunk(out, flags, ReplyLayout.TYPE_BLOCK_STATUS, command.cookie, 0);
        out.writeInt(contextId);
        long left = lengthBytes;
        int i = 0;
        while (i < extents.count() && left > 0) {
            int status = extents.status(i) & mask;
            long part = 0;
            while (i < extents.count() && (extents.status(i) & mask) == status) {
                part += extents.extentLengthBytes(i);
                i++;
            }
            part = Math.min(left, part);
            out.writeInt((int) part);
            out.writeInt(status);
            left -= part;
        }
        out.setInt(
                ReplyLayout.CHUNK_BYTES - Integer.BYTES,
                out.readableBytes() - ReplyLayout.CHUNK_BYTES);
        share.charge((long) size + OVERHEAD_BYTES);
        write(out, (long) size + OVERHEAD_BYTES);
    }

    /** Sends everything that was answered since the last time. */
    void flush() {
        writeSmall();
        if (isUnflushed) {
            isUnflushed = false;
            context.flush();
            settle();
        }
    }

    /** Closes the channel once everything before has been sent, or cannot be. */
    void closeAfterFlush() {
        flush();
        context.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    }

    /** The channel is gone: what is answered from now on is dropped. */
    void close() {
        isClosed = true;
        ByteBuf unwritten = small;
        small = null;
        if (unwritten != null) {
            unwritten.release();
            share.uncharge(SMALL_BYTES + OVERHEAD_BYTES);
        }
        share.uncharge(unsentBytes);
        unsentBytes = 0;
    }

    private void hole(Command command, long offset, int lengthBytes, boolean isLast) {
        ByteBuf out = small(ReplyLayout.HOLE_BYTES);
        int length = ReplyLayout.HOLE_BYTES - ReplyLayout.CHUNK_BYTES;
        int flags = isLast ? ReplyLayout.FLAG_DONE : 0;
        chunk(out, flags, ReplyLayout.TYPE_OFFSET_HOLE, command.cookie, length);
        out.writeLong(offset).writeInt(lengthBytes);
        command.hasSmallChunks = true;
    }

    /** Data goes into the queue now, small answers at the end: keeps a reply's own order. */
    private void beforeData(Command command) {
        if (command.hasSmallChunks) {
            command.hasSmallChunks = false;
            writeSmall();
        }
    }

    private static void dataHeader(
            ByteBuf out, long cookie, long offset, int lengthBytes, boolean isLast) {
        out.setInt(0, ReplyLayout.CHUNK_MAGIC);
        out.setShort(4, isLast ? ReplyLayout.FLAG_DONE : 0);
        out.setShort(6, ReplyLayout.TYPE_OFFSET_DATA);
        out.setLong(8, cookie);
        out.setInt(16, Long.BYTES + lengthBytes);
        out.setLong(ReplyLayout.CHUNK_BYTES, offset);
    }

    private static void chunk(ByteBuf out, int flags, int type, long cookie, int lengthBytes) {
        out.writeInt(ReplyLayout.CHUNK_MAGIC).writeShort(flags).writeShort(type);
        out.writeLong(cookie).writeInt(lengthBytes);
    }

    private ByteBuf small(int bytes) {
        ByteBuf open = small;
        if (open != null && open.writableBytes() >= bytes) {
            return open;
        }
        writeSmall();
        open = context.alloc().directBuffer(SMALL_BYTES, SMALL_BYTES);
        share.charge(SMALL_BYTES + OVERHEAD_BYTES);
        small = open;
        return open;
    }

    private void writeSmall() {
        ByteBuf open = small;
        if (open != null) {
            small = null;
            write(open, SMALL_BYTES + OVERHEAD_BYTES);
        }
    }

    private void write(ByteBuf buffer, long chargedBytes) {
        if (isClosed) {
            buffer.release();
            share.uncharge(chargedBytes);
            return;
        }
        unsentBytes += chargedBytes;
        isUnflushed = true;
        context.write(buffer, context.voidPromise());
    }

    /** Gives back the memory of what has been sent; if not all has, asks to be told. */
    private void settle() {
        if (unsentBytes == 0 || markedBytes > 0 || isClosed) {
            return;
        }
        ChannelOutboundBuffer queue = context.channel().unsafe().outboundBuffer();
        if (queue == null || queue.isEmpty()) {
            long sent = unsentBytes;
            unsentBytes = 0;
            share.uncharge(sent);
        } else {
            markedBytes = unsentBytes;
            context.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(onMarker);
        }
    }

    private void markerSent() {
        long sent = markedBytes;
        markedBytes = 0;
        if (!isClosed) {
            unsentBytes -= sent;
            share.uncharge(sent);
            settle();
            progress.run();
        }
    }
}
