package io.quoin.block.ring;

import com.lmax.disruptor.EventPoller;
import com.lmax.disruptor.RingBuffer;
import com.lmax.disruptor.SequenceBarrier;
import com.lmax.disruptor.dsl.ProducerType;
import io.quoin.block.BlockDevice;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.block.IoRequestPool;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import org.agrona.LangUtil;
import org.jspecify.annotations.Nullable;

/**
 * The way to an open disk from any thread: a Disruptor ring that the disk's owner drains in
 * batches.
 *
 * <ul>
 *   <li>Writes that follow one another in the ring and on the disk go as one device request. Reads
 *       and other requests that change nothing pass by; they don't part such writes.
 *   <li>A flush covers every write published before it, whether answered or not, and no write waits
 *       for a flush. Flushes that wait at the same time go as one.
 *   <li>The ring is bounded in requests and bytes, counted from {@link #offer} to the completion. A
 *       submitter that is refused comes back by {@link #whenRoom}.
 *   <li>A {@link #hold} stops the ring at a sequence until the disk is quiet; a {@link Cut} does so
 *       with several.
 * </ul>
 *
 * <p>Requests are not ordered otherwise: as {@link BlockDevice#submit} says, a submitter that needs
 * an order waits for the first completion. Completions run on the owner, possibly before {@link
 * #drain} returns. Nothing is allocated for a request, and no lock is taken, unless the wait
 * strategy of a dedicated thread is {@code blocking}.
 *
 * <p>Threading: thread-safe, except {@link #drain}.
 */
public final class DiskRing {
    /** Token of a request that the flush barrier need not know. */
    private static final long NO_EPOCH = -1;

    private static final String CLOSED = "it is closed";

    private final BlockDevice device;
    private final Executor owner;
    private final BooleanSupplier inOwner;
    private final Admission admission;
    private final RingBuffer<Slot> slots;
    private final EventPoller<Slot> poller;
    private final EventPoller.Handler<Slot> taker = this::take;
    private final boolean isLoopDriven;
    private final AtomicBoolean isWakeScheduled = new AtomicBoolean();
    private final Runnable wakeTask = this::onWake;
    private final int drainMax;

    private final IoCompletion onEnd = this::end;
    private final FlushBarrier barrier;
    private final WriteJoin join;
    private boolean isDraining;
    private boolean isDrainWanted;
    private int taken;
    private long answered;
    private @Nullable RingHold hold;
    private @Nullable Throwable failure;

    private final ArrayDeque<Runnable> waiters = new ArrayDeque<>();
    private final Runnable roomTask = this::runWaiters;
    private boolean isRoomScheduled;
    private boolean isReleasedSinceRoom;

    private final CompletableFuture<Void> closed = new CompletableFuture<>();
    private final Counter batches = new Counter();
    private final Counter coalesced = new Counter();
    private final Counter flushesGrouped = new Counter();
    private final Counter depthMax = new Counter();
    private final AtomicLong refused = new AtomicLong();

    /** What a place in the ring holds: one of the two. */
    private static final class Slot {
        private @Nullable IoRequest request;
        private @Nullable RingHold marker;
    }

    private DiskRing(
            BlockDevice device,
            Executor owner,
            BooleanSupplier inOwner,
            IoRequestPool pool,
            RingOptions options) {
        this.device = device;
        this.owner = owner;
        this.inOwner = inOwner;
        this.isLoopDriven = !options.dedicatedThread();
        this.admission = new Admission(options.requestsMax(), options.bytesMax());
        // A batch keeps its slots until its end, while its requests may be answered and others
        // accepted in their stead: with room for both, an accepted request always finds a slot.
        int slotCount = Integer.highestOneBit(options.requestsMax() * 2 - 1) * 2;
        this.slots =
                RingBuffer.create(
                        ProducerType.MULTI, Slot::new, slotCount, options.newWaitStrategy());
        this.poller = slots.newPoller();
        slots.addGatingSequences(poller.getSequence());
        this.drainMax = slotCount;
        BiConsumer<IoRequest, BlockError> answer = this::answer;
        this.barrier =
                new FlushBarrier(device, pool, options.requestsMax(), answer, flushesGrouped);
        long joinBytesMax =
                Math.min(options.coalesceBytesMax(), device.geometry().transferBytesMax());
        this.join = new WriteJoin(this::pass, pool, joinBytesMax, barrier, answer, coalesced);
    }

