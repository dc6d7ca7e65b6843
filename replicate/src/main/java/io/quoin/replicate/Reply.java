package io.quoin.replicate;

import java.util.BitSet;
import java.util.SortedMap;

/** A brick's answer to a {@link Request} of the same session and id. */
public record Reply(int brick, long session, long id, Result result) {
    /** The answer. */
    public sealed interface Result {}

    /** The session is open; what the brick had at that moment. */
    public record Promised(Config config, long cacheEpoch, BitSet active, long sizeBytes)
            implements Result {}

    /** Done. */
    public record Done() implements Result {}

    /** What was read. */
    public record Data(Payload data) implements Result {}

    /** The dirty maps: brick to the regions that it lacks. */
    public record Maps(SortedMap<Integer, BitSet> dirty) implements Result {}

    /** Refused: another gateway has been promised this epoch. */
    public record Fenced(long promised) implements Result {}

    /** Refused: the brick knows no such session (any more). */
    public record NoSession() implements Result {}

    /** Not carried out for lack of space; the range has its old or its new bytes. */
    public record NoSpace() implements Result {}

    /** The range could not be read, or is not what was bound by its checksums. */
    public record Corrupt() implements Result {}
}
