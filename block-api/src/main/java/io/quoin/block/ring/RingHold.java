package io.quoin.block.ring;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * A stop of a {@link DiskRing} at a sequence. Requests published before it are let finish; those
 * published after it wait in the ring, in their order, and count against its room as ever. It ends
 * with {@link #release}, at its limit by itself, or with the ring's close; then what waits goes to
 * the device.
 *
 * <pre>
 *  ASKED     -> STOPPING  on the owner, or where the ring comes to the marker; ENDED if it is
 *                         refused, or was released meanwhile
 *  STOPPING  -> QUIET     everything before it has been answered
 *  QUIET     -> REACHED   the holder has been told
 *  all these -> ENDED     released, limit gone by, ring closed
 * </pre>
 *
 * <p>See {@code docs/adr/0019-hold-and-cut.md}.
 *
 * <p>Threading: thread-safe.
 */
public final class RingHold {
    /** The longest limit: guests give a disk up after some 30 seconds. */
    public static final long LIMIT_NANOS_MAX = TimeUnit.SECONDS.toNanos(10);

    private enum State {
        ASKED,
        STOPPING,
        QUIET,
        REACHED,
        ENDED
    }

    private final DiskRing ring;
    private final RingTimers timers;
    private final long limitNanos;
    private final HoldListener listener;

    private volatile boolean isReleased;

    /** This and what follows is confined to the owner. */
    private State state = State.ASKED;

    private long lastSequence;

    /** Made, and not yet asked for. */
    RingHold(DiskRing ring, RingTimers timers, long limitNanos, HoldListener listener) {
        if (limitNanos < 1 || limitNanos > LIMIT_NANOS_MAX) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "hold of a ring: limitNanos="
                            + limitNanos
                            + ", expected=1.."
                            + LIMIT_NANOS_MAX);
        }
        this.ring = ring;
        this.timers = timers;
        this.limitNanos = limitNanos;
        this.listener = listener;
    }

    /**
     * Begins on the owner.
     *
     * @throws RejectedExecutionException if the owner has ended
     */
    void ask() {
        ring.owner().execute(this::begin);
    }

    /**
     * Begins where the ring comes to it: behind what the caller has published before, and before
     * what it publishes later.
     *
     * @return false: there is no room in the ring now, and nothing was done
     * @throws RejectedExecutionException if the owner has ended
     */
    boolean offerMarker() {
        return ring.offerMarker(this);
    }

    /** For the ring, in a batch: it has come to the marker. Says whether it is to stop there. */
    boolean meet(long sequence) {
        if (isReleased) {
            state = State.ENDED;
            return false;
        }
        timers.schedule(limitNanos, this::expire);
        BlockException refusal = ring.stop(this, sequence);
        if (refusal != null) {
            // Later: the batch is to end first.
            ring.owner().execute(() -> refuse(refusal));
            return false;
        }
        state = State.STOPPING;
        return true;
    }

    /** For the ring: it is not held. */
    void refuse(BlockException cause) {
        state = State.ENDED;
        if (!isReleased) {
            listener.failed(cause);
        }
    }

    /** Lets the ring go on; does nothing once the hold has ended. */
    public void release() {
        isReleased = true;
        if (ring.inOwner()) {
            end();
            return;
        }
        try {
            ring.owner().execute(this::end);
        } catch (RejectedExecutionException ended) {
            // The owner has ended, and nothing waits in its ring.
            return;
        }
    }

    private void begin() {
        if (isReleased) {
            state = State.ENDED;
            return;
        }
        // First the timer: without one, the ring must not stop.
        timers.schedule(limitNanos, this::expire);
        BlockException refusal = ring.stop(this, ring.publishedSequence());
        if (refusal != null) {
            state = State.ENDED;
            listener.failed(refusal);
            return;
        }
        state = State.STOPPING;
        ring.drain();
    }

    /** The ring stops once it has taken {@code newLastSequence}. */
    void lastSequence(long newLastSequence) {
        lastSequence = newLastSequence;
    }

    /** Whether a ring that has taken everything up to {@code sequence} takes no more. */
    boolean stopsAt(long sequence) {
        return sequence >= lastSequence;
    }

    /** A request has been answered or taken. */
    void look() {
        if (state == State.STOPPING && ring.isQuiet()) {
            state = State.QUIET;
            // Later: the answer that is being given is to be complete.
            ring.owner().execute(this::reach);
        }
    }

    private void reach() {
        if (state == State.QUIET && !isReleased) {
            state = State.REACHED;
            listener.reached();
        }
    }

    private void expire() {
        String what =
                state == State.REACHED
                        ? "ring was held for too long"
                        : "disk did not come to rest in time";
        fail(
                BlockError.EBUSY,
                what
                        + ": limitMillis="
                        + TimeUnit.NANOSECONDS.toMillis(limitNanos)
                        + ", requestsInFlight="
                        + ring.inFlight());
    }

    /** Ends the hold against the holder's will; the ring goes on after the holder has been told. */
    void fail(BlockError error, String message) {
        if (end() && !isReleased) {
            listener.failed(new BlockException(error, message));
        }
    }

    private boolean end() {
        if (state == State.ASKED || state == State.ENDED) {
            return false;
        }
        state = State.ENDED;
        ring.goOn();
        return true;
    }
}
