package io.quoin.nbd.transmission;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.quoin.block.BlockError;
import io.quoin.block.BlockStatus;
import io.quoin.block.ExtentList;
import io.quoin.block.Invariant;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.block.IoRequestPool;
import io.quoin.block.ring.DiskRing;
import io.quoin.nbd.export.DirtyBitmap;
import io.quoin.nbd.protocol.ReplyLayout;
import io.quoin.nbd.protocol.RequestLayout;
import io.quoin.xlator.loop.Loop;
import java.util.ArrayDeque;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Takes commands to the ring and their results to the replies. One command at a time is being
 * submitted; when it cannot go on (too much in flight, no room in the ring, no memory) nothing
 * behind it is taken up, and {@code progress} tells when to try again.
 *
 * <p>Threading: confined(loop).
 */
final class Dispatcher {
    /** A READ is done in pieces of this size: they are copied while they are in the cache. */
    private static final int READ_PIECE_BYTES = 256 << 10;

    private static final int STATUS_EXTENTS_MAX = 4096;

    /** An extent in its list and in the answer. */
    private static final int STATUS_EXTENT_BYTES = 20;

    /** BLOCK_STATUS requests of a connection that are with the disk; each has its own extents. */
    private static final int STATUS_MAX = 4;

    private static final int CONTEXTS_MAX = 2;

    private static final int IDLE_EXTENTS_MAX = CONTEXTS_MAX * STATUS_MAX;

    private final DiskRing ring;
    private final Loop loop;
    private final IoRequestPool requests;
    private final ByteBufAllocator allocator;
    private final MemoryShare payloads;
    private final MemoryShare answers;
    private final Replies replies;
    private final Turn turn;
    private final Receiver receiver;
    private final Runnable progress;
    private final Runnable onRoom = this::roomMade;
    private final Runnable onBudget = this::budgetMade;
    private final Runnable onBudgetInLoop = this::retryBudget;
    private final IoCompletion onPart = this::partDone;
    private final IoCompletion onRead = this::readDone;
    private final boolean isStructured;
    private final boolean hasAllocation;
    private final @Nullable DirtyBitmap dirtyBitmap;
    private final int allocationMask;
    private final int transferBytesMax;
    private final int readPieceBytes;
    private final int requestsMax;

    private long keptBytes;
    private final ArrayDeque<Command> idleCommands = new ArrayDeque<>();
    private final ArrayDeque<ReadPiece> idlePieces = new ArrayDeque<>();
    private final ArrayDeque<ExtentList> idleExtents = new ArrayDeque<>();
    private @Nullable Command current;
    private @Nullable IoRequest refused;
    private boolean isWaitingForRoom;
    private boolean isWaitingForBudget;
    private int accepted;
    private int statuses;
    private boolean isWaitingForStatus;
    private boolean isAbandoned;

    /**
     * @param progress run on the loop when something may go on or has ended
     */
    Dispatcher(
            Session session,
            ByteBufAllocator allocator,
            MemoryShare payloads,
            MemoryShare answers,
            Replies replies,
            Receiver receiver,
            Turn turn,
            int requestsMax,
            Runnable progress) {
        this.ring = session.export().ring();
        this.loop = session.export().loop();
        this.requests = loop.requests();
        this.allocator = allocator;
        this.payloads = payloads;
        this.answers = answers;
        this.turn = turn;
        this.replies = replies;
        this.receiver = receiver;
        this.requestsMax = requestsMax;
        this.progress = progress;
        this.isStructured = session.structuredReplies();
        this.hasAllocation = session.baseAllocation();
        this.dirtyBitmap = session.dirtyBitmap();
        boolean tellsHoles = session.export().dirtyBitmap() == null;
        this.allocationMask = BlockStatus.ZERO | (tellsHoles ? BlockStatus.HOLE : 0);
        this.transferBytesMax = session.export().geometry().transferBytesMax();
        this.readPieceBytes = Math.min(READ_PIECE_BYTES, transferBytesMax);
    }

    Command newCommand() {
        Command command = idleCommands.pollLast();
        return command == null ? new Command(this::letGo) : command;
    }

    /** Whether nothing more may be taken up now. */
    boolean isFull() {
        return current != null
                || accepted >= requestsMax
                || !answers.allows(Replies.OVERHEAD_BYTES);
    }

