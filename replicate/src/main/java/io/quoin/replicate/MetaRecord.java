package io.quoin.replicate;

import java.util.BitSet;
import java.util.SortedMap;

/** A record of a brick's metadata log. */
public sealed interface MetaRecord {
    /** A promise to a gateway. */
    record PromiseMade(long epoch, long gateway) implements MetaRecord {}

    /** A configuration accepted, and the change of the dirty maps that goes with it. */
    record ConfigAccepted(Config config) implements MetaRecord {}

    /** Writes to the region may follow. */
    record RegionActivated(int region) implements MetaRecord {}

    /** The regions are equal and durable on every member. */
    record RegionsCleaned(BitSet regions) implements MetaRecord {}

    /** Unflushed writes before this may be lost. */
    record CacheLost() implements MetaRecord {}

    /** Dirty maps of the in-sync members. */
    record DirtyMerged(SortedMap<Integer, BitSet> dirty) implements MetaRecord {}
}
