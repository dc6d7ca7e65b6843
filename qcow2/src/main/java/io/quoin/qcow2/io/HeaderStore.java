package io.quoin.qcow2.io;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.layout.DiskRoot;
import io.quoin.qcow2.layout.HeaderArea;
import io.quoin.qcow2.layout.HeaderBuilder;
import io.quoin.qcow2.layout.HeaderExtension;
import io.quoin.qcow2.layout.HeaderLayout;
import io.quoin.qcow2.layout.OpaqueBytes;
import io.quoin.qcow2.layout.Qcow2Header;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.agrona.BufferUtil;
import org.jspecify.annotations.Nullable;

/**
 * The header area on disk and how it is changed; changes are made one after the other, each of them
 * durable with its outcome. A crash leaves the header as it was or as it is wanted.
 *
 * <pre>
 *  a field       the first sector: flush
 *  extensions    what lies behind the first sector, in a place of its own: flush; the first sector: flush
 *                (see {@link HeaderArea})
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
public final class HeaderStore {
    private static final int SECTOR_BYTES = 512;
    private static final int ALIGNMENT = 4096;

    private final ImageIo io;
    private final ByteBuffer sector;
    private final ArrayDeque<Change> waiting = new ArrayDeque<>();
    private Qcow2Header header;
    private HeaderArea area;
    private boolean busy;

    /**
     * @param firstCluster the bytes of cluster 0 as they are on disk
     * @param blockSizeMin of the child file
     */
    public HeaderStore(ImageIo io, Qcow2Header header, ByteBuffer firstCluster, int blockSizeMin) {
        this.io = io;
        this.header = header;
        int sectorBytes = Math.max(SECTOR_BYTES, blockSizeMin);
        this.area = HeaderArea.onDisk(header, firstCluster, sectorBytes);
        this.sector = BufferUtil.allocateDirectAligned(sectorBytes, ALIGNMENT);
        sector.put(0, area.bytes(), 0, sectorBytes);
    }

    /** The header with all changes so far. */
    public Qcow2Header header() {
        return header;
    }

    public void switchL1(int l1Size, long l1TableOffset, Outcome outcome) {
        change(
                now -> now.toBuilder().l1(l1Size, l1TableOffset).build(),
                bytes ->
                        HeaderLayout.encodeL1Fields(
                                bytes.position(HeaderLayout.L1_FIELDS_OFFSET),
                                l1Size,
                                l1TableOffset),
                outcome);
    }

    public void switchRefcountTable(long tableOffset, int tableClusters, Outcome outcome) {
        change(
                now -> now.toBuilder().refcountTable(tableOffset, tableClusters).build(),
                bytes ->
                        HeaderLayout.encodeRefcountTableFields(
                                bytes.position(HeaderLayout.REFCOUNT_TABLE_FIELDS_OFFSET),
                                tableOffset,
                                tableClusters),
                outcome);
    }

    /**
     * Switches to another snapshot table.
     *
     * @param root what the disk becomes by the same write; null: it stays as it is
     */
    public void switchSnapshots(
            int snapshotCount, long snapshotsOffset, @Nullable DiskRoot root, Outcome outcome) {
        change(
                now -> {
                    HeaderBuilder edited =
                            now.toBuilder().snapshots(snapshotCount, snapshotsOffset);
                    return root == null
                            ? edited.build()
                            : edited.l1(root.l1Size(), root.l1TableOffset())
                                    .sizeBytes(root.sizeBytes())
                                    .build();
                },
                bytes -> {
                    HeaderLayout.encodeSnapshotFields(
                            bytes.position(HeaderLayout.SNAPSHOT_FIELDS_OFFSET),
                            snapshotCount,
                            snapshotsOffset);
                    if (root != null) {
                        HeaderLayout.encodeL1Fields(
                                bytes.position(HeaderLayout.L1_FIELDS_OFFSET),
                                root.l1Size(),
                                root.l1TableOffset());
                        HeaderLayout.encodeSize(
                                bytes.position(HeaderLayout.SIZE_OFFSET), root.sizeBytes());
                    }
                },
                outcome);
    }

    public void setSize(long sizeBytes, Outcome outcome) {
        change(
                now -> now.toBuilder().sizeBytes(sizeBytes).build(),
                bytes ->
                        HeaderLayout.encodeSize(
                                bytes.position(HeaderLayout.SIZE_OFFSET), sizeBytes),
                outcome);
    }

    /** Whether a bit is set that is none of {@code keepMask}. */
    public boolean hasAutoclearBeyond(long keepMask) {
        return (header.autoclearFeatures() & ~keepMask) != 0;
    }

    /** Clears the autoclear bits that are none of {@code keepMask}. */
    public void clearAutoclear(long keepMask, Outcome outcome) {
        changeAutoclear(~keepMask, 0, outcome);
    }

    /** Clears and then sets autoclear bits; none of version 2, which has no place for them. */
    public void changeAutoclear(long clear, long set, Outcome outcome) {
        changeFeatures(0, 0, clear, set, outcome);
    }

    /**
     * Has the mark of possible leaks there, durably: an extension, which QEMU keeps; where it has
     * no room, or a crash might leave half of it, an autoclear bit. Of version 2 nothing.
     */
    public void markLeaks(Outcome outcome) {
        if (header.mayHaveLeaks() || header.version() < 3) {
            outcome.done(BlockError.OK);
            return;
        }
        HeaderExtension mark = new HeaderExtension(HeaderExtension.LEAKS, OpaqueBytes.EMPTY);
        changeSafely(
                now -> now.toBuilder().extension(mark).build(),
                error -> {
                    if (error == BlockError.EINVAL) {
                        changeAutoclear(0, Qcow2Header.LEAKS_POSSIBLE, outcome);
                    } else {
                        outcome.done(error);
                    }
                });
    }

    /** Takes the mark away. Where a crash might leave half of the header it stays. */
    public void unmarkLeaks(Outcome outcome) {
        changeSafely(
                now ->
                        withFeatures(
                                now.toBuilder().withoutExtension(HeaderExtension.LEAKS).build(),
                                now.incompatibleFeatures(),
                                now.autoclearFeatures() & ~Qcow2Header.LEAKS_POSSIBLE),
                error -> outcome.done(error == BlockError.EINVAL ? BlockError.OK : error));
    }

    /** As {@link #changeExtensions}; EINVAL also if it would not be one write that counts. */
    private void changeSafely(UnaryOperator<Qcow2Header> edit, Outcome outcome) {
        waiting.add(new Change(edit, null, null, true, outcome));
        if (!busy) {
            next();
        }
    }

    /** Clears and then sets incompatible bits; none of version 2, which has no place for them. */
    public void changeIncompatible(long clear, long set, Outcome outcome) {
        changeFeatures(clear, set, 0, 0, outcome);
    }

    private void changeFeatures(
            long clearIncompatible,
            long setIncompatible,
            long clearAutoclear,
            long setAutoclear,
            Outcome outcome) {
        if (header.version() < 3) {
            outcome.done(BlockError.OK);
            return;
        }
        change(
                now ->
                        withFeatures(
                                now,
                                (now.incompatibleFeatures() & ~clearIncompatible) | setIncompatible,
                                (now.autoclearFeatures() & ~clearAutoclear) | setAutoclear),
                this::putFeatures,
                outcome);
    }

    /** {@code header} with other feature bits. */
    public static Qcow2Header withFeatures(Qcow2Header header, long incompatible, long autoclear) {
        return header.toBuilder()
                .features(incompatible, header.compatibleFeatures(), autoclear)
                .build();
    }

    /**
     * Replaces extensions, features or the backing file name; {@code edit} makes the new header of
     * the one that is in force then. Unknown extensions and header fields are kept as they are.
     * EINVAL, with nothing changed, if it does not fit into the first cluster.
     */
    public void changeExtensions(UnaryOperator<Qcow2Header> edit, Outcome outcome) {
        change(edit, null, outcome);
    }

    /**
     * Whether {@link #changeExtensions} would find room.
     *
     * @throws BlockException EINVAL, with the sizes, if not
     */
    public void requireRoom(UnaryOperator<Qcow2Header> edit) {
        area.successor(edit.apply(header));
    }

    /**
     * Nothing is written here while {@code body} has the turn; it runs what it is given to end it.
     */
    public void exclusive(Consumer<Runnable> body) {
        waiting.add(new Change(UnaryOperator.identity(), null, body, false, error -> {}));
        if (!busy) {
            next();
        }
    }

    /** Sets the corrupt bit, past the refusal of all other writes; version 2 has no such bit. */
    public void setCorrupt() {
        if (header.version() < 3) {
            return;
        }
        header =
                withFeatures(
                        header,
                        header.incompatibleFeatures() | Qcow2Header.CORRUPT,
                        header.autoclearFeatures());
        putFeatures(sector);
        io.writeLast(0, BufferUtil.address(sector), sector.capacity());
    }

    private void putFeatures(ByteBuffer bytes) {
        HeaderLayout.encodeFeatures(
                bytes.position(HeaderLayout.FEATURES_OFFSET),
                header.incompatibleFeatures(),
                header.compatibleFeatures(),
                header.autoclearFeatures());
        bytes.clear();
    }

    private void change(
            UnaryOperator<Qcow2Header> edit,
            @Nullable Consumer<ByteBuffer> patch,
            Outcome outcome) {
        waiting.add(new Change(edit, patch, null, false, outcome));
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
        Consumer<Runnable> turn = change.turn;
        if (turn != null) {
            turn.accept(() -> ended(change, BlockError.OK));
            return;
        }
        Consumer<ByteBuffer> patch = change.patch;
        if (patch == null) {
            replace(change);
            return;
        }
        header = change.edit.apply(header);
        patch.accept(sector);
        sector.clear();
        writeSector(change);
    }

    private void replace(Change change) {
        Qcow2Header wanted;
        HeaderArea newArea;
        try {
            wanted = change.edit.apply(header);
            newArea = area.successor(wanted);
        } catch (BlockException e) {
            ended(change, e.error());
            return;
        }
        if (change.onlySafely && !newArea.isSafeAfter(area)) {
            ended(change, BlockError.EINVAL);
            return;
        }
        if (newArea.isSwitchOf(area)) {
            take(wanted, newArea);
            writeSector(change);
            return;
        }
        boolean apart = newArea.isApartFrom(area);
        int from = apart ? newArea.tailStart() : 0;
        int length = newArea.bytes().limit() - from;
        ByteBuffer bytes = BufferUtil.allocateDirectAligned(length, ALIGNMENT);
        bytes.put(0, newArea.bytes(), from, length);
        io.write(
                MetadataKind.HEADER,
                from,
                BufferUtil.address(bytes),
                bytes.capacity(),
                written -> {
                    bytes.clear(); // it lives as long as the write
                    if (!written.isOk()) {
                        written(change, written);
                        return;
                    }
                    take(wanted, newArea);
                    if (apart) {
                        io.flush(flushed -> tailFlushed(change, flushed));
                    } else {
                        written(change, BlockError.OK);
                    }
                });
    }

    private void tailFlushed(Change change, BlockError flushed) {
        if (flushed.isOk()) {
            writeSector(change);
        } else {
            ended(change, flushed);
        }
    }

    private void take(Qcow2Header newHeader, HeaderArea newArea) {
        header = newHeader;
        area = newArea;
        sector.put(0, newArea.bytes(), 0, sector.capacity());
    }

    private void writeSector(Change change) {
        io.write(
                MetadataKind.HEADER,
                0,
                BufferUtil.address(sector),
                sector.capacity(),
                error -> written(change, error));
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

    private record Change(
            UnaryOperator<Qcow2Header> edit,
            @Nullable Consumer<ByteBuffer> patch,
            @Nullable Consumer<Runnable> turn,
            boolean onlySafely,
            Outcome outcome) {}
}