    /** Whether a BLOCK_STATUS that waited for others to end may be handed to the disk now. */
    boolean hasRoomForStatus() {
        return isWaitingForStatus && statuses < STATUS_MAX;
    }

    /** Commands taken up and not answered. */
    int inFlight() {
        return accepted;
    }

    /** Makes sure of memory for the payload of a WRITE before it is received. */
    boolean admitPayload(Command command) {
        long bytes = command.lengthBytes + Replies.OVERHEAD_BYTES;
        if (!mayCharge(payloads, bytes)) {
            return false;
        }
        command.chargedBytes = bytes;
        return true;
    }

    /** Answers a command that is not taken up with an error. */
    void refuse(Command command, BlockError error) {
        answer(command, error.nbdErrno());
        recycle(command);
    }

    /** Gives up a command whose payload will never be complete. */
    void forget(Command command) {
        recycle(command);
    }

    /** Takes a command up. */
    void start(Command command) {
        Invariant.check(current == null, "command started before the one in front of it");
        accepted++;
        current = command;
        pump();
    }

    /** The client is gone: what only reads is not carried out. */
    void abandonReads() {
        isAbandoned = true;
    }

    /** Submits what the present command still has. */
    void pump() {
        isWaitingForStatus = false;
        IoRequest waiting = refused;
        if (waiting != null) {
            refused = null;
            if (!offer(waiting)) {
                return;
            }
        }
        Command command = current;
        while (command != null && current == command) {
            if (isComplete(command)) {
                current = null;
                command.isSubmitted = true;
                if (command.outstanding == 0) {
                    finish(command);
                }
                return;
            }
            if (turn.isOver() && command.nextBytes > 0) {
                return;
            }
            if (command.type == RequestLayout.BLOCK_STATUS) {
                if (!beginStatus(command)) {
                    return;
                }
                if (!hasAllocation) {
                    command.nextBytes = command.lengthBytes;
                    continue;
                }
            }
            IoRequest request = command.isRead() ? nextRead(command) : nextPart(command);
            if (request == null) {
                return;
            }
            command.outstanding++;
            if (!offer(request)) {
                return;
            }
        }
    }

    /** Hands everything submitted to the device. */
    void drain() {
        ring.drain();
    }

    private static boolean isWithoutEffect(Command command) {
        return command.lengthBytes == 0 && command.type != RequestLayout.FLUSH;
    }

    private boolean isComplete(Command command) {
        if (!command.error.isOk() || isWithoutEffect(command)) {
            return true;
        }
        boolean onlyReads = command.isRead() || command.type == RequestLayout.BLOCK_STATUS;
        if (isAbandoned && onlyReads) {
            command.fail(BlockError.ESHUTDOWN);
            return true;
        }
        return command.type == RequestLayout.FLUSH
                ? command.nextBytes > 0
                : command.nextBytes == command.lengthBytes;
    }

    private boolean offer(IoRequest request) {
        if (ring.offer(request)) {
            return true;
        }
        // What this batch has published may be all that takes the room.
        ring.drain();
        if (ring.offer(request)) {
            return true;
        }
        refused = request;
        if (!isWaitingForRoom) {
            isWaitingForRoom = true;
            ring.whenRoom(onRoom);
        }
        return false;
    }

    private void roomMade() {
        if (!loop.inLoop()) {
            loop.execute(onRoom);
            return;
        }
        isWaitingForRoom = false;
        progress.run();
    }

    private void budgetMade() {
        loop.execute(onBudgetInLoop);
    }

    private void retryBudget() {
        isWaitingForBudget = false;
        progress.run();
    }

    private boolean mayCharge(MemoryShare share, long bytes) {
        if (!share.allows(bytes)) {
            return false;
        }
        if (!share.tryCharge(bytes)) {
            if (!isWaitingForBudget) {
                isWaitingForBudget = true;
                share.await(onBudget, bytes);
            }
            return false;
        }
        return true;
    }

    // READ

    private boolean isWhole(Command command) {
        return !isStructured || command.has(RequestLayout.FLAG_DF);
    }

