package io.quoin.replicate;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.agrona.collections.Long2LongHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Reads, changes, flushes and copies under way, and the locks of ranges that keep them apart: what
 * has a range has it alone, in the order of asking; a resize has the whole image. An operation that
 * cannot be finished waits for the members that it needs, or for a configuration that needs fewer.
 */
class Operations {
    enum Kind {
        WRITE,
        READ,
        FLUSH,
        COPY
    }

    static final class Operation {
        final Kind kind;
        final long fromBytes;
        final long toBytes;
        final Completion completion;

        /** Members that have answered, a bit for each. */
        int acks;

        /** Members that were asked and have not answered. */
        int pending;

        /** Members without the space for it, or whose copy is corrupt. */
        int failed;

        /** How many that it overlaps were asked for before, and are not done with their range. */
        int before;

        /** Those that wait for its range. */
        @Nullable List<Operation> after;

        boolean isRunning;

        /** When a guest asked for it. */
        long beganNanos;

        /** Of a read: the round of confirmations that it needs, or one after it. */
        long round;

        /** Of a copy: the target is in sync, and its own is looked at before. */
        boolean isCheck;

        /** Of a read: what was corrupt has been repaired, as far as it can be. */
        boolean isAgain;

        Request.@Nullable Operation request;
        @Nullable Payload data;
        @Nullable Member source;
        @Nullable Member target;
        boolean isAcked;

        /** A member may have been sent its data and has not answered: they may still be read. */
        boolean isMissed;

        /** Without space: the last step is under way. */
        boolean isEnding;

        Operation(Kind kind, long fromBytes, long toBytes, Completion completion) {
            this.kind = kind;
            this.fromBytes = fromBytes;
            this.toBytes = toBytes;
            this.completion = completion;
        }

        void wait(Operation later) {
            List<Operation> waiters = after == null ? new ArrayList<>() : after;
            waiters.add(later);
            after = waiters;
        }

        boolean overlaps(Operation other) {
            return fromBytes < other.toBytes && other.fromBytes < toBytes;
        }
    }

    private record Waiting(Member member, List<Operation> writes, Runnable then) {}

    private final Gateway gateway;
    private final Set<Operation> running = new LinkedHashSet<>();
    private final Set<Operation> locked = new LinkedHashSet<>();
    private final List<Waiting> waiting = new ArrayList<>();
    private final Long2LongHashMap lastStart = new Long2LongHashMap(0);
    private final Copying copying;
    private final Repairs repairs;
    private final Confirmations confirmations;
    private final HealPace pace = new HealPace();
    private long started;

    Operations(Gateway gateway) {
        this.gateway = gateway;
        this.copying = new Copying(gateway, this);
        this.repairs = newRepairs(gateway);
        this.confirmations = new Confirmations(gateway, this::settle);
    }

    Repairs newRepairs(Gateway of) {
        return new Repairs(of);
    }

    final HealPace pace() {
        return pace;
    }

    final Copying copying() {
        return copying;
    }

    final Repairs repairs() {
        return repairs;
    }

    /** A write, zeros, or a new size. */
    void change(Request.Operation request, Completion completion) {
        long from = 0;
        long to = Long.MAX_VALUE;
        if (request instanceof Request.Write write) {
            from = write.offsetBytes();
            to = from + write.data().lengthBytes();
        } else if (request instanceof Request.WriteZeroes zeroes) {
            from = zeroes.offsetBytes();
            to = from + zeroes.lengthBytes();
        }
        Operation operation = new Operation(Kind.WRITE, from, to, completion);
        operation.request = request;
        operation.beganNanos = gateway.port().nanoTime();
        lock(operation);
    }

    void read(Request.Read read, Completion completion) {
        long from = read.offsetBytes();
        Operation operation = new Operation(Kind.READ, from, from + read.lengthBytes(), completion);
        operation.request = read;
        operation.beganNanos = gateway.port().nanoTime();
        lock(operation);
    }

    void flush(Completion completion) {
        Operation operation = new Operation(Kind.FLUSH, 0, 0, completion);
        operation.request = new Request.Flush();
        start(operation);
    }

    void lock(Operation operation) {
        for (Operation earlier : locked) {
            if (earlier.overlaps(operation)) {
                operation.before++;
                earlier.wait(operation);
            }
        }
        locked.add(operation);
        if (operation.before == 0) {
            start(operation);
        }
    }