    /**
     * Puts a ring in front of {@code device}.
     *
     * @param device an open disk, confined to {@code owner}
     * @param owner the thread that owns the disk, as an executor: its loop, or a {@link RingThread}
     *     if the options say so
     * @param inOwner whether the caller runs on that thread
     * @param pool the owner's requests
     */
    public static DiskRing create(
            BlockDevice device,
            Executor owner,
            BooleanSupplier inOwner,
            IoRequestPool pool,
            RingOptions options) {
        DiskRing ring = new DiskRing(device, owner, inOwner, pool, options);
        if (options.dedicatedThread()) {
            if (!(owner instanceof RingThread thread)) {
                throw new IllegalArgumentException(
                        "a ring with a dedicated thread is owned by a RingThread, not by " + owner);
            }
            thread.attach(ring);
        }
        return ring;
    }

    /** The disk behind the ring. */
    public BlockDevice device() {
        return device;
    }

    /** Whether the caller runs on the thread that owns the disk. */
    public boolean inOwner() {
        return inOwner.getAsBoolean();
    }

    /**
     * Publishes a request, prepared and with the submitter's completion pushed. On the owner's
     * thread the caller goes on to {@link #drain} at the end of its batch; from other threads the
     * owner is woken.
     *
     * @return {@code false} if there is no room now: nothing was done, see {@link #whenRoom}. Once
     *     the ring is closed, a request is taken and completed with {@link BlockError#ESHUTDOWN} on
     *     the owner.
     */
    public boolean offer(IoRequest request) {
        int admitted = admission.admit(Admission.bytesOf(request));
        if (admitted != Admission.ADMITTED) {
            if (admitted == Admission.CLOSED) {
                refuseClosed(request);
                return true;
            }
            refused.incrementAndGet();
            return false;
        }
        long sequence = slots.next();
        slots.get(sequence).request = request;
        slots.publish(sequence);
        if (!inOwner.getAsBoolean()) {
            wake();
        }
        return true;
    }

    /**
     * For a hold: publishes it as a marker, at which the ring is to stop.
     *
     * @return as {@link #offer}
     */
    boolean offerMarker(RingHold marker) {
        int admitted = admission.admit(0);
        if (admitted == Admission.CLOSED) {
            owner.execute(() -> marker.refuse(cannotHold(BlockError.ESHUTDOWN, CLOSED)));
            return true;
        }
        if (admitted == Admission.FULL) {
            refused.incrementAndGet();
            return false;
        }
        long sequence = slots.next();
        slots.get(sequence).marker = marker;
        slots.publish(sequence);
        if (!inOwner.getAsBoolean()) {
            wake();
        }
        return true;
    }

    /**
     * Hands everything that is published to the device. May be called from a completion: then the
     * drain under way goes on with what was published.
     *
     * <p>Threading: confined to the owner.
     */
    public void drain() {
        if (isDraining) {
            isDrainWanted = true;
            return;
        }
        isDraining = true;
        try {
            taken = 0;
            do {
                isDrainWanted = false;
                poll();
            } while (isDrainWanted && taken < drainMax);
        } finally {
            isDraining = false;
        }
        barrier.advance();
        lookAtHold();
        if (isDrainWanted) {
            wakeAlways();
        }
        Throwable thrown = failure;
        if (thrown != null) {
            failure = null;
            LangUtil.rethrowUnchecked(thrown);
        }
    }

    /**
     * Drains after the caller has returned, so that no completion runs inside this call: a drain
     * under way goes on, else the owner is given a task. For a caller that has no batch of its own.
     *
     * <p>Threading: confined to the owner.
     */
    public void drainLater() {
        if (isDraining) {
            isDrainWanted = true;
        } else {
            wakeAlways();
        }
    }