    private @Nullable IoRequest nextRead(Command command) {
        int length = (int) Math.min(command.lengthBytes - command.nextBytes, readPieceBytes);
        boolean whole = isWhole(command);
        if (whole) {
            if (command.nextBytes == 0) {
                long bytes = command.lengthBytes + Replies.OVERHEAD_BYTES;
                if (!mayCharge(answers, bytes)) {
                    return null;
                }
                command.chargedBytes = bytes;
            }
        } else if (!mayCharge(answers, length + Replies.OVERHEAD_BYTES)) {
            return null;
        }
        turn.spendRead(length);
        int header = headerBytes(whole, command.nextBytes == 0);
        ReadPiece piece = idlePieces.pollLast();
        if (piece == null) {
            piece = new ReadPiece();
        }
        ByteBuf buffer = allocator.directBuffer(header + length, header + length);
        buffer.writerIndex(header + length);
        piece.begin(command, buffer, header, length);
        IoRequest request = requests.acquire();
        request.read(piece.offsetBytes, length, whole ? IoFlags.NONE : IoFlags.SPARSE);
        request.memory().add(Addresses.of(buffer) + header, length);
        if (whole) {
            command.pieces.add(piece);
        } else {
            request.extents(piece.extents);
        }
        request.attachment(piece);
        request.push(onRead);
        command.nextBytes += length;
        return request;
    }

    private int headerBytes(boolean whole, boolean isFirst) {
        if (isStructured) {
            return whole && !isFirst ? 0 : ReplyLayout.DATA_HEADER_BYTES;
        }
        return isFirst ? ReplyLayout.SIMPLE_BYTES : 0;
    }

    private void readDone(IoRequest request, BlockError error) {
        if (!loop.inLoop()) {
            loop.execute(() -> readDone(request, error));
            return;
        }
        ReadPiece piece =
                (ReadPiece) Objects.requireNonNull(request.attachment(), "read without a piece");
        requests.release(request);
        Command command = piece.command();
        command.outstanding--;
        if (!error.isOk()) {
            command.fail(error);
        }
        if (!isWhole(command)) {
            long charged = (long) piece.lengthBytes + Replies.OVERHEAD_BYTES;
            if (command.error.isOk()) {
                boolean isLast =
                        command.outstanding == 0 && command.nextBytes == command.lengthBytes;
                command.isAnswered = isLast;
                replies.piece(piece, isLast, charged);
            } else {
                answers.uncharge(charged);
            }
            recycle(piece);
        }
        if (command.outstanding == 0 && command.isSubmitted) {
            finish(command);
        } else {
            progress.run();
        }
    }

    // All others

    /**
     * Makes sure of memory for all contexts, and asks for the dirty bitmap where it is selected.
     */
    private boolean beginStatus(Command command) {
        int contexts = (hasAllocation ? 1 : 0) + (dirtyBitmap == null ? 0 : 1);
        long bytes = (long) contexts * STATUS_EXTENTS_MAX * STATUS_EXTENT_BYTES;
        isWaitingForStatus = statuses >= STATUS_MAX;
        if (isWaitingForStatus || !mayCharge(answers, bytes)) {
            return false;
        }
        statuses++;
        command.chargedBytes = bytes;
        DirtyBitmap asked = dirtyBitmap;
        if (asked != null) {
            ExtentList extents = newExtents();
            command.dirtyExtents = extents;
            command.outstanding++;
            asked.status(
                    command.offsetBytes,
                    command.lengthBytes,
                    extents,
                    error -> partEnded(command, error));
        }
        return true;
    }

    private IoRequest nextPart(Command command) {
        long offset = command.offsetBytes + command.nextBytes;
        long length = command.lengthBytes - command.nextBytes;
        IoRequest request = requests.acquire();
        if (command.type == RequestLayout.WRITE) {
            length = Math.min(length, transferBytesMax);
            request.write(offset, length, ioFlags(command));
            command.payload.leased(command);
            request.memory().addSlice(command.payload, command.nextBytes, length);
        } else if (command.type == RequestLayout.FLUSH) {
            request.flush();
            length = 1;
        } else {
            request.prepare(op(command.type), offset, length, ioFlags(command));
            if (command.type == RequestLayout.BLOCK_STATUS) {
                command.extents = newExtents();
                request.extents(command.extents);
            }
        }
        request.attachment(command);
        request.push(onPart);
        command.nextBytes += length;
        return request;
    }

    private ExtentList newExtents() {
        ExtentList extents = idleExtents.pollLast();
        if (extents == null) {
            return new ExtentList(STATUS_EXTENTS_MAX);
        }
        extents.clear();
        return extents;
    }

