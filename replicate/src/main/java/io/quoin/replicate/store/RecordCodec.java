package io.quoin.replicate.store;

import io.quoin.replicate.BrickMetadata;
import io.quoin.replicate.Config;
import io.quoin.replicate.Layout;
import io.quoin.replicate.MetaRecord;
import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/**
 * The records in the frames of the log: a byte that says which, the file, and the rest. Numbers of
 * 64 bits are big-endian, counts and regions are {@link RecordBytes} of variable length.
 *
 * <p>Threading: immutable.
 *
 * @param index which brick it is
 */
record RecordCodec(int index, Layout layout) {
    private static final int PROMISE_MADE = 1;
    private static final int CONFIG_ACCEPTED = 2;
    private static final int REGION_ACTIVATED = 3;
    private static final int REGIONS_CLEANED = 4;
    private static final int CACHE_LOST = 5;
    private static final int DIRTY_MERGED = 6;
    private static final int FILE_STATE = 16;
    private static final int FILE_DELETED = 17;
    private static final int BRICK_CLOSED = 18;

    private static final UUID NO_FILE = new UUID(0, 0);

    /** Takes what is decoded. */
    interface Target {
        void changed(UUID file, MetaRecord record);

        void state(UUID file, BrickMetadata metadata);

        void deleted(UUID file);

        void closed();
    }

    byte[] change(UUID file, MetaRecord record) {
        if (record instanceof MetaRecord.PromiseMade made) {
            return begin(PROMISE_MADE, file).putLong(made.epoch()).putLong(made.gateway()).done();
        } else if (record instanceof MetaRecord.ConfigAccepted accepted) {
            return config(begin(CONFIG_ACCEPTED, file), accepted.config()).done();
        } else if (record instanceof MetaRecord.RegionActivated activated) {
            return begin(REGION_ACTIVATED, file).putCount(activated.region()).done();
        } else if (record instanceof MetaRecord.RegionsCleaned cleaned) {
            return begin(REGIONS_CLEANED, file).putBits(cleaned.regions()).done();
        } else if (record instanceof MetaRecord.CacheLost) {
            return begin(CACHE_LOST, file).done();
        } else if (record instanceof MetaRecord.DirtyMerged merged) {
            return maps(begin(DIRTY_MERGED, file), merged.dirty()).done();
        }
        throw new AssertionError("record without an encoding");
    }

    byte[] state(UUID file, BrickMetadata metadata) {
        RecordBytes bytes = begin(FILE_STATE, file);
        bytes.putLong(metadata.promised()).putLong(metadata.gateway());
        config(bytes, metadata.config()).putLong(metadata.cacheEpoch()).putBits(metadata.active());
        return maps(bytes, metadata.dirty()).done();
    }

    byte[] deleted(UUID file) {
        return begin(FILE_DELETED, file).done();
    }

    /** Everything is durable and closed; nothing follows. */
    byte[] closed() {
        return begin(BRICK_CLOSED, NO_FILE).done();
    }

    private static RecordBytes begin(int kind, UUID file) {
        return new RecordBytes()
                .putByte(kind)
                .putLong(file.getMostSignificantBits())
                .putLong(file.getLeastSignificantBits());
    }

    private static RecordBytes config(RecordBytes bytes, Config config) {
        bytes.putLong(config.epoch()).putLong(config.k()).putByte(config.isClean() ? 1 : 0);
        bytes.putCount(config.isr().size());
        config.isr().forEach((brick, epoch) -> bytes.putCount(brick).putLong(epoch));
        return bytes;
    }

    private static RecordBytes maps(RecordBytes bytes, SortedMap<Integer, BitSet> maps) {
        bytes.putCount(maps.size());
        maps.forEach((brick, regions) -> bytes.putCount(brick).putBits(regions));
        return bytes;
    }

    /** Decodes every record; EIO if one is none of this version. */
    void decode(ByteBuffer records, Target target) {
        while (records.hasRemaining()) {
            int kind = records.get();
            UUID file = new UUID(records.getLong(), records.getLong());
            switch (kind) {
                case PROMISE_MADE ->
                        target.changed(
                                file,
                                new MetaRecord.PromiseMade(records.getLong(), records.getLong()));
                case CONFIG_ACCEPTED ->
                        target.changed(file, new MetaRecord.ConfigAccepted(config(records)));
                case REGION_ACTIVATED ->
                        target.changed(
                                file, new MetaRecord.RegionActivated(RecordBytes.count(records)));
                case REGIONS_CLEANED ->
                        target.changed(
                                file, new MetaRecord.RegionsCleaned(RecordBytes.bits(records)));
                case CACHE_LOST -> target.changed(file, new MetaRecord.CacheLost());
                case DIRTY_MERGED ->
                        target.changed(file, new MetaRecord.DirtyMerged(maps(records)));
                case FILE_STATE -> target.state(file, state(records));
                case FILE_DELETED -> target.deleted(file);
                case BRICK_CLOSED -> target.closed();
                default -> throw LogLayout.damaged("unknown record, kind=" + kind);
            }
        }
    }

    private BrickMetadata state(ByteBuffer records) {
        MetaRecord.PromiseMade promise =
                new MetaRecord.PromiseMade(records.getLong(), records.getLong());
        Config config = config(records);
        long cacheEpoch = records.getLong();
        BitSet active = RecordBytes.bits(records);
        return BrickMetadata.restored(
                index, layout, promise, config, cacheEpoch, active, maps(records));
    }

    private static Config config(ByteBuffer records) {
        long epoch = records.getLong();
        long k = records.getLong();
        boolean isClean = records.get() != 0;
        SortedMap<Integer, Long> isr = new TreeMap<>();
        for (int left = RecordBytes.count(records); left > 0; left--) {
            isr.put(RecordBytes.count(records), records.getLong());
        }
        return new Config(epoch, k, isr, isClean);
    }

    private static SortedMap<Integer, BitSet> maps(ByteBuffer records) {
        SortedMap<Integer, BitSet> maps = new TreeMap<>();
        for (int left = RecordBytes.count(records); left > 0; left--) {
            maps.put(RecordBytes.count(records), RecordBytes.bits(records));
        }
        return maps;
    }
}