    void unlock(Operation operation) {
        if (!locked.remove(operation)) {
            return;
        }
        List<Operation> waiters = operation.after;
        if (waiters == null) {
            return;
        }
        for (Operation next : waiters) {
            next.before--;
        }
        for (Operation next : waiters) {
            if (next.before == 0 && !next.isRunning && locked.contains(next)) {
                start(next);
            }
        }
    }

    final void start(Operation operation) {
        running.add(operation);
        operation.isRunning = true;
        started++;
        if (operation.request instanceof Request.Resize) {
            regions(operation).stream().forEach(region -> lastStart.put(region, started));
        } else if (operation.kind == Kind.WRITE || operation.kind == Kind.COPY) {
            lastStart.put(gateway.geometry().region(operation.fromBytes), started);
        }
        if (operation.kind == Kind.WRITE || operation.kind == Kind.FLUSH) {
            for (Member member : gateway.dataMembers()) {
                send(operation, member);
            }
        }
        if (operation.kind == Kind.READ) {
            confirmations.begin(operation);
        }
        if (operation.kind == Kind.WRITE) {
            gateway.setSize(sizeAfter(operation));
        }
        settle(operation);
    }

    /** The image's size once it is done. */
    private long sizeAfter(Operation operation) {
        return operation.request instanceof Request.Resize resize
                ? resize.sizeBytes()
                : Math.max(gateway.sizeBytes(), operation.toBytes);
    }

    private BitSet regions(Operation operation) {
        BitSet regions = new BitSet();
        Request.Operation request = operation.request;
        if (operation.kind == Kind.COPY) {
            regions.set(gateway.geometry().region(operation.fromBytes));
        } else if (operation.kind == Kind.WRITE && request != null) {
            gateway.geometry().addChanged(request, gateway.sizeBytes(), regions);
        }
        return regions;
    }

    /** To members in sync, and to those on the way there. */
    void send(Operation operation, Member member) {
        Request.Operation request = operation.request;
        boolean isMeant =
                member.role() == Member.Role.IN_SYNC || member.role() == Member.Role.SYNCING;
        if (request == null || !isMeant) {
            return;
        }
        operation.pending |= member.bit();
        gateway.ask(
                member,
                request,
                result -> {
                    operation.pending &= ~member.bit();
                    if (result instanceof Reply.NoSpace) {
                        noSpace(operation, member);
                    } else {
                        operation.acks |= member.bit();
                    }
                    settle(operation);
                    answered(operation, member);
                });
    }

    /** One that is healed cannot join without it; of those in sync the answers of all decide. */
    private void noSpace(Operation operation, Member member) {
        operation.failed |= member.bit();
        if (member.role() == Member.Role.SYNCING) {
            gateway.becomeFull(member);
        }
    }

    /**
     * Runs {@code then} once the member has answered every write that it was sent so far: of these
     * some may be acknowledged already, without it. Never, if its session is lost.
     */
    void whenWritten(Member member, Runnable then) {
        List<Operation> writes = new ArrayList<>(running);
        writes.removeIf(each -> each.kind != Kind.WRITE || (each.pending & member.bit()) == 0);
        if (writes.isEmpty()) {
            then.run();
        } else {
            waiting.add(new Waiting(member, writes, then));
        }
    }

    private void answered(Operation operation, Member member) {
        if (waiting.isEmpty()) {
            return;
        }
        for (Waiting each : List.copyOf(waiting)) {
            boolean isLast =
                    each.member == member && each.writes.remove(operation) && each.writes.isEmpty();
            if (isLast) {
                waiting.remove(each);
                each.then.run();
            }
        }
    }

    /** A new session: it gets again what is not acknowledged. */
    void sessionOpened(Member member) {
        for (Operation operation : List.copyOf(running)) {
            boolean isSent = operation.kind == Kind.WRITE || operation.kind == Kind.FLUSH;
            if (isSent && !operation.isAcked) {
                send(operation, member);
            } else if (operation.target == member && operation.isRunning) {
                copying.sessionOpened(operation, member);
            }
        }
        settle();
    }

