package io.quoin.block.ring;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One instant of several disks: all rings are held; once all are quiet, an action runs for each
 * disk on its owner; when all actions have ended, all rings are released. A write that was
 * published after another, of any of the disks, had been answered is in the cut only if that other
 * is.
 *
 * <pre>
 *  HOLDING -> RUNNING  all rings are quiet at the same time
 *  RUNNING -> DONE     all actions have succeeded, and no hold had ended before
 *  HOLDING -> FAILED   a hold was refused or has ended: no action has run, and none will
 *  RUNNING -> FAILED   an action or a hold has failed: those that have begun are let end
 * </pre>
 *
 * <p>A failure lets all rings go at once. No lock is taken and no loop waits: each step is a task
 * of an owner, and the state, one word, decides between them. A hold that ends by itself fails the
 * cut before its ring goes on, which is why RUNNING and DONE mean what they say.
 *
 * <p>See {@code docs/adr/0019-hold-and-cut.md}.
 *
 * <p>Threading: thread-safe.
 */
public final class Cut {
    private enum State {
        HOLDING,
        RUNNING,
        DONE,
        FAILED
    }

    /**
     * One of the disks.
     *
     * <p>Threading: immutable.
     *
     * @param name begins the message of its failures
     * @param timers of the ring's owner
     * @param action run on the ring's owner; may end later. If the cut fails while actions run, the
     *     caller undoes what they did.
     * @param cancel run on the ring's owner if the cut fails while the action runs, which is to end
     *     soon then: its ring has gone on
     */
    public record Member(
            String name,
            DiskRing ring,
            RingTimers timers,
            Supplier<CompletionStage<Void>> action,
            Runnable cancel) {
        /** With an action that ends soon in any case. */
        public Member(
                String name,
                DiskRing ring,
                RingTimers timers,
                Supplier<CompletionStage<Void>> action) {
            this(name, ring, timers, action, () -> {});
        }
    }

    private final List<Part> parts;
    private final AtomicReference<State> state = new AtomicReference<>(State.HOLDING);
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final AtomicInteger partsNotReached;
    private final AtomicInteger partsNotEnded;
    private final CompletableFuture<Void> result = new CompletableFuture<>();

    private Cut(List<Member> members, long limitNanos) {
        this.parts = members.stream().map(member -> new Part(member, limitNanos)).toList();
        this.partsNotReached = new AtomicInteger(parts.size());
        this.partsNotEnded = new AtomicInteger(parts.size());
    }

    /**
     * Cuts the disks, all or none.
     *
     * @param members at least one, each with a ring of its own
     * @param limitNanos how long each ring is held at most, from its stop to its release, at most
     *     {@link RingHold#LIMIT_NANOS_MAX}; the first that reaches it fails the cut
     * @return completes when the rings have been told to go on and all actions that began have
     *     ended; on any of the owners, where nothing may block. It fails with the first failure: a
     *     hold's, as {@link HoldListener#failed} says, or an action's.
     */
    public static CompletionStage<Void> start(List<Member> members, long limitNanos) {
        if (members.isEmpty()) {
            throw new IllegalArgumentException("a cut of no disk");
        }
        Cut cut = new Cut(members, limitNanos);
        cut.parts.forEach(Part::ask);
        return cut.result;
    }

    /**
     * A cut whose disks stop where a marker of each is in its ring, once all are: {@link
     * #offerMarker}. Until then it has to be given up if it is not wanted any more.
     *
     * @param members as for {@link #start}
     * @param limitNanos as for {@link #start}; the first ring that stops waits so long at most for
     *     the markers of the others
     */
    public static Cut atMarkers(List<Member> members, long limitNanos) {
        if (members.isEmpty()) {
            throw new IllegalArgumentException("a cut of no disk");
        }
        return new Cut(members, limitNanos);
    }

    /**
     * Publishes the marker of a disk, once: what the caller has published to its ring before is in
     * the cut, and what it publishes later is not.
     *
     * @param index of the disk
     * @return false: there is no room in the ring now, see {@link #whenRoom}
     */
    public boolean offerMarker(int index) {
        return parts.get(index).offerMarker();
    }

    /** As {@link DiskRing#whenRoom}, of the ring of a disk. */
    public void whenRoom(int index, Runnable task) {
        parts.get(index).member.ring().whenRoom(task);
    }

