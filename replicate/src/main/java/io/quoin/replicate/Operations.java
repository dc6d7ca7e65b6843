package io.quoin.replicate;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Reads, writes, flushes and copies under way, and the locks of blocks that keep them apart: what
 * has a block has it alone, in the order of asking. An operation that cannot be finished waits for
 * the members that it needs, or for a configuration that needs fewer.
 */
class Operations {
    /** How an operation ended. */
    interface Completion {
        /**
         * The operation has ended.
         *
         * @param isDone false: the gateway does not serve (any more) and the outcome is unknown
         * @param data what was read
         */
        void complete(boolean isDone, @Nullable BlockData data);
    }

    enum Kind {
        WRITE,
        READ,
        FLUSH,
        COPY
    }

    static final class Operation {
        final Kind kind;
        final int block;
        final Completion completion;
        final SortedSet<Integer> acks = new TreeSet<>();
        final SortedSet<Integer> pending = new TreeSet<>();
        @Nullable BlockData data;
        @Nullable Member source;
        @Nullable Member target;
        boolean isAcked;

        Operation(Kind kind, int block, Completion completion) {
            this.kind = kind;
            this.block = block;
            this.completion = completion;
        }
    }

    private record Waiting(Member member, List<Operation> writes, Runnable then) {}

    private static final int NO_BLOCK = -1;

    private final Gateway gateway;
    private final List<Operation> running = new ArrayList<>();
    private final SortedMap<Integer, ArrayDeque<Operation>> locks = new TreeMap<>();
    private final List<Waiting> waiting = new ArrayList<>();
    private final SortedMap<Integer, Long> lastStart = new TreeMap<>();
    private long started;

    Operations(Gateway gateway) {
        this.gateway = gateway;
    }

    void write(int block, BlockData data, Completion completion) {
        Operation operation = new Operation(Kind.WRITE, block, completion);
        operation.data = data;
        lock(operation);
    }

    void read(int block, Completion completion) {
        lock(new Operation(Kind.READ, block, completion));
    }

    void flush(Completion completion) {
        start(new Operation(Kind.FLUSH, NO_BLOCK, completion));
    }

    /**
     * Copies a block from an in-sync member; if the target's session is lost, it is not answered or
     * not done.
     */
    void copy(int block, Member target, Completion completion) {
        Operation operation = new Operation(Kind.COPY, block, completion);
        operation.target = target;
        lock(operation);
    }

    void lock(Operation operation) {
        ArrayDeque<Operation> queue =
                locks.computeIfAbsent(operation.block, block -> new ArrayDeque<>());
        queue.add(operation);
        if (queue.size() == 1) {
            start(operation);
        }
    }

    final void start(Operation operation) {
        running.add(operation);
        started++;
        if (operation.kind == Kind.WRITE || operation.kind == Kind.COPY) {
            lastStart.put(gateway.geometry().region(operation.block), started);
        }
        if (operation.kind == Kind.WRITE || operation.kind == Kind.FLUSH) {
            for (Member member : gateway.dataMembers()) {
                send(operation, member);
            }
        }
        settle(operation);
    }

    /** To members in sync, and to those on the way there. */
    void send(Operation operation, Member member) {
        if (member.role() != Member.Role.IN_SYNC && member.role() != Member.Role.SYNCING) {
            return;
        }
        BlockData data = operation.data;
        Request.Operation request =
                data == null ? new Request.Flush() : new Request.Write(operation.block, data);
        operation.pending.add(member.brick());
        gateway.ask(
                member,
                request,
                done -> {
                    operation.pending.remove(member.brick());
                    operation.acks.add(member.brick());
                    settle(operation);
                    answered(operation, member);
                });
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
            if (operation.kind != Kind.READ) {
                forgetAck(operation, member);
            }
            if (operation.source == member && operation.data == null) {
                operation.source = null;
            }
            if (operation.target == member) {
                finish(operation, false);
            }
        }
        settle();
    }

    /** A copy that still waits for its block belongs to the session too. */
    private void forgetWaitingCopies(Member target) {
        for (ArrayDeque<Operation> queue : locks.values()) {
            queue.removeIf(operation -> operation.target == target && !running.contains(operation));
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
                    finish(operation, true);
                }
            }
            case READ -> settleRead(operation);
            case COPY -> settleCopy(operation);
        }
    }

    /** Acknowledged when the needed set has it; the block is free when every member has. */
    private void settleWrite(Operation operation) {
        if (!operation.isAcked && isAcknowledged(operation)) {
            operation.isAcked = true;
            operation.completion.complete(true, null);
        }
        if (operation.isAcked && isEverywhere(operation) && running.remove(operation)) {
            unlock(operation);
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
            for (Member source : gateway.sources()) {
                readFrom(operation, source);
                break;
            }
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
            finish(operation, true);
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

    private void readFrom(Operation operation, Member source) {
        operation.source = source;
        gateway.ask(
                source,
                new Request.Read(operation.block),
                result -> {
                    if (result instanceof Reply.Data data) {
                        operation.data = data.data();
                        confirmed(operation, source);
                    }
                });
    }

    private void settleCopy(Operation operation) {
        Member target = operation.target;
        if (operation.source != null || target == null) {
            return;
        }
        for (Member source : gateway.sources()) {
            operation.source = source;
            gateway.ask(
                    source,
                    new Request.Read(operation.block),
                    result -> {
                        if (result instanceof Reply.Data data && running.contains(operation)) {
                            operation.data = data.data();
                            Request.Operation write =
                                    new Request.Write(operation.block, data.data());
                            gateway.ask(target, write, done -> finish(operation, true));
                        }
                    });
            break;
        }
    }

    private void finish(Operation operation, boolean isDone) {
        if (running.remove(operation)) {
            unlock(operation);
            operation.completion.complete(
                    isDone, operation.kind == Kind.READ ? operation.data : null);
        }
    }

    void unlock(Operation operation) {
        ArrayDeque<Operation> queue = locks.get(operation.block);
        if (queue != null) {
            queue.remove(operation);
            if (queue.isEmpty()) {
                locks.remove(operation.block);
            } else {
                start(queue.element());
            }
        }
    }

    /** The gateway is over. */
    void failAll() {
        List<Operation> failed = new ArrayList<>();
        running.stream().filter(operation -> operation.kind == Kind.FLUSH).forEach(failed::add);
        locks.values().forEach(failed::addAll);
        running.clear();
        locks.clear();
        waiting.clear();
        for (Operation operation : failed) {
            if (!operation.isAcked) {
                operation.completion.complete(false, null);
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
        locks.values().forEach(queue -> queue.forEach(operation -> touch(regions, operation)));
        return regions;
    }

    private void touch(BitSet regions, Operation operation) {
        if (operation.kind != Kind.READ) {
            regions.set(gateway.geometry().region(operation.block));
        }
    }
}