    void sessionLost(Member member) {
        forgetWaitingCopies(member);
        confirmations.sessionLost(member);
        waiting.removeIf(each -> each.member == member);
        for (Operation operation : List.copyOf(running)) {
            boolean isAsked = (operation.pending & member.bit()) != 0;
            operation.isMissed |= isAsked || operation.target == member;
            operation.pending &= ~member.bit();
            operation.isEnding &= (operation.failed & member.bit()) == 0;
            operation.failed &= ~member.bit();
            if (operation.kind != Kind.READ) {
                forgetAck(operation, member);
            }
            if (operation.source == member && operation.data == null) {
                operation.source = null;
            }
            if (operation.target == member) {
                copying.sessionLost(operation, member);
            }
        }
        settle();
    }

    /** A copy that still waits for its range belongs to the session too. */
    private void forgetWaitingCopies(Member target) {
        for (Operation operation : List.copyOf(locked)) {
            if (operation.target == target && !operation.isRunning) {
                unlock(operation);
                operation.completion.complete(Outcome.FAILED, null);
            }
        }
    }

    void forgetAck(Operation operation, Member member) {
        operation.acks &= ~member.bit();
    }

    /** Goes on with whatever can go on. */
    void settle() {
        for (Operation operation : List.copyOf(running)) {
            settle(operation);
        }
        confirmations.askVoters();
    }

    final void settle(Operation operation) {
        if (!operation.isRunning) {
            return;
        }
        switch (operation.kind) {
            case WRITE -> settleWrite(operation);
            case FLUSH -> {
                if (isAcknowledged(operation)) {
                    finish(operation, Outcome.DONE);
                }
            }
            case READ -> settleRead(operation);
            case COPY -> copying.settle(operation);
        }
    }

    /** Acknowledged when the needed set has it; the range is free when every member has. */
    private void settleWrite(Operation operation) {
        int needed = gateway.needed();
        int answered = operation.acks | operation.failed;
        if (!operation.isAcked && isAcknowledged(operation)) {
            acknowledged(operation);
        } else if (!operation.isAcked
                && (operation.failed & needed) != 0
                && (needed & ~answered) == 0) {
            settleFull(operation, needed);
        }
        if (operation.isAcked && isEverywhere(operation) && stop(operation)) {
            giveBack(operation);
            unlock(operation);
        }
    }

    void acknowledged(Operation operation) {
        operation.isAcked = true;
        pace.guestEnded(operation.beganNanos, gateway.port().nanoTime());
        operation.completion.complete(Outcome.DONE, null);
    }

    /** Every member that was sent its data has answered: they are read no more. */
    final void giveBack(Operation operation) {
        Payload read = operation.data;
        if (operation.isMissed) {
            return;
        }
        if (operation.request instanceof Request.Write write) {
            write.data().release();
        } else if (operation.kind == Kind.COPY && read != null) {
            read.release();
        }
    }

    /**
     * Members that lack the space are left out, as long as another has done it. If none has, the
     * copies may differ, and the first alone is kept: the others are healed from it.
     */
    private void settleFull(Operation operation, int needed) {
        boolean isDone = (operation.acks & needed) != 0;
        int kept = Integer.lowestOneBit(needed);
        if (!isDone && needed == kept) {
            endWithoutSpace(operation, gateway.member(Integer.numberOfTrailingZeros(kept)));
            return;
        }
        for (Member member : gateway.members()) {
            boolean isKept = !isDone && member.bit() == kept;
            if ((operation.failed & member.bit()) != 0 && !isKept) {
                member.leaveOut();
            }
        }
    }

    /**
     * A write that would have let the image grow does so, without its bytes: that takes no space.
     */
    private void endWithoutSpace(Operation operation, Member kept) {
        if (operation.isEnding) {
            return;
        }
        operation.isEnding = true;
        gateway.ask(
                kept,
                new Request.Resize(gateway.sizeBytes()),
                done -> {
                    operation.isEnding = false;
                    if (operation.isRunning && gateway.needed() == kept.bit()) {
                        operation.isAcked = true;
                        gateway.healAnew();
                        operation.completion.complete(Outcome.NO_SPACE, null);
                    }
                    // One that has the write may be needed by now: then the others are left out.
                    settle(operation);
                });
    }

    boolean isAcknowledged(Operation operation) {
        return (gateway.needed() & ~operation.acks) == 0;
    }

    boolean isEverywhere(Operation operation) {
        return operation.pending == 0;
    }

