package io.quoin.block.ring;

import io.quoin.block.BlockError;
import io.quoin.block.Invariant;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoRequest;
import io.quoin.block.IoRequestPool;
import java.util.ArrayDeque;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Writes that follow one another, in the ring and on the disk, with equal flags, as one device
 * request: the memories become one vector and the error, if any, is that of all.
 *
 * <p>Threading: confined to the ring's owner.
 */
final class WriteJoin implements IoCompletion {
    private final Consumer<IoRequest> device;
    private final IoRequestPool pool;
    private final long bytesMax;
    private final FlushBarrier barrier;
    private final BiConsumer<IoRequest, BlockError> answer;
    private final Counter coalesced;
    private final ArrayDeque<JoinedLease> idleLeases = new ArrayDeque<>();

    private @Nullable IoRequest first;
    private @Nullable IoRequest last;
    private long lengthBytes;

    /**
     * @param bytesMax the longest joined write; 0 joins none
     * @param answer ends a submitter's write
     */
    WriteJoin(
            Consumer<IoRequest> device,
            IoRequestPool pool,
            long bytesMax,
            FlushBarrier barrier,
            BiConsumer<IoRequest, BlockError> answer,
            Counter coalesced) {
        this.device = device;
        this.pool = pool;
        this.bytesMax = bytesMax;
        this.barrier = barrier;
        this.answer = answer;
        this.coalesced = coalesced;
    }

    /** Whether {@code write} continues what is held. */
    boolean accepts(IoRequest write) {
        IoRequest end = last;
        return end != null
                && end.endBytes() == write.offsetBytes()
                && end.flags() == write.flags()
                && lengthBytes + write.lengthBytes() <= bytesMax;
    }

    /** Holds {@code write}: the first, or one that is accepted. */
    void add(IoRequest write) {
        if (last == null) {
            first = write;
            lengthBytes = write.lengthBytes();
        } else {
            last.next(write);
            lengthBytes += write.lengthBytes();
        }
        last = write;
    }

    /** What is held if it is one write alone, which then goes as it is; else null. */
    @Nullable IoRequest takeSingle() {
        IoRequest only = first;
        if (only == null || only != last) {
            return null;
        }
        first = null;
        last = null;
        return only;
    }

    /** Submits what is held as one request. */
    void submit() {
        IoRequest head = first;
        if (head == null) {
            return;
        }
        IoRequest joined = pool.acquire().write(head.offsetBytes(), lengthBytes, head.flags());
        int count = 0;
        for (IoRequest write = head; write != null; write = write.next()) {
            joined.memory().addSlice(write.memory(), 0, write.lengthBytes());
            count++;
        }
        if (joined.memory().lease() == null && JoinedLease.isLeased(head)) {
            JoinedLease lease = idleLeases.pollLast();
            joined.memory()
                    .leased(
                            (lease == null ? new JoinedLease(idleLeases::addLast) : lease)
                                    .begin(head));
        }
        first = null;
        last = null;
        coalesced.add(count - 1L);
        joined.attachment(head);
        joined.push(this, barrier.beginWrite());
        device.accept(joined);
    }

    @Override
    public void onComplete(IoRequest joined, BlockError error) {
        barrier.endWrite(joined.token());
        IoRequest write = (IoRequest) joined.attachment();
        Invariant.check(write != null, "a joined write without writes");
        if (joined.memory().lease() instanceof JoinedLease lease) {
            lease.end();
        }
        pool.release(joined);
        Answers.toAll(write, error, answer);
    }
}
