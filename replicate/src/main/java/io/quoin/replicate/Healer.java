package io.quoin.replicate;

import java.util.BitSet;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Brings members back into the in-sync set. A heal belongs to one session of its member, in which
 * the member gets every write besides; a new session begins a new heal, since the dirty maps are
 * cleared only by the configuration that takes the member in.
 */
class Healer {
    private enum Stage {
        /** Which regions does it lack? */
        MAPS,
        COPYING,
        /**
         * From here on acknowledgements need it. What was acknowledged before, it may still have to
         * write: only when it has is it flushed, so that what guests have flushed is durable on it.
         */
        FLUSHING,
        /** What do others lack? It must know before it may be the only one left. */
        MERGING,
        READY
    }

    static final class Heal {
        final Member member;
        final BitSet todo = new BitSet();
        Stage stage = Stage.MAPS;
        long offsetBytes;
        @Nullable Member asked;
        @Nullable Config mergedUnder;

        Heal(Member member) {
            this.member = member;
        }
    }

    /** What is copied at once, under a lock, at most. */
    static final long PIECE_BYTES = 256 << 10;

    private final Gateway gateway;
    private final SortedMap<Integer, Heal> heals = new TreeMap<>();

    Healer(Gateway gateway) {
        this.gateway = gateway;
    }

    /**
     * In the member's new session: brings it to the image's size. Only then does it get writes: a
     * cut of it must not meet one that lets it grow.
     */
    void prepare(Member member, long memberBytes) {
        long sizeBytes = gateway.sizeBytes();
        if (memberBytes == sizeBytes) {
            member.setRole(Member.Role.SYNCING);
            gateway.operations().sessionOpened(member);
            begin(member);
            return;
        }
        member.setRole(Member.Role.VOTER);
        Request.Operation resize = new Request.Resize(sizeBytes);
        gateway.geometry().addChanged(resize, memberBytes, member.active());
        gateway.ask(
                member,
                resize,
                result -> {
                    if (result instanceof Reply.Done) {
                        prepare(member, sizeBytes);
                    }
                });
    }

    private void begin(Member member) {
        heals.put(member.brick(), newHeal(member));
        advance();
    }

    Heal newHeal(Member member) {
        return new Heal(member);
    }

    void sessionLost(Member member) {
        heals.remove(member.brick());
        for (Heal heal : heals.values()) {
            if (heal.asked == member) {
                heal.asked = null;
            }
        }
    }

    /** What its heal has still to copy at most. */
    long leftBytes(Member member) {
        Heal heal = heals.get(member.brick());
        if (heal == null || heal.stage != Stage.COPYING) {
            return 0;
        }
        Geometry geometry = gateway.geometry();
        int current = geometry.region(heal.offsetBytes);
        long left = 0;
        for (int region : heal.todo.stream().toArray()) {
            long from = Math.max(heal.offsetBytes, region * geometry.regionBytes());
            long to = Math.min((region + 1) * geometry.regionBytes(), gateway.sizeBytes());
            left += region >= current ? Math.max(0, to - from) : 0;
        }
        return left;
    }

    /** Goes on with whatever can go on. */
    void advance() {
        heals.values().removeIf(heal -> heal.member.role() != Member.Role.SYNCING);
        if (!gateway.isServing()) {
            return;
        }
        for (Heal heal : List.copyOf(heals.values())) {
            if (heal.asked == null && (heal.stage == Stage.MAPS || heal.stage == Stage.MERGING)) {
                askForMaps(heal);
            } else if (heal.stage == Stage.READY && !gateway.isProposing()) {
                join(heal);
            }
        }
    }

    private void askForMaps(Heal heal) {
        List<Member> sources = gateway.sources();
        if (sources.isEmpty()) {
            return;
        }
        Config current = gateway.committed();
        Member source = sources.get(0);
        heal.asked = source;
        gateway.ask(
                source,
                new Request.MapGet(),
                result -> {
                    heal.asked = null;
                    if (result instanceof Reply.Maps maps && isCurrent(heal)) {
                        if (heal.stage == Stage.MAPS) {
                            beginCopying(heal, maps.dirty());
                        } else {
                            merge(heal, maps.dirty(), current);
                        }
                    }
                });
    }

    private boolean isCurrent(Heal heal) {
        return heals.get(heal.member.brick()) == heal;
    }

    private void beginCopying(Heal heal, SortedMap<Integer, BitSet> dirty) {
        heal.stage = Stage.COPYING;
        heal.todo.or(lacking(heal.member, dirty));
        copyNext(heal);
    }

    /** What was under way on it when it was lost, and what others have written since. */
    BitSet lacking(Member member, SortedMap<Integer, BitSet> dirty) {
        BitSet regions = (BitSet) member.promised().active().clone();
        BitSet written = dirty.get(member.brick());
        if (written != null) {
            regions.or(written);
        }
        return regions;
    }

    private void copyNext(Heal heal) {
        long regionBytes = gateway.geometry().regionBytes();
        int region = gateway.geometry().region(heal.offsetBytes);
        int next = heal.todo.nextSetBit(region);
        if (next < 0 || next * regionBytes >= gateway.sizeBytes()) {
            flush(heal);
            return;
        }
        long from = next == region ? heal.offsetBytes : next * regionBytes;
        long to = Math.min(from + PIECE_BYTES, (next + 1) * regionBytes);
        heal.offsetBytes = to;
        long began = gateway.port().nanoTime();
        gateway.operations().pace().began();
        gateway.operations()
                .copying()
                .copy(
                        from,
                        (int) (to - from),
                        heal.member,
                        (outcome, data) -> {
                            long restNanos = restAfter(began);
                            if (outcome == Outcome.DONE) {
                                rest(restNanos, () -> copyIfMeant(heal));
                            }
                        });
    }

    private long restAfter(long beganNanos) {
        long now = gateway.port().nanoTime();
        return gateway.operations().pace().ended(now, now - beganNanos);
    }

    private void rest(long nanos, Runnable then) {
        if (nanos == 0) {
            then.run();
        } else {
            gateway.port().schedule(nanos, then);
        }
    }

    /** A quiesced gateway heals no more: if it resumes, all begin anew. */
    private void copyIfMeant(Heal heal) {
        if (isCurrent(heal) && gateway.isServing()) {
            copyNext(heal);
        }
    }

    void flush(Member member, Runnable then) {
        member.setJoining();
        gateway.operations()
                .whenWritten(
                        member, () -> gateway.ask(member, new Request.Flush(), done -> then.run()));
    }

    private void flush(Heal heal) {
        heal.stage = Stage.FLUSHING;
        flush(
                heal.member,
                () -> {
                    heal.stage = Stage.MERGING;
                    advance();
                });
    }

    private void merge(Heal heal, SortedMap<Integer, BitSet> dirty, Config current) {
        dirty.remove(heal.member.brick());
        heal.asked = heal.member;
        gateway.ask(
                heal.member,
                new Request.MapMerge(dirty),
                done -> {
                    heal.asked = null;
                    heal.stage = Stage.READY;
                    heal.mergedUnder = current;
                    advance();
                });
    }

    /** Maps asked for under an older configuration may lack what a later one has added. */
    private void join(Heal heal) {
        if (gateway.committed().equals(heal.mergedUnder)) {
            gateway.join(heal.member);
        } else {
            heal.stage = Stage.MERGING;
            askForMaps(heal);
        }
    }
}