    /**
     * The data of one in-sync member, and the word of a majority, given after the read began, that
     * no other gateway has been promised the image since.
     */
    private void settleRead(Operation operation) {
        if (operation.source == null) {
            Member source = source(operation);
            if (source != null) {
                readFrom(operation, source, () -> settle(operation));
            }
        }
        boolean isReady = operation.isRunning && operation.data != null;
        if (isReady && isConfirmed(confirmedBy(operation))) {
            finish(operation, Outcome.DONE);
        }
    }

    int confirmedBy(Operation read) {
        return read.acks | confirmations.voters(read);
    }

    boolean isConfirmed(int voters) {
        return gateway.layout().isMajority(voters);
    }

    final void readFrom(Operation operation, Member source, Runnable whenRead) {
        operation.source = source;
        int length = (int) (Math.min(operation.toBytes, limit(operation)) - operation.fromBytes);
        gateway.ask(
                source,
                new Request.Read(operation.fromBytes, length),
                result -> {
                    operation.acks |= source.bit(); // its answer confirms as well
                    if (result instanceof Reply.Data data && operation.isRunning) {
                        operation.data = data.data();
                        whenRead.run();
                    } else if (result instanceof Reply.Corrupt) {
                        operation.failed |= source.bit();
                        operation.source = null;
                        copying.corrupt(operation, source);
                    }
                });
    }

    /** Copies end with the image; what guests read past it are zeros. */
    private long limit(Operation operation) {
        return operation.kind == Kind.COPY ? gateway.sizeBytes() : Long.MAX_VALUE;
    }

    /** One whose copy is good; if none is left of all that may be, it fails: nothing is guessed. */
    final @Nullable Member source(Operation operation) {
        int sources = 0;
        for (Member member : gateway.dataMembers()) {
            if (gateway.isSource(member)) {
                if ((operation.failed & member.bit()) == 0) {
                    return member;
                }
                sources++;
            }
        }
        if (sources > 0 && sources == gateway.committed().isr().size()) {
            allCorrupt(operation);
        }
        return null;
    }

    /** Of a read of several blocks each may be good on another member. */
    private void allCorrupt(Operation operation) {
        if (operation.kind != Kind.READ || operation.isAgain) {
            finish(operation, Outcome.FAILED);
        } else if (stop(operation)) {
            unlock(operation);
            repairs.repair(
                    operation.failed,
                    operation.fromBytes,
                    operation.toBytes,
                    () -> readAgain(operation));
        }
    }

    private void readAgain(Operation before) {
        if (gateway.isOver()) {
            before.completion.complete(gateway.failure(), null);
            return;
        }
        Operation operation =
                new Operation(Kind.READ, before.fromBytes, before.toBytes, before.completion);
        operation.request = before.request;
        operation.beganNanos = before.beganNanos;
        operation.isAgain = true;
        lock(operation);
    }

    private boolean stop(Operation operation) {
        operation.isRunning = false;
        confirmations.end(operation);
        return running.remove(operation);
    }

    final void finish(Operation operation, Outcome outcome) {
        if (stop(operation)) {
            unlock(operation);
            boolean isRead = operation.kind == Kind.READ && outcome == Outcome.DONE;
            if (isRead) {
                pace.guestEnded(operation.beganNanos, gateway.port().nanoTime());
            }
            if (isRead && operation.failed != 0) {
                repairs.repair(operation.failed, operation.fromBytes, operation.toBytes, () -> {});
            }
            operation.completion.complete(outcome, isRead ? operation.data : null);
        }
    }

    /** The gateway is over. */
    void failAll() {
        List<Operation> failed = new ArrayList<>();
        running.stream().filter(operation -> operation.kind == Kind.FLUSH).forEach(failed::add);
        failed.addAll(locked);
        running.forEach(operation -> operation.isRunning = false);
        running.clear();
        locked.clear();
        waiting.clear();
        confirmations.endAll();
        for (Operation operation : failed) {
            if (!operation.isAcked) {
                operation.completion.complete(gateway.failure(), null);
            }
        }
    }

    boolean isIdle() {
        return running.isEmpty();
    }

    /** Count of operations started so far. */
    long started() {
        return started;
    }

    /** Regions with a write or copy that waits, runs, or has been started after {@code since}. */
    BitSet touchedSince(long since) {
        BitSet regions = new BitSet();
        lastStart.forEachLong(
                (region, start) -> {
                    if (start > since) {
                        regions.set((int) region);
                    }
                });
        locked.forEach(operation -> regions.or(regions(operation)));
        return regions;
    }
}