    /**
     * Runs {@code task} on the owner, later, once there is room again: it tries {@link #offer} and,
     * if refused, comes back here. Tasks run in the order of these calls.
     */
    public void whenRoom(Runnable task) {
        if (inOwner.getAsBoolean()) {
            waitForRoom(task);
        } else {
            owner.execute(() -> waitForRoom(task));
        }
    }

    /**
     * Refuses new requests with {@link BlockError#ESHUTDOWN}; the stage completes, on the owner,
     * when everything accepted before has been answered. A hold ends. The device stays open.
     */
    public CompletionStage<Void> close() {
        boolean isIdle = admission.close();
        owner.execute(this::endHold);
        owner.execute(
                () -> {
                    drain();
                    scheduleWaiters();
                    if (isIdle) {
                        closed.complete(null);
                    }
                });
        return closed;
    }

    /**
     * Stops the ring behind what is published now, as {@link RingHold} says. From any thread.
     *
     * @param timers of the owner
     * @param limitNanos from the stop to the release at most; the hold then ends by itself
     * @param listener is told when the disk is quiet, or why it is not held
     * @throws BlockException EINVAL if the limit is beyond {@link RingHold#LIMIT_NANOS_MAX}
     */
    public RingHold hold(RingTimers timers, long limitNanos, HoldListener listener) {
        RingHold asked = new RingHold(this, timers, limitNanos, listener);
        asked.ask();
        return asked;
    }

    /** Counts since the ring was made. */
    public RingStatistics statistics() {
        return new RingStatistics(
                slots.getCursor() + 1,
                batches.get(),
                coalesced.get(),
                flushesGrouped.get(),
                refused.get(),
                (int) depthMax.get());
    }

    /** For the dedicated thread: what it waits on. */
    SequenceBarrier newBarrier() {
        return slots.newBarrier();
    }

    /** For the dedicated thread: the next sequence to wait for; in a hold none, but for tasks. */
    long nextSequence() {
        return isStopped() ? Long.MAX_VALUE : takenSequence() + 1;
    }

    /** For holds. */
    Executor owner() {
        return owner;
    }

    /** For a hold, on the owner: the last sequence that is published. */
    long publishedSequence() {
        return slots.getCursor();
    }

    /** For a hold, on the owner: stops behind a sequence; or the reason why not. */
    @Nullable BlockException stop(RingHold newHold, long lastSequence) {
        if (admission.isClosed()) {
            return cannotHold(BlockError.ESHUTDOWN, CLOSED);
        }
        if (hold != null) {
            return cannotHold(BlockError.EBUSY, "it is held already");
        }
        newHold.lastSequence(lastSequence);
        hold = newHold;
        return null;
    }

    private static BlockException cannotHold(BlockError error, String why) {
        return new BlockException(error, "ring can't be held: " + why);
    }

    /** For the hold, on the owner: goes on, after the caller has returned. */
    void goOn() {
        hold = null;
        wakeAlways();
    }

    /** For the hold, on the owner: whether the ring stands and all that it took is answered. */
    boolean isQuiet() {
        // Not within a batch: what it has taken is known at its end, and until then it has not
        // stopped.
        return isStopped() && inFlight() == 0;
    }

    /** For the hold, on the owner, outside of a batch: requests taken and not answered. */
    long inFlight() {
        return takenSequence() + 1 - answered;
    }

    private void wake() {
        if (isLoopDriven) {
            wakeAlways();
        }
    }

    private void wakeAlways() {
        if (!isWakeScheduled.get() && isWakeScheduled.compareAndSet(false, true)) {
            owner.execute(wakeTask);
        }
    }

    private void onWake() {
        // First the flag, then the ring: a publisher that comes after the look at the ring sees the
        // flag down and wakes again.
        isWakeScheduled.set(false);
        drain();
    }

    private void refuseClosed(IoRequest request) {
        try {
            owner.execute(() -> request.complete(BlockError.ESHUTDOWN));
        } catch (RejectedExecutionException ended) {
            // The owner's thread is gone, and with it all that this thread could disturb.
            request.complete(BlockError.ESHUTDOWN);
        }
    }