    private static IoOp op(int type) {
        return switch (type) {
            case RequestLayout.TRIM -> IoOp.DISCARD;
            case RequestLayout.WRITE_ZEROES -> IoOp.WRITE_ZEROES;
            case RequestLayout.CACHE -> IoOp.CACHE;
            case RequestLayout.BLOCK_STATUS -> IoOp.BLOCK_STATUS;
            default -> throw new AssertionError("not a command of a range: " + type);
        };
    }

    private static int ioFlags(Command command) {
        int fua = command.has(RequestLayout.FLAG_FUA) ? IoFlags.FUA : 0;
        return switch (command.type) {
            case RequestLayout.WRITE, RequestLayout.TRIM -> fua;
            case RequestLayout.WRITE_ZEROES ->
                    fua
                            | (command.has(RequestLayout.FLAG_NO_HOLE) ? 0 : IoFlags.MAY_UNMAP)
                            | (command.has(RequestLayout.FLAG_FAST_ZERO) ? IoFlags.FAST_ZERO : 0);
            case RequestLayout.BLOCK_STATUS ->
                    command.has(RequestLayout.FLAG_REQ_ONE) ? IoFlags.REQ_ONE : 0;
            default -> IoFlags.NONE;
        };
    }

    private void partDone(IoRequest request, BlockError error) {
        if (!loop.inLoop()) {
            loop.execute(() -> partDone(request, error));
            return;
        }
        Command command =
                (Command) Objects.requireNonNull(request.attachment(), "request without command");
        requests.release(request);
        partEnded(command, error);
    }

    private void partEnded(Command command, BlockError error) {
        command.outstanding--;
        if (!error.isOk()) {
            command.fail(error);
        }
        if (command.outstanding == 0 && command.isSubmitted) {
            finish(command);
        }
    }

    // Answers

    private void finish(Command command) {
        accepted--;
        if (command.extents != null || command.dirtyExtents != null) {
            statuses--;
        }
        if (!command.isAnswered) {
            answer(command, WireErrors.errno(command, command.error));
        }
        recycle(command);
        progress.run();
    }

    private void answer(Command command, int errno) {
        boolean chunked =
                isStructured && (command.isRead() || command.type == RequestLayout.BLOCK_STATUS);
        if (errno != 0) {
            if (chunked) {
                replies.error(command.cookie, errno);
            } else {
                replies.simple(command.cookie, errno);
            }
        } else if (command.type == RequestLayout.BLOCK_STATUS) {
            if (isUntold(command.extents) || isUntold(command.dirtyExtents)) {
                replies.error(command.cookie, BlockError.EIO.nbdErrno());
            } else {
                replies.status(command, allocationMask);
            }
        } else if (!command.pieces.isEmpty()) {
            long charged = command.chargedBytes;
            command.chargedBytes = 0;
            replies.whole(command, isStructured, charged);
        } else if (chunked) {
            replies.none(command.cookie);
        } else {
            replies.simple(command.cookie, 0);
        }
    }

    private static boolean isUntold(@Nullable ExtentList extents) {
        return extents != null && extents.count() == 0;
    }

    /** What the memory is charged to that a command holds itself. */
    private MemoryShare share(Command command) {
        return command.type == RequestLayout.WRITE ? payloads : answers;
    }

    private void recycle(Command command) {
        if (command.end()) {
            reuse(command);
        } else {
            keptBytes += command.chargedBytes;
        }
    }

    private void letGo(Command command) {
        keptBytes -= command.chargedBytes;
        reuse(command);
    }

    /** What is charged for payloads of answered requests that the disk keeps. */
    long keptBytes() {
        return keptBytes;
    }

    private void reuse(Command command) {
        command.releasePayload(receiver);
        if (command.chargedBytes > 0) {
            share(command).uncharge(command.chargedBytes);
            command.chargedBytes = 0;
        }
        for (int i = 0; i < command.pieces.size(); i++) {
            recycle(command.pieces.get(i));
        }
        command.pieces.clear();
        recycle(command.extents);
        recycle(command.dirtyExtents);
        command.extents = null;
        command.dirtyExtents = null;
        if (idleCommands.size() < requestsMax) {
            idleCommands.addLast(command);
        }
    }

    private void recycle(@Nullable ExtentList extents) {
        if (extents != null && idleExtents.size() < IDLE_EXTENTS_MAX) {
            idleExtents.addLast(extents);
        }
    }

    private void recycle(ReadPiece piece) {
        piece.end();
        if (idlePieces.size() < requestsMax) {
            idlePieces.addLast(piece);
        }
    }
}