    /** As {@link #start} returns it. */
    public CompletionStage<Void> result() {
        return result;
    }

    /** Fails it (ESHUTDOWN) unless it has come to its end; the rings go on. */
    public void giveUp() {
        fail(new BlockException(BlockError.ESHUTDOWN, "cut was given up"));
    }

    private void partReached() {
        if (partsNotReached.decrementAndGet() == 0
                && state.compareAndSet(State.HOLDING, State.RUNNING)) {
            parts.forEach(Part::runLater);
        }
    }

    private void fail(Throwable cause) {
        failure.compareAndSet(null, cause);
        State before = state.getAndUpdate(now -> now == State.DONE ? State.DONE : State.FAILED);
        if (before == State.HOLDING || before == State.RUNNING) {
            releaseAll();
        }
        if (before == State.RUNNING) {
            parts.forEach(Part::cancelLater);
        }
        if (before == State.HOLDING) {
            result.completeExceptionally(failure());
        }
    }

    private void partEnded() {
        if (partsNotEnded.decrementAndGet() != 0) {
            return;
        }
        if (state.compareAndSet(State.RUNNING, State.DONE)) {
            releaseAll();
            result.complete(null);
        } else {
            result.completeExceptionally(failure());
        }
    }

    private void releaseAll() {
        parts.forEach(part -> part.hold.release());
    }

    private Throwable failure() {
        Throwable cause = failure.get();
        return cause != null ? cause : new AssertionError("a cut failed without a cause");
    }

    /** A member, its hold, and its action. */
    private final class Part implements HoldListener {
        private final Member member;
        private final RingHold hold;

        private final AtomicBoolean isMarked = new AtomicBoolean();
        private volatile boolean isQuiet;

        /** Confined to the ring's owner. */
        private boolean running;

        Part(Member member, long limitNanos) {
            this.member = member;
            this.hold = new RingHold(member.ring(), member.timers(), limitNanos, this);
        }

        void ask() {
            try {
                hold.ask();
            } catch (RejectedExecutionException ended) {
                failed(ownerEnded(ended));
            }
        }

        boolean offerMarker() {
            if (!isMarked.compareAndSet(false, true)) {
                throw new IllegalStateException("a second marker: " + member.name());
            }
            try {
                boolean published = hold.offerMarker();
                isMarked.set(published);
                return published;
            } catch (RejectedExecutionException ended) {
                failed(ownerEnded(ended));
                return true;
            }
        }

        @Override
        public void reached() {
            isQuiet = true;
            partReached();
        }

        @Override
        public void failed(BlockException cause) {
            fail(blamed(cause).about(member.name()));
        }

        /** If this one stood still in vain, those that it waited for are the cause. */
        private BlockException blamed(BlockException cause) {
            List<String> others =
                    parts.stream()
                            .filter(part -> !part.isQuiet)
                            .map(part -> part.member.name())
                            .toList();
            return !isQuiet || others.isEmpty() || state.get() != State.HOLDING
                    ? cause
                    : new BlockException(
                            cause.error(),
                            cause.getMessage() + "; not at rest: " + String.join(", ", others),
                            cause);
        }

        void runLater() {
            try {
                member.ring().owner().execute(this::run);
            } catch (RejectedExecutionException ended) {
                actionEnded(ownerEnded(ended));
            }
        }

        private void run() {
            if (state.get() != State.RUNNING) {
                partEnded();
                return;
            }
            CompletionStage<Void> action;
            running = true;
            try {
                action = member.action().get();
            } catch (RuntimeException | Error e) {
                actionEnded(e);
                return;
            }
            action.whenComplete((none, thrown) -> actionEnded(thrown));
        }

        void cancelLater() {
            try {
                member.ring().owner().execute(this::cancel);
            } catch (RejectedExecutionException ended) {
                // With its owner its action has ended.
                return;
            }
        }

        private void cancel() {
            if (running) {
                member.cancel().run();
            }
        }

        private void actionEnded(@Nullable Throwable thrown) {
            running = false;
            if (thrown instanceof BlockException cause) {
                failed(cause);
            } else if (thrown != null) {
                fail(thrown);
            }
            partEnded();
        }

        private BlockException ownerEnded(RejectedExecutionException ended) {
            return new BlockException(BlockError.ESHUTDOWN, "the disk's thread has ended", ended);
        }
    }
}
