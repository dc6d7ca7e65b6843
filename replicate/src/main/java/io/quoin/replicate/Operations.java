package io.quoin.replicate;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
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
        final SortedSet<Integer> acks = new TreeSet<>();
        final SortedSet<Integer> pending = new TreeSet<>();

        /** Members without the space for it, or whose copy is corrupt. */
        final SortedSet<Integer> failed = new TreeSet<>();

        Request.@Nullable Operation request;
        @Nullable Payload data;
        @Nullable Member source;
        @Nullable Member target;
        boolean isAcked;

        Operation(Kind kind, long fromBytes, long toBytes, Completion completion) {
            this.kind = kind;
            this.fromBytes = fromBytes;
            this.toBytes = toBytes;
            this.completion = completion;
        }

        boolean overlaps(Operation other) {
            return fromBytes < other.toBytes && other.fromBytes < toBytes;
        }
    }

    private record Waiting(Member member, List<Operation> writes, Runnable then) {}

    private final Gateway gateway;
    private final List<Operation> running = new ArrayList<>();
    private final List<Operation> locked = new ArrayList<>();
    private final List<Waiting> waiting = new ArrayList<>();
    private final SortedMap<Integer, Long> lastStart = new TreeMap<>();
    private long started;

    Operations(Gateway gateway) {
        this.gateway = gateway;
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
        lock(operation);
    }

    void read(Request.Read read, Completion completion) {
        long from = read.offsetBytes();
        Operation operation = new Operation(Kind.READ, from, from + read.lengthBytes(), completion);
        operation.request = read;
        lock(operation);
    }

    void flush(Completion completion) {
        Operation operation = new Operation(Kind.FLUSH, 0, 0, completion);
        operation.request = new Request.Flush();
        start(operation);
    }

    /**
     * Copies a range from an in-sync member, as far as the image goes; if the target's session is
     * lost, it is not answered or not done.
     */
    void copy(long offsetBytes, int lengthBytes, Member target, Completion completion) {
        Operation operation =
                new Operation(Kind.COPY, offsetBytes, offsetBytes + lengthBytes, completion);
        operation.target = target;
        lock(operation);
    }

    void lock(Operation operation) {
        boolean isFree = locked.stream().noneMatch(operation::overlaps);
        locked.add(operation);
        if (isFree) {
            start(operation);
        }
    }

    void unlock(Operation operation) {
        if (!locked.remove(operation)) {
            return;
        }
        for (Operation next : List.copyOf(locked)) {
            if (locked.contains(next) && !running.contains(next) && isFirst(next)) {
                start(next);
            }
        }
    }

    /** Whether nothing that it overlaps was asked for before, or is under way. */
    private boolean isFirst(Operation operation) {
        for (Operation before : locked) {
            if (before == operation) {
                return true;
            } else if (before.overlaps(operation)) {
                return false;
            }
        }
        return false;
    }

    final void start(Operation operation) {
        running.add(operation);
        started++;
        Request.Operation request = operation.request;
        if (operation.kind == Kind.WRITE && request != null) {
            regions(operation).stream().forEach(region -> lastStart.put(region, started));
        } else if (operation.kind == Kind.COPY) {
            lastStart.put(gateway.geometry().region(operation.fromBytes), started);
        }
        if (operation.kind == Kind.WRITE || operation.kind == Kind.FLUSH) {
            for (Member member : gateway.dataMembers()) {
                send(operation, member);
            }
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
        operation.pending.add(member.brick());
        gateway.ask(
                member,
                request,
                result -> {
                    operation.pending.remove(member.brick());
                    if (result instanceof Reply.NoSpace) {
                        noSpace(operation, member);
                    } else {
                        operation.acks.add(member.brick());
                    }
                    settle(operation);
                    answered(operation, member);
                });
    }

    /** One that is healed cannot join without it; of those in sync the answers of all decide. */
    private void noSpace(Operation operation, Member member) {
        operation.failed.add(member.brick());
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
        writes.removeIf(each -> each.kind != Kind.WRITE || !each.pending.contains(member.brick()));
        if (writes.isEmpty()) {
            then.run();
        } else {
            waiting.add(new Waiting(member, writes, then));
        }
    }

    private void answered(Operation operation, Member member) {
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
            }
        }
        settle();
    }

    void sessionLost(Member member) {
        forgetWaitingCopies(member);
        waiting.removeIf(each -> each.member == member);
        for (Operation operation : List.copyOf(running)) {
            operation.pending.remove(member.brick());
            operation.failed.remove(member.brick());
            if (operation.kind != Kind.READ) {
                forgetAck(operation, member);
            }
            if (operation.source == member && operation.data == null) {
                operation.source = null;
            }
            if (operation.target == member) {
                finish(operation, Outcome.FAILED);
            }
        }
        settle();
    }

    /** A copy that still waits for its range belongs to the session too. */
    private void forgetWaitingCopies(Member target) {
        for (Operation operation : List.copyOf(locked)) {
            if (operation.target == target && !running.contains(operation)) {
                unlock(operation);
            }
        }
    }

    void forgetAck(Operation operation, Member member) {
        operation.acks.remove(member.brick());
    }

    /** Goes on with whatever can go on. */
    void settle() {
        for (Operation operation : List.copyOf(running)) {
            settle(operation);
        }
    }

    private void settle(Operation operation) {
        if (!running.contains(operation)) {
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
            case COPY -> settleCopy(operation);
        }
    }

    /** Acknowledged when the needed set has it; the range is free when every member has. */
    private void settleWrite(Operation operation) {
        SortedSet<Integer> needed = gateway.needed();
        SortedSet<Integer> answered = new TreeSet<>(operation.acks);
        answered.addAll(operation.failed);
        if (!operation.isAcked && isAcknowledged(operation)) {
            operation.isAcked = true;
            operation.completion.complete(Outcome.DONE, null);
        } else if (!operation.isAcked
                && !Collections.disjoint(operation.failed, needed)
                && answered.containsAll(needed)) {
            settleFull(operation, needed);
        }
        if (operation.isAcked && isEverywhere(operation) && running.remove(operation)) {
            unlock(operation);
        }
    }

    /**
     * Members that lack the space are left out, as long as another has done it. If none has, the
     * copies may differ, and the first alone is kept: the others are healed from it.
     */
    private void settleFull(Operation operation, SortedSet<Integer> needed) {
        boolean isDone = !Collections.disjoint(operation.acks, needed);
        int kept = needed.first();
        if (!isDone && needed.size() == 1) {
            operation.isAcked = true;
            gateway.healAnew();
            operation.completion.complete(Outcome.NO_SPACE, null);
            return;
        }
        for (int brick : operation.failed) {
            if (isDone || brick != kept) {
                gateway.member(brick).leaveOut();
            }
        }
    }

    boolean isAcknowledged(Operation operation) {
        return operation.acks.containsAll(gateway.needed());
    }

    boolean isEverywhere(Operation operation) {
        return operation.pending.isEmpty();
    }

    /**
     * The data of one in-sync member, and the word of a majority, given after the read began, that
     * no other gateway has been promised the image since.
     */
    private void settleRead(Operation operation) {
        if (operation.source == null) {
            Member source = source(operation);
            if (source != null) {
                readFrom(operation, source, () -> confirmed(operation, source));
            }
        }
        if (!running.contains(operation)) {
            return;
        }
        for (Member voter : gateway.attachedMembers()) {
            boolean isAsked =
                    operation.acks.contains(voter.brick())
                            || operation.pending.contains(voter.brick());
            if (!isAsked && voter != operation.source) {
                operation.pending.add(voter.brick());
                gateway.ask(voter, new Request.Confirm(), done -> confirmed(operation, voter));
            }
        }
        if (operation.data != null && isConfirmed(operation.acks)) {
            finish(operation, Outcome.DONE);
        }
    }

    boolean isConfirmed(SortedSet<Integer> voters) {
        return gateway.layout().isMajority(voters);
    }

    private void confirmed(Operation operation, Member voter) {
        operation.pending.remove(voter.brick());
        operation.acks.add(voter.brick());
        settle(operation);
    }

    private void readFrom(Operation operation, Member source, Runnable whenRead) {
        operation.source = source;
        int length = (int) (Math.min(operation.toBytes, limit(operation)) - operation.fromBytes);
        gateway.ask(
                source,
                new Request.Read(operation.fromBytes, length),
                result -> {
                    if (result instanceof Reply.Data data && running.contains(operation)) {
                        operation.data = data.data();
                        whenRead.run();
                    } else if (result instanceof Reply.Corrupt) {
                        operation.failed.add(source.brick());
                        operation.source = null;
                        settle(operation);
                    }
                });
    }

    /** Copies end with the image; what guests read past it are zeros. */
    private long limit(Operation operation) {
        return operation.kind == Kind.COPY ? gateway.sizeBytes() : Long.MAX_VALUE;
    }

    /** One whose copy is good; if none is left of all that may be, it fails: nothing is guessed. */
    private @Nullable Member source(Operation operation) {
        List<Member> sources = gateway.sources();
        for (Member source : sources) {
            if (!operation.failed.contains(source.brick())) {
                return source;
            }
        }
        if (!sources.isEmpty() && sources.size() == gateway.committed().isr().size()) {
            finish(operation, Outcome.FAILED);
        }
        return null;
    }

    private void settleCopy(Operation operation) {
        Member target = operation.target;
        if (operation.source != null || target == null) {
            return;
        }
        if (operation.fromBytes >= gateway.sizeBytes()) {
            finish(operation, Outcome.DONE);
            return;
        }
        Member source = source(operation);
        if (source != null) {
            readFrom(operation, source, () -> writeCopy(operation, target));
        }
    }

    private void writeCopy(Operation operation, Member target) {
        Payload data = operation.data;
        if (data != null) {
            Request.Operation write = new Request.Write(operation.fromBytes, data, false);
            gateway.ask(
                    target,
                    write,
                    result -> {
                        if (result instanceof Reply.NoSpace) {
                            gateway.becomeFull(target);
                            finish(operation, Outcome.NO_SPACE);
                        } else {
                            finish(operation, Outcome.DONE);
                        }
                    });
        }
    }

    private void finish(Operation operation, Outcome outcome) {
        if (running.remove(operation)) {
            unlock(operation);
            boolean isRead = operation.kind == Kind.READ && outcome == Outcome.DONE;
            operation.completion.complete(outcome, isRead ? operation.data : null);
        }
    }

    /** The gateway is over. */
    void failAll() {
        List<Operation> failed = new ArrayList<>();
        running.stream().filter(operation -> operation.kind == Kind.FLUSH).forEach(failed::add);
        failed.addAll(locked);
        running.clear();
        locked.clear();
        waiting.clear();
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
        lastStart.forEach(
                (region, start) -> {
                    if (start > since) {
                        regions.set(region);
                    }
                });
        locked.forEach(operation -> regions.or(regions(operation)));
        return regions;
    }
}
