package io.quoin.replicate;

import java.util.BitSet;
import java.util.SortedMap;

/**
 * A message of a gateway to a brick. Those of one session arrive in order or not at all, and after
 * a lost one none arrives.
 *
 * @param gateway the sender
 * @param epoch the sender's ballot
 * @param session which of the sender's sessions with this brick; later ones are higher
 * @param id of the request, unique within the session
 */
public record Request(long gateway, long epoch, long session, long id, Operation operation) {
    /** What is asked for. */
    public sealed interface Operation {}

    /** Opens the session; the brick takes nothing of an older epoch or session from now on. */
    public record Promise() implements Operation {}

    /** Accept a configuration, durably. */
    public record Configure(Config config) implements Operation {}

    /**
     * Write within one region, which is made durably active before.
     *
     * @param isDurable whether it, and everything written before it, is durable when answered
     */
    public record Write(long offsetBytes, Payload data, boolean isDurable) implements Operation {}

    /**
     * Write zeros within one region.
     *
     * @param mayUnmap whether the space may be given back
     * @param isDurable as in {@link Write}
     */
    public record WriteZeroes(
            long offsetBytes, int lengthBytes, boolean mayUnmap, boolean isDurable)
            implements Operation {}

    /** Read within one region; past the end are zeros. */
    public record Read(long offsetBytes, int lengthBytes) implements Operation {}

    /** Make what was written durable. */
    public record Flush() implements Operation {}

    /** Regions whose members are equal and durable: bind their checksums. */
    public record Clean(BitSet regions) implements Operation {}

    /** Ask for the dirty maps. */
    public record MapGet() implements Operation {}

    /** Add to the dirty maps, durably. */
    public record MapMerge(SortedMap<Integer, BitSet> dirty) implements Operation {}

    /** Is the sender's session still the newest? */
    public record Confirm() implements Operation {}

    /** Cut the file or let it grow. The region of the cut is active, as with a write. */
    public record Resize(long sizeBytes) implements Operation {}
}
