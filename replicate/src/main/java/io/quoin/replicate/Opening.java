package io.quoin.replicate;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Iterator;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * How an image is opened: promises of a majority, the newest configuration among them, a source,
 * and the copy of every block that may differ. The source is written to as well, and flushed: what
 * it shows need not be durable on it. If a session is lost in between, all is begun again.
 */
class Opening {
    private final Gateway gateway;
    private long beganNanos;
    private int attempt;

    Opening(Gateway gateway) {
        this.gateway = gateway;
    }

    /** Begins (again) to wait for promises. */
    void begin() {
        attempt++;
        beganNanos = gateway.port().nanoTime();
    }

    /** Chooses a source, if there is one by now. */
    void advance() {
        beginImage();
        List<Member> attached = gateway.voters();
        Config newest = newest(attached);
        if (gateway.state() != Gateway.State.PROMISING || newest == null) {
            return;
        }
        List<Member> trusted = new ArrayList<>();
        List<Member> suspects = new ArrayList<>();
        for (Member member : attached) {
            Long expected = newest.isr().get(member.brick());
            if (expected != null && isSame(newest, expected, member)) {
                boolean isTrusted =
                        newest.isClean()
                                || gateway.isTrusted(expected, member.promised().cacheEpoch());
                (isTrusted ? trusted : suspects).add(member);
            }
        }
        long waited = gateway.port().nanoTime() - beganNanos;
        boolean isAll = trusted.size() == newest.isr().size();
        if (!trusted.isEmpty() && (isAll || waited > gateway.timing().gather())) {
            gateway.port().sourceChosen(newest, trusted.get(0).brick(), false);
            reconcile(trusted, newest.isClean());
        } else if (trusted.isEmpty()
                && !suspects.isEmpty()
                && waited > gateway.timing().suspect()) {
            gateway.port().sourceChosen(newest, suspects.get(0).brick(), true);
            reconcile(suspects.subList(0, 1), false);
        }
    }

    /** If it is new to every voter there is, the image begins. */
    private void beginImage() {
        for (Member member : gateway.members()) {
            if (!member.isAttached() || !member.promised().config().isNone()) {
                return;
            }
        }
        gateway.members().forEach(Member::know);
    }

    /** Whether it is the brick that the set has; the copies of a new image are all alike. */
    private static boolean isSame(Config newest, long expected, Member member) {
        return newest.epoch() == 0 || Incarnation.isSame(expected, member.promised().cacheEpoch());
    }

    @Nullable Config newest(List<Member> attached) {
        if (!isEnough(attached.stream().map(Member::brick).toList())) {
            return null;
        }
        Config newest = attached.get(0).promised().config();
        for (Member member : attached) {
            Config config = member.promised().config();
            newest = config.isNewerThan(newest) ? config : newest;
        }
        return newest.isNone() ? Config.initial(gateway.layout()) : newest;
    }

    boolean isEnough(List<Integer> voters) {
        return !voters.isEmpty() && gateway.layout().isMajority(voters);
    }

    void reconcile(List<Member> members, boolean isClean) {
        gateway.enter(Gateway.State.RECONCILING);
        BitSet regions = new BitSet();
        if (!isClean) {
            members.forEach(member -> regions.or(member.promised().active()));
        }
        long sizeBytes = members.get(0).promised().sizeBytes();
        gateway.setSize(sizeBytes);
        Iterator<Integer> each =
                regions.stream()
                        .filter(region -> region * gateway.geometry().regionBytes() < sizeBytes)
                        .iterator();
        boolean isSame = members.stream().allMatch(m -> m.promised().sizeBytes() == sizeBytes);
        int current = attempt;
        if (isSame) {
            copyNext(members, each, 0, current);
        } else {
            askAll(
                    members,
                    new Request.Resize(sizeBytes),
                    current,
                    () -> copyNext(members, each, 0, current));
        }
    }

    /**
     * Copies a region in pieces.
     *
     * @param offsetBytes where the piece begins; the end of a region's part of the image, or 0 at
     *     first: the next region
     */
    private void copyNext(
            List<Member> members, Iterator<Integer> regions, long offsetBytes, int current) {
        long regionBytes = gateway.geometry().regionBytes();
        boolean isEnd = offsetBytes % regionBytes == 0 || offsetBytes >= gateway.sizeBytes();
        if (isEnd && !regions.hasNext()) {
            askAll(members, new Request.Flush(), current, () -> configure(members));
            return;
        }
        long from = isEnd ? regions.next() * regionBytes : offsetBytes;
        long regionEnd = (from / regionBytes + 1) * regionBytes;
        long to = Math.min(Math.min(from + Healer.PIECE_BYTES, regionEnd), gateway.sizeBytes());
        copyPiece(members, 0, from, to, end -> copyNext(members, regions, end, current));
    }

    /**
     * Copies a piece from one of the members: each has what was acknowledged. Where that one is
     * corrupt, a block alone is, and from the next.
     *
     * @param then takes the end of what was copied
     */
    private void copyPiece(
            List<Member> members, int source, long from, long to, LongConsumer then) {
        int current = attempt;
        gateway.ask(
                members.get(source),
                new Request.Read(from, (int) (to - from)),
                result -> {
                    long blockEnd = Math.min(to, from + gateway.geometry().blockBytes());
                    if (current != attempt) {
                        return;
                    } else if (result instanceof Reply.Data data) {
                        Request.Operation write = new Request.Write(from, data.data(), false);
                        askAll(members, write, current, () -> then.accept(to));
                    } else if (blockEnd < to) {
                        copyPiece(members, source, from, blockEnd, then);
                    } else if (source + 1 < members.size()) {
                        copyPiece(members, source + 1, from, blockEnd, then);
                    } else {
                        beginLater(members.get(0), current);
                    }
                });
    }

    void askAll(List<Member> members, Request.Operation operation, int current, Runnable then) {
        List<Member> waiting = new ArrayList<>(members);
        for (Member member : members) {
            gateway.ask(
                    member,
                    operation,
                    result -> {
                        if (!(result instanceof Reply.Done) && !isLeftOut(members, member)) {
                            beginLater(member, current);
                            return;
                        }
                        waiting.remove(member);
                        if (waiting.isEmpty() && current == attempt) {
                            then.run();
                        }
                    });
        }
    }

    /** One that has no space for it is healed later, unless it is the source. */
    private static boolean isLeftOut(List<Member> members, Member member) {
        return members.get(0) != member && members.remove(member);
    }

    /** The source cannot be read, or has no space: all is begun again after a while. */
    private void beginLater(Member source, int current) {
        gateway.port()
                .schedule(
                        gateway.timing().clean(),
                        () -> {
                            if (current == attempt && !gateway.isOver()) {
                                gateway.lose(source);
                            }
                        });
    }

    private void configure(List<Member> members) {
        SortedMap<Integer, Long> isr = new TreeMap<>();
        members.forEach(member -> isr.put(member.brick(), member.promised().cacheEpoch()));
        gateway.enter(Gateway.State.CONFIGURING);
        gateway.propose(new Config(gateway.epoch(), 1, isr, false));
    }
}
