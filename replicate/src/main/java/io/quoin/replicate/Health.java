package io.quoin.replicate;

import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The members of an image's replica set as its gateway sees them.
 *
 * @param config the committed configuration; null before the first of this gateway
 */
public record Health(@Nullable Config config, List<Part> members) {
    /** What a member is at present. */
    public enum Role {
        /** It has no session. */
        ABSENT,
        /** It has a session and no part in reads or writes: an arbiter, or the image opens. */
        VOTER,
        /** It is new at its index, and counts for nothing yet. */
        NEW,
        /** It lacks acknowledged writes, or the space for them, and is about to be left out. */
        SUSPECT,
        /** It gets every write, and is healed. */
        SYNCING,
        /** Its heal waits for space. */
        FULL,
        /** In sync. */
        IN_SYNC
    }

    /**
     * A member.
     *
     * @param leftBytes that its heal has still to copy at most; 0 if it is not healed
     */
    public record Part(int brick, Role role, long leftBytes) {}

    /** Copies the list. */
    public Health {
        members = List.copyOf(members);
    }

    static Health of(@Nullable Config config, Collection<Member> members, Healer healer) {
        return new Health(
                config,
                members.stream()
                        .map(
                                member ->
                                        new Part(
                                                member.brick(),
                                                member.health(),
                                                healer.leftBytes(member)))
                        .toList());
    }
}
