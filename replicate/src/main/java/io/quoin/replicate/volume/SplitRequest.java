package io.quoin.replicate.volume;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.replicate.Completion;
import io.quoin.replicate.Outcome;
import io.quoin.replicate.Payload;
import org.jspecify.annotations.Nullable;

/**
 * A request that is carried out region by region, some at a time, and ends once with all of them.
 * After a part that failed no further one is begun.
 *
 * <p>Threading: confined(loop), the file's.
 */
final class SplitRequest {
    /** How many parts of a request are under way at once: as many as the largest transfer has. */
    private static final int PARTS_MAX = 65;

    private final ReplicatedFile file;
    private final IoRequest request;
    private final long regionBytes;
    private long position;
    private int partsInFlight;
    private BlockError error = BlockError.OK;
    private boolean isAdvancing;
    private boolean isEnded;

    SplitRequest(ReplicatedFile file, IoRequest request, long regionBytes) {
        this.file = file;
        this.request = request;
        this.regionBytes = regionBytes;
        position = request.offsetBytes();
    }

    /** Goes on; a part may end within the call that begins it. */
    void advance() {
        if (isAdvancing) {
            return;
        }
        isAdvancing = true;
        while (isMoreToBegin() && partsInFlight < PARTS_MAX) {
            beginPart();
        }
        isAdvancing = false;
        if (!isEnded && partsInFlight == 0 && !isMoreToBegin()) {
            end(error);
        }
    }

    private boolean isMoreToBegin() {
        return !isEnded && error.isOk() && position < request.endBytes();
    }

    private void beginPart() {
        long offset = position;
        long regionEnd = (offset / regionBytes + 1) * regionBytes;
        int length = (int) (Math.min(regionEnd, request.endBytes()) - offset);
        position += length;
        partsInFlight++;
        Completion ended = (outcome, data) -> partEnded(offset, outcome, data);
        boolean isDurable = request.has(IoFlags.FUA);
        Copies copies = file.copies();
        IoOp op = request.op();
        if (op == IoOp.READ) {
            copies.read(offset, length, ended);
        } else if (op == IoOp.WRITE) {
            long at = offset - request.offsetBytes();
            Payload data = file.bytes().copyOf(request.memory(), at, length);
            copies.write(offset, data, isDurable, ended);
        } else {
            boolean mayUnmap = op == IoOp.DISCARD || request.has(IoFlags.MAY_UNMAP);
            copies.writeZeroes(offset, length, mayUnmap, isDurable, ended);
        }
    }

    private void partEnded(long offset, Outcome outcome, @Nullable Payload data) {
        partsInFlight--;
        if (isEnded) {
            return; // given up: the request is another's by now
        }
        if (outcome != Outcome.DONE) {
            error = error.isOk() ? file.errorOf(outcome) : error;
        } else if (data != null) {
            file.bytes().put(data, request.memory(), offset - request.offsetBytes());
            data.release();
        }
        advance();
    }

    /** Ends the request now, whatever of it is under way. */
    void end(BlockError result) {
        isEnded = true;
        file.ended(this);
        request.complete(result);
    }
}
