package io.quoin.replicate;

import java.util.BitSet;
import java.util.function.Consumer;
import org.agrona.collections.Long2ObjectHashMap;
import org.jspecify.annotations.Nullable;

/** A voter as the gateway sees it: the session, what it owes in it, and its part in the set. */
final class Member {
    /** What the member is used for in this session. */
    enum Role {
        /** Promises and configurations alone: an arbiter, or the gateway does not serve yet. */
        VOTER,
        /** In the in-sync set, but it may have lost writes: it is to be dropped. */
        SUSPECT,
        /** Gets every write, and is healed. */
        SYNCING,
        /** In sync. */
        IN_SYNC
    }

    private record Owed(long sinceNanos, Consumer<Reply.Result> whenAnswered) {}

    private final int brick;
    private final Long2ObjectHashMap<Owed> owed = new Long2ObjectHashMap<>();
    private Role role = Role.VOTER;
    private long session;
    private long sinceNanos;
    private long awaySinceNanos;
    private long nextRequest;
    private Reply.@Nullable Promised promised;
    private BitSet active = new BitSet();
    private boolean isKnown;
    private @Nullable Long knownCacheEpoch;
    private Config accepted = Config.NONE;
    private boolean isJoining;
    private boolean isFull;
    private long fullSinceNanos;

    Member(int brick) {
        this.brick = brick;
    }

    int brick() {
        return brick;
    }

    /** The set of it alone; sets of members have a bit for each. */
    int bit() {
        return 1 << brick;
    }

    Role role() {
        return role;
    }

    void setRole(Role newRole) {
        role = newRole;
    }

    long session() {
        return session;
    }

    /** A new session, not open yet. What the old one owed is void. */
    void begin(long newSession, long nowNanos) {
        session = newSession;
        sinceNanos = nowNanos;
        owed.clear();
        promised = null;
        isKnown = false;
        role = Role.VOTER;
        isJoining = false;
        isFull = false;
    }

    /** When the last open session was lost. */
    long awaySince() {
        return awaySinceNanos;
    }

    void setAwaySince(long nanos) {
        awaySinceNanos = nanos;
    }

    void attach(Reply.Promised answer, boolean known) {
        promised = answer;
        if (known) {
            know();
        }
        active = (BitSet) answer.active().clone();
    }

    /** Its votes count: it is the brick that has given what this gateway has of its votes. */
    void know() {
        isKnown = true;
        knownCacheEpoch = promised().cacheEpoch();
        accepted = promised().config();
    }

    /** It has accepted a configuration. */
    void setAccepted(Config config) {
        accepted = config.isNewerThan(accepted) ? config : accepted;
    }

    /** Whether the brick that this is an answer of has less than this member had: it is older. */
    boolean isAheadOf(Reply.Promised answer) {
        Long known = knownCacheEpoch;
        return accepted.isNewerThan(answer.config())
                || (known != null && known > answer.cacheEpoch());
    }

    boolean isKnown() {
        return isKnown;
    }

    /** The cacheEpoch of the brick when its votes counted last; null before. */
    @Nullable Long knownCacheEpoch() {
        return knownCacheEpoch;
    }

    boolean isVoter() {
        return isAttached() && isKnown;
    }

    boolean isAttached() {
        return promised != null;
    }

    /** What the brick had when the session opened. */
    Reply.Promised promised() {
        Reply.Promised answer = promised;
        if (answer == null) {
            throw new IllegalStateException("member has no session: brick=" + brick);
        }
        return answer;
    }

    /** Regions that may be active on the brick. */
    BitSet active() {
        return active;
    }

    /** How far its copy may reach: one that is longer than the image is cut when it is taken in. */
    long endBytes(long imageBytes) {
        Reply.Promised begun = promised;
        return begun == null ? imageBytes : Math.max(imageBytes, begun.sizeBytes());
    }

    /** Whether acknowledgements need it already, though no configuration has it yet. */
    boolean isJoining() {
        return isJoining;
    }

    void setJoining() {
        isJoining = true;
    }

    /** Whether its heal has stopped in this session for lack of space. */
    boolean isFull() {
        return isFull;
    }

    long fullSince() {
        return fullSinceNanos;
    }

    void setFullSince(long nanos) {
        isFull = true;
        fullSinceNanos = nanos;
    }

    /** The id under which an answer is awaited. */
    long owe(long nowNanos, Consumer<Reply.Result> whenAnswered) {
        owed.put(++nextRequest, new Owed(nowNanos, whenAnswered));
        return nextRequest;
    }

    void answer(long id, Reply.Result result) {
        Owed answered = owed.remove(id);
        if (answered != null) {
            answered.whenAnswered().accept(result);
        }
    }

    /** When the oldest thing was asked for that has not come: an answer, or the session. */
    long waitingSince(long nowNanos) {
        if (!isAttached()) {
            return sinceNanos;
        }
        long oldestNanos = nowNanos;
        for (Owed each : owed.values()) {
            oldestNanos = Math.min(oldestNanos, each.sinceNanos());
        }
        return oldestNanos;
    }

    /** It has no space, and is not like the others any more: it is to be dropped, and healed. */
    void leaveOut() {
        if (role == Role.IN_SYNC) {
            role = Role.SUSPECT;
        }
    }

    /** What others are told that it is. */
    Health.Role health() {
        if (!isAttached()) {
            return Health.Role.ABSENT;
        }
        if (!isKnown) {
            return Health.Role.NEW;
        }
        return switch (role) {
            case VOTER -> Health.Role.VOTER;
            case SUSPECT -> Health.Role.SUSPECT;
            case SYNCING -> isFull ? Health.Role.FULL : Health.Role.SYNCING;
            case IN_SYNC -> Health.Role.IN_SYNC;
        };
    }
}
