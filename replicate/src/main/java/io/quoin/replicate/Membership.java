package io.quoin.replicate;

import java.util.BitSet;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Who is left out of the set, and how a brick that is new at its index becomes a voter.
 *
 * <p>A new brick has promised and accepted nothing, whatever the one before it at its index has: it
 * has no vote, and no part in writes. First every in-sync member records that it lacks the whole
 * image; then the voters there are accept one more configuration, after the new brick has promised:
 * so no other gateway had their promise at that time, and one that gets it later learns of all
 * that. Only then is the new brick given the configuration, and its vote; and it is healed as any
 * other. A brick whose disk is as it was at an earlier time is as good as new: it has forgotten,
 * too.
 */
class Membership {
    private final Gateway gateway;
    private @Nullable Member arrived;
    private long arrivedSession;

    /** Under which configuration the in-sync members have recorded what the new brick lacks. */
    private @Nullable Config recordedUnder;

    private SortedMap<Integer, Long> askedSessions = new TreeMap<>();
    private @Nullable Config askedUnder;
    private @Nullable Config proposed;

    Membership(Gateway gateway) {
        this.gateway = gateway;
    }

    /**
     * Whether it is the brick that this gateway knows already, with all that it has accepted; or
     * one that was given votes.
     */
    boolean isKnown(Member member, Reply.Promised promised) {
        Long known = member.knownCacheEpoch();
        return known == null
                ? gateway.isNew() || !promised.config().isNone()
                : Incarnation.isSame(known, promised.cacheEpoch())
                        && !isRolledBack(member, promised);
    }

    /** Whether the brick's disk is as it was at an earlier time. */
    boolean isRolledBack(Member member, Reply.Promised promised) {
        return member.isAheadOf(promised);
    }

    /** Looks at all members; while the gateway serves. */
    void tick() {
        retryFull();
        if (!gateway.isProposing()) {
            drop();
        }
        advance();
    }

    /** Heals that had no space begin again after a while. */
    private void retryFull() {
        long now = gateway.port().nanoTime();
        for (Member member : gateway.dataMembers()) {
            if (member.isFull() && now - member.fullSince() > gateway.timing().clean()) {
                gateway.lose(member);
            }
        }
    }

    /** Members of the in-sync set that are not in sync, or away for too long, are left out. */
    private void drop() {
        Config current = gateway.committed();
        SortedMap<Integer, Long> kept = new TreeMap<>();
        int inSync = 0;
        int suspects = 0;
        for (int brick : current.isr().keySet()) {
            Member member = gateway.member(brick);
            boolean isInSync = member.isAttached() && member.role() == Member.Role.IN_SYNC;
            inSync += isInSync ? 1 : 0;
            suspects += member.role() == Member.Role.SUSPECT ? 1 : 0;
            if (isInSync || (!member.isAttached() && !isAwayTooLong(member))) {
                kept.put(brick, current.isr().get(brick));
            }
        }
        if (suspects == current.isr().size()) {
            gateway.end(Gateway.State.CACHE_LOST);
        } else if (inSync > 0 && kept.size() < current.isr().size() && hasMajority()) {
            gateway.propose(new Config(gateway.epoch(), current.k() + 1, kept, false));
        }
    }

    private boolean isAwayTooLong(Member member) {
        return gateway.port().nanoTime() - member.awaySince() > gateway.timing().drop();
    }

    private boolean hasMajority() {
        int voters = 0;
        for (Member member : gateway.voters()) {
            voters |= member.bit();
        }
        return gateway.layout().isMajority(voters);
    }

    /** Goes on with taking a new brick in, if there is one. */
    private void advance() {
        if (!gateway.isServing() || gateway.isProposing()) {
            return;
        }
        Member member = arrived;
        if (member == null || !isWaiting(member) || member.session() != arrivedSession) {
            member = choose();
        }
        Config current = gateway.committed();
        if (member == null || current.isr().containsKey(member.brick()) || !hasMajority()) {
            return;
        }
        if (isRecorded(member, current)) {
            Config next = new Config(gateway.epoch(), current.k() + 1, current.isr(), false);
            proposed = next;
            gateway.propose(next);
        } else if (!current.equals(askedUnder) || !askedSessions.equals(sessions())) {
            record(member, current);
        }
    }

    private @Nullable Member choose() {
        recordedUnder = null;
        askedUnder = null;
        proposed = null;
        arrived = null;
        for (Member member : gateway.members()) {
            if (isWaiting(member)) {
                arrived = member;
                arrivedSession = member.session();
                return member;
            }
        }
        return null;
    }

    private static boolean isWaiting(Member member) {
        return member.isAttached() && !member.isKnown();
    }

    /** An arbiter lacks nothing. */
    boolean isRecorded(Member member, Config current) {
        return !gateway.layout().isData(member.brick()) || current.equals(recordedUnder);
    }

    private SortedMap<Integer, Long> sessions() {
        SortedMap<Integer, Long> sessions = new TreeMap<>();
        gateway.sources().forEach(source -> sessions.put(source.brick(), source.session()));
        return sessions;
    }

    /** What is written from now on they record themselves: it is not in the set. */
    private void record(Member member, Config current) {
        List<Member> sources = gateway.sources();
        if (sources.size() < current.isr().size()) {
            return;
        }
        askedUnder = current;
        askedSessions = sessions();
        BitSet all = new BitSet();
        if (gateway.sizeBytes() > 0) {
            all.set(0, gateway.geometry().region(gateway.sizeBytes() - 1) + 1);
        }
        SortedMap<Integer, BitSet> lacking = new TreeMap<>();
        lacking.put(member.brick(), all);
        int[] left = {sources.size()};
        for (Member source : sources) {
            gateway.ask(
                    source,
                    new Request.MapMerge(lacking),
                    done -> {
                        left[0]--;
                        if (left[0] == 0 && current.equals(askedUnder) && arrived == member) {
                            recordedUnder = current;
                            advance();
                        }
                    });
        }
    }

    /** A configuration is committed: if it is the one for the new brick, that gets it. */
    void committed(Config config) {
        Member member = arrived;
        boolean isFor = member != null && isWaiting(member) && config.equals(proposed);
        proposed = null;
        if (member != null && isFor && member.session() == arrivedSession) {
            gateway.ask(member, new Request.Configure(config), done -> admit(member, config));
        }
    }

    private void admit(Member member, Config config) {
        member.know();
        member.setAccepted(config);
        arrived = null;
        Config newest = gateway.proposed();
        gateway.takePart(member, newest != null ? newest : gateway.committed());
    }
}
