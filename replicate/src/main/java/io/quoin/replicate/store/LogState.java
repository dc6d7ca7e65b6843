package io.quoin.replicate.store;

import io.quoin.replicate.BrickMetadata;
import io.quoin.replicate.Incarnation;
import io.quoin.replicate.MetaRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;

/**
 * What the log says, of all files of the brick. The state machines of the files change their own
 * part of it as they append; what a checkpoint writes is this.
 *
 * <p>Threading: confined(loop).
 */
final class LogState implements RecordCodec.Target {
    private final RecordCodec codec;
    private final long firstCacheEpoch;
    private final SortedMap<UUID, BrickMetadata> files = new TreeMap<>();
    private final SortedSet<UUID> deleted = new TreeSet<>();
    private boolean isClosed;

    /**
     * @param brick its id
     */
    LogState(RecordCodec codec, UUID brick) {
        this.codec = codec;
        this.firstCacheEpoch = Incarnation.firstCacheEpoch(brick);
    }

    @Override
    public void changed(UUID file, MetaRecord record) {
        isClosed = false;
        ofFile(file).apply(record);
    }

    @Override
    public void state(UUID file, BrickMetadata metadata) {
        isClosed = false;
        files.put(file, metadata);
    }

    @Override
    public void deleted(UUID file) {
        isClosed = false;
        files.remove(file);
        deleted.add(file);
    }

    @Override
    public void closed() {
        isClosed = true;
    }

    /** Whether the brick was closed with everything durable, and has not been started since. */
    boolean isClosed() {
        return isClosed;
    }

    SortedMap<UUID, BrickMetadata> files() {
        return files;
    }

    /** Of a file; a new one if it is not there. */
    BrickMetadata ofFile(UUID file) {
        return files.computeIfAbsent(file, id -> newFile());
    }

    /** Of a file that was not there. */
    BrickMetadata newFile() {
        return BrickMetadata.blank(codec.index(), codec.layout(), firstCacheEpoch);
    }

    /** Files that are to be removed, or are being removed, from the folder. */
    SortedSet<UUID> deleted() {
        return deleted;
    }

    void loseCache() {
        files.values().forEach(metadata -> metadata.apply(new MetaRecord.CacheLost()));
    }

    List<byte[]> checkpoint() {
        List<byte[]> records = new ArrayList<>();
        files.forEach((file, metadata) -> records.add(codec.state(file, metadata)));
        deleted.forEach(file -> records.add(codec.deleted(file)));
        return records;
    }
}
