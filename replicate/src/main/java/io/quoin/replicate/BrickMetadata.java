package io.quoin.replicate;

import java.util.BitSet;
import java.util.SortedMap;
import java.util.TreeMap;

/** What a brick's metadata log says: the state after the records applied so far. */
public final class BrickMetadata {
    private final int brick;
    private final Layout layout;
    private final BitSet active = new BitSet();
    private final SortedMap<Integer, BitSet> dirty = new TreeMap<>();
    private Config config;
    private long promised;
    private long gateway;
    private long cacheEpoch = 1;

    /** The state of a file that is new on all of its bricks. */
    public BrickMetadata(int brick, Layout layout) {
        this.brick = brick;
        this.layout = layout;
        this.config = Config.initial(layout);
    }

    /** The state of a file that the brick has not, whatever others have. */
    public static BrickMetadata blank(int brick, Layout layout, long cacheEpoch) {
        BrickMetadata metadata = new BrickMetadata(brick, layout);
        metadata.config = Config.NONE;
        metadata.cacheEpoch = cacheEpoch;
        return metadata;
    }

    /**
     * A state as it was before, of a checkpoint of the log.
     *
     * @param promise the newest
     */
    public static BrickMetadata restored(
            int brick,
            Layout layout,
            MetaRecord.PromiseMade promise,
            Config config,
            long cacheEpoch,
            BitSet active,
            SortedMap<Integer, BitSet> dirty) {
        BrickMetadata metadata = new BrickMetadata(brick, layout);
        metadata.promised = promise.epoch();
        metadata.gateway = promise.gateway();
        metadata.config = config;
        metadata.cacheEpoch = cacheEpoch;
        metadata.active.or(active);
        dirty.forEach((peer, regions) -> metadata.dirty.put(peer, (BitSet) regions.clone()));
        return metadata;
    }

    /** The next record. */
    public void apply(MetaRecord record) {
        if (record instanceof MetaRecord.PromiseMade made) {
            promised = made.epoch();
            gateway = made.gateway();
        } else if (record instanceof MetaRecord.ConfigAccepted accepted) {
            configure(accepted.config());
        } else if (record instanceof MetaRecord.RegionActivated activated) {
            activate(activated.region());
        } else if (record instanceof MetaRecord.RegionsCleaned cleaned) {
            active.andNot(cleaned.regions());
        } else if (record instanceof MetaRecord.CacheLost) {
            cacheEpoch++;
        } else if (record instanceof MetaRecord.DirtyMerged merged) {
            merged.dirty().forEach((peer, regions) -> markDirty(peer, regions));
        }
    }

    /** A peer that is left out lacks what may be under way; one that is taken in lacks nothing. */
    private void configure(Config accepted) {
        config = accepted;
        for (int peer = 0; peer < layout.dataBricks(); peer++) {
            if (accepted.isr().containsKey(peer)) {
                dirty.remove(peer);
            } else {
                markDirty(peer, active);
            }
        }
    }

    private void activate(int region) {
        active.set(region);
        for (int peer = 0; peer < layout.dataBricks(); peer++) {
            if (!config.isr().containsKey(peer)) {
                markDirty(peer, active);
            }
        }
    }

    private void markDirty(int peer, BitSet regions) {
        if (peer != brick && !regions.isEmpty()) {
            dirty.computeIfAbsent(peer, key -> new BitSet()).or(regions);
        }
    }

    /** The highest epoch promised. */
    public long promised() {
        return promised;
    }

    /** To which gateway. */
    public long gateway() {
        return gateway;
    }

    /** The newest configuration accepted. */
    public Config config() {
        return config;
    }

    /** Counts the times at which unflushed writes may have been lost. */
    public long cacheEpoch() {
        return cacheEpoch;
    }

    /** A copy of the regions that may differ between members. */
    public BitSet active() {
        return (BitSet) active.clone();
    }

    /** Whether members may differ in the region. */
    public boolean isActive(int region) {
        return active.get(region);
    }

    /** A copy of the maps of regions that a peer outside of the in-sync set lacks. */
    public SortedMap<Integer, BitSet> dirty() {
        SortedMap<Integer, BitSet> copy = new TreeMap<>();
        dirty.forEach((peer, regions) -> copy.put(peer, (BitSet) regions.clone()));
        return copy;
    }
}
