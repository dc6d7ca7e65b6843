package io.quoin.qcow2.cache;

import io.quoin.block.BlockError;
import io.quoin.qcow2.layout.HeaderLayout;
import io.quoin.qcow2.layout.Qcow2Header;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.function.Consumer;
import org.agrona.BufferUtil;

/**
 * The header's first sector on disk and how its fields are switched: each change is one write of
 * that sector, followed by a flush; changes are made one after the other. A crash leaves the field
 * as it was or as it is wanted.
 *
 * <p>Threading: confined(loop).
 */
public final class HeaderStore {
    private static final int SECTOR_BYTES = 512;
    private static final int ALIGNMENT = 4096;

    private final ImageIo io;
    private final ByteBuffer sector;
    private final int version;
    private final ArrayDeque<Change> waiting = new ArrayDeque<>();
    private boolean busy;
    private long incompatible;
    private long compatible;
    private long autoclear;

    /**
     * @param firstCluster the bytes of cluster 0 as they are on disk
     * @param blockSizeMin of the child file
     */
    public HeaderStore(ImageIo io, Qcow2Header header, ByteBuffer firstCluster, int blockSizeMin) {
        this.io = io;
        this.version = header.version();
        this.incompatible = header.incompatibleFeatures();
        this.compatible = header.compatibleFeatures();
        this.autoclear = header.autoclearFeatures();
        int sectorBytes = Math.max(SECTOR_BYTES, blockSizeMin);
        this.sector = BufferUtil.allocateDirectAligned(sectorBytes, ALIGNMENT);
        ByteBuffer source = firstCluster.duplicate();
        source.limit(Math.min(source.limit(), source.position() + sectorBytes));
        sector.put(source).clear();
    }

    /** Whether a bit is set that has to be cleared before the first write. */
    public boolean hasAutoclear() {
        return autoclear != 0;
    }

    public void switchL1(int l1Size, long l1TableOffset, Outcome outcome) {
        change(
                bytes ->
                        HeaderLayout.encodeL1Fields(
                                bytes.position(HeaderLayout.L1_FIELDS_OFFSET),
                                l1Size,
                                l1TableOffset),
                outcome);
    }

    public void switchRefcountTable(long tableOffset, int tableClusters, Outcome outcome) {
        change(
                bytes ->
                        HeaderLayout.encodeRefcountTableFields(
                                bytes.position(HeaderLayout.REFCOUNT_TABLE_FIELDS_OFFSET),
                                tableOffset,
                                tableClusters),
                outcome);
    }

    public void setSize(long sizeBytes, Outcome outcome) {
        change(
                bytes ->
                        HeaderLayout.encodeSize(
                                bytes.position(HeaderLayout.SIZE_OFFSET), sizeBytes),
                outcome);
    }

    /** No bit of the autoclear features is kept by this writer. */
    public void clearAutoclear(Outcome outcome) {
        change(
                bytes -> {
                    autoclear = 0;
                    putFeatures(bytes);
                },
                outcome);
    }

    /** Sets the corrupt bit, past the refusal of all other writes; version 2 has no such bit. */
    public void setCorrupt() {
        if (version < 3) {
            return;
        }
        incompatible |= Qcow2Header.CORRUPT;
        putFeatures(sector);
        sector.clear();
        io.writeLast(0, addressOf(sector), sector.capacity());
    }

    private void putFeatures(ByteBuffer bytes) {
        HeaderLayout.encodeFeatures(
                bytes.position(HeaderLayout.FEATURES_OFFSET), incompatible, compatible, autoclear);
    }

    private void change(Consumer<ByteBuffer> patch, Outcome outcome) {
        waiting.add(new Change(patch, outcome));
        if (!busy) {
            next();
        }
    }

    private void next() {
        Change change = waiting.poll();
        if (change == null) {
            return;
        }
        busy = true;
        change.patch.accept(sector);
        sector.clear();
        io.write(0, addressOf(sector), sector.capacity(), error -> written(change, error));
    }

    private void written(Change change, BlockError error) {
        if (error.isOk()) {
            io.flush(flushed -> ended(change, flushed));
        } else {
            io.health().fence("header write failed", error);
            ended(change, error);
        }
    }

    private void ended(Change change, BlockError error) {
        busy = false;
        change.outcome.done(error);
        if (!busy) {
            next();
        }
    }

    private static long addressOf(ByteBuffer buffer) {
        return BufferUtil.address(buffer);
    }

    private record Change(Consumer<ByteBuffer> patch, Outcome outcome) {}
}