    private boolean isStopped() {
        RingHold held = hold;
        return held != null && held.stopsAt(takenSequence());
    }

    private long takenSequence() {
        return poller.getSequence().get();
    }

    private void lookAtHold() {
        RingHold held = hold;
        if (held != null) {
            held.look();
        }
    }

    private void endHold() {
        RingHold held = hold;
        if (held != null) {
            held.fail(BlockError.ESHUTDOWN, "ring was closed while it was held");
        }
    }

    private void poll() {
        if (isStopped()) {
            return;
        }
        try {
            if (poller.poll(taker) == EventPoller.PollState.PROCESSING) {
                batches.add(1);
            }
        } catch (Exception e) {
            LangUtil.rethrowUnchecked(e);
        }
    }

    private boolean take(Slot slot, long sequence, boolean isLast) {
        RingHold marker = slot.marker;
        if (marker != null) {
            slot.marker = null;
            return takeMarker(marker, sequence);
        }
        IoRequest request = Objects.requireNonNull(slot.request);
        slot.request = null;
        if (taken++ == 0) {
            depthMax.max(admission.requestsInUse());
        }
        IoOp op = request.op();
        if (op == IoOp.WRITE) {
            if (!join.accepts(request)) {
                submitJoin();
            }
            join.add(request);
        } else if (op == IoOp.FLUSH) {
            submitJoin();
            barrier.add(request);
        } else if (op.changesData()) {
            submitJoin();
            submit(request, barrier.beginWrite());
        } else {
            submit(request, NO_EPOCH);
        }
        if (isLast) {
            submitJoin();
        }
        return true;
    }

    /** Says whether the batch goes on: not where the ring stops. */
    private boolean takeMarker(RingHold marker, long sequence) {
        taken++;
        submitJoin();
        answered(0);
        wakeWaiters();
        return !marker.meet(sequence);
    }

    private void submitJoin() {
        IoRequest single = join.takeSingle();
        if (single == null) {
            join.submit();
        } else {
            submit(single, barrier.beginWrite());
        }
    }

    private void submit(IoRequest request, long epoch) {
        request.push(onEnd, epoch);
        pass(request);
    }

    /** An exception waits for the end of the batch: it is not to stop the requests behind. */
    private void pass(IoRequest request) {
        try {
            device.submit(request);
        } catch (RuntimeException | Error e) {
            if (failure == null) {
                failure = e;
            }
        }
    }

    private void end(IoRequest request, BlockError error) {
        long epoch = request.token();
        if (epoch != NO_EPOCH) {
            barrier.endWrite(epoch);
        }
        answer(request, error);
    }

    private void answer(IoRequest request, BlockError error) {
        answered(Admission.bytesOf(request));
        request.complete(error);
        if (!isDraining) {
            barrier.advance();
        }
        wakeWaiters();
        lookAtHold();
    }

    private void wakeWaiters() {
        if (!waiters.isEmpty() && admission.isRoomy()) {
            scheduleWaiters();
        }
    }

    /** One is in flight no more. */
    private void answered(long bytes) {
        if (admission.release(bytes)) {
            // Later: this request is to be answered before the ring says that all are.
            owner.execute(() -> closed.complete(null));
        }
        answered++;
        isReleasedSinceRoom = true;
    }

    private void waitForRoom(Runnable task) {
        waiters.add(task);
        // Without a release since the last time, the same offer would be refused again, and again.
        if (admission.isIdleOrClosed() || (isReleasedSinceRoom && admission.isRoomy())) {
            scheduleWaiters();
        }
    }

    private void scheduleWaiters() {
        if (!isRoomScheduled) {
            isRoomScheduled = true;
            owner.execute(roomTask);
        }
    }

    private void runWaiters() {
        isRoomScheduled = false;
        isReleasedSinceRoom = false;
        for (int left = waiters.size(); left > 0; left--) {
            waiters.remove().run();
        }
    }
}
