package io.quoin.qcow2.bitmap;

import io.quoin.block.BlockError;
import io.quoin.qcow2.io.ClusterRuns;
import io.quoin.qcow2.io.MetadataKind;
import io.quoin.qcow2.layout.BitmapDirectoryLayout;
import io.quoin.qcow2.layout.BitmapEntry;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.agrona.BufferUtil;

/**
 * Stores the bitmaps, so that the disk has what memory has and none is in use.
 *
 * <pre>
 *  MARK       bitmaps whose bits will be written are in use on disk: flush
 *  ALLOCATE   what they need more, counted: flush
 *  WRITE      bits and tables, over the old ones where there is a place, and the directory if it moves
 *  FLUSH
 *  SWITCH     the directory in place or moved (see {@link BitmapDirectory}), with the flags as they are without use
 *  FREE       what nothing points to any more
 * </pre>
 *
 * A crash before SWITCH leaves bitmaps that are in use, which are not taken for right; their tables
 * point to clusters that are counted.
 *
 * <p>Threading: confined(loop).
 */
final class BitmapStore extends BitmapTask {
    private enum State {
        MARK,
        PLAN,
        WRITE_DATA,
        WRITE_TABLE,
        WRITE_DIRECTORY,
        FLUSH,
        SWITCH,
        FREE,
        DONE
    }

    /** Where the bits of one bitmap go. */
    private static final class Plan {
        final StoredBitmap bitmap;
        final DirtyBits bits;
        final long[] table;
        long tableOffset;
        int next;

        Plan(StoredBitmap bitmap, DirtyBits bits, int tableEntries) {
            this.bitmap = bitmap;
            this.bits = bits;
            this.table = new long[tableEntries];
        }
    }

    private static final int ALIGNMENT = 4096;
    private static final int PIECE_BYTES = 1 << 20;

    /** Mark in a planned table: a cluster of its own will be given to it. */
    private static final long WANTED = -1;

    private final ImageBitmaps image;
    private final int clusterBits;
    private final int clusterBytes;
    private final List<Plan> plans = new ArrayList<>();
    private final ClusterRuns dropped = new ClusterRuns();
    private State state = State.MARK;
    private List<BitmapEntry> entries = List.of();
    private ByteBuffer bytes = ByteBuffer.allocate(0);
    private boolean moves;
    private long directoryOffset;
    private int at;

    BitmapStore(ImageBitmaps image) {
        this.image = image;
        this.clusterBits = image.clusterBits();
        this.clusterBytes = 1 << clusterBits;
    }

    @Override
    protected boolean work() {
        switch (state) {
            case MARK -> {
                state = State.PLAN;
                await();
                image.markInUse(this::willBeWritten, this::answer);
            }
            case PLAN -> plan();
            case WRITE_DATA -> writeData();
            case WRITE_TABLE -> writeTable();
            case WRITE_DIRECTORY -> {
                state = State.FLUSH;
                if (moves && !entries.isEmpty()) {
                    await();
                    image.directory().write(directoryOffset, entries, this::answer);
                }
            }
            case FLUSH -> {
                state = State.SWITCH;
                await();
                image.io().flush(this::answer);
            }
            case SWITCH -> {
                state = State.FREE;
                await();
                if (moves) {
                    image.directory().switchTo(directoryOffset, entries, this::answer);
                } else {
                    image.directory().update(entries, this::answer);
                }
            }
            case FREE -> free();
            case DONE -> {
                bytes = ByteBuffer.allocate(0);
                return false;
            }
        }
        return true;
    }

    private boolean willBeWritten(StoredBitmap bitmap) {
        DirtyBits bits = bitmap.bits();
        return bits != null && bits.isChanged();
    }

    private void plan() {
        int wanted = 0;
        for (StoredBitmap bitmap : image.all()) {
            DirtyBits bits = bitmap.bits();
            if (bits != null && (bits.isChanged() || !bitmap.isOnDisk())) {
                Plan plan =
                        new Plan(
                                bitmap,
                                bits,
                                (int)
                                        DirtyBits.tableEntries(
                                                bits.sizeBytes(),
                                                bitmap.granularityBits,
                                                clusterBits));
                plans.add(plan);
                wanted += plan(plan);
            }
        }
        moves = image.isMembershipChanged();
        if (moves) {
            wanted += image.directory().clusters(image.entriesWhenStored());
            image.dropDirectory(dropped);
        }
        dropped.addAll(image.removedClusters());
        state = State.WRITE_DATA;
        bytes =
                BufferUtil.allocateDirectAligned(
                        Math.max(1, PIECE_BYTES >>> clusterBits) << clusterBits, ALIGNMENT);
        allocate(wanted);
    }

    /** Finds out how many clusters are missing; the bits' old ones are taken again. */
    private int plan(Plan plan) {
        long[] old = plan.bitmap.table();
        int wanted = 0;
        for (int i = 0; i < Math.max(plan.table.length, old.length); i++) {
            long place = i < old.length ? BitmapDirectoryLayout.dataHostOffset(old[i]) : 0;
            boolean holdsBits = false;
            if (i < plan.table.length) {
                DirtyBits.Kind kind = plan.bits.kind(i, clusterBytes);
                holdsBits = kind == DirtyBits.Kind.MIXED;
                plan.table[i] =
                        switch (kind) {
                            case ZEROS -> BitmapDirectoryLayout.ALL_ZEROS;
                            case ONES -> BitmapDirectoryLayout.ALL_ONES;
                            case MIXED -> place == 0 ? WANTED : place;
                        };
                wanted += plan.table[i] == WANTED ? 1 : 0;
            }
            if (!holdsBits && place != 0) {
                dropped.add(place >>> clusterBits);
            }
        }
        int oldClusters = image.clustersOf(plan.bitmap.tableEntries());
        int newClusters = image.clustersOf(plan.table.length);
        plan.tableOffset = plan.bitmap.tableOffset();
        if (oldClusters != newClusters) {
            dropped.add(plan.bitmap.tableOffset() >>> clusterBits, oldClusters);
            plan.tableOffset = 0;
            wanted += newClusters;
        }
        return wanted;
    }

    private void allocate(int wanted) {
        if (wanted == 0) {
            place(0);
            return;
        }
        await();
        image.refcounts()
                .allocateRun(
                        wanted,
                        first -> {
                            if (first < 0) {
                                answer(BlockError.ENOSPC);
                            } else {
                                image.map().addAll(first, wanted, MetadataKind.BITMAP);
                                place(first);
                                answer(BlockError.OK);
                            }
                        });
    }

    private void place(long first) {
        long next = first;
        for (Plan plan : plans) {
            for (int i = 0; i < plan.table.length; i++) {
                if (plan.table[i] == WANTED) {
                    plan.table[i] = next++ << clusterBits;
                }
            }
            if (plan.tableOffset == 0) {
                plan.tableOffset = next << clusterBits;
                next += image.clustersOf(plan.table.length);
            }
            plan.bitmap.placed(plan.tableOffset, plan.table);
        }
        directoryOffset = next << clusterBits;
        entries = image.entriesWhenStored();
    }

    /** Writes clusters of bits that lie side by side. */
    private void writeData() {
        if (at == plans.size()) {
            at = 0;
            state = State.WRITE_TABLE;
            return;
        }
        Plan plan = plans.get(at);
        while (plan.next < plan.table.length && hostOffset(plan, plan.next) == 0) {
            plan.next++;
        }
        if (plan.next == plan.table.length) {
            at++;
            return;
        }
        long hostOffset = hostOffset(plan, plan.next);
        bytes.clear();
        while (bytes.hasRemaining()
                && plan.next < plan.table.length
                && hostOffset(plan, plan.next) == hostOffset + bytes.position()) {
            plan.bits.encode(plan.next++, clusterBytes, bytes);
        }
        await();
        image.io()
                .write(
                        MetadataKind.BITMAP,
                        hostOffset,
                        BufferUtil.address(bytes),
                        bytes.position(),
                        this::answer);
    }

    private static long hostOffset(Plan plan, int index) {
        return BitmapDirectoryLayout.dataHostOffset(plan.table[index]);
    }

    private void writeTable() {
        if (at == plans.size()) {
            state = State.WRITE_DIRECTORY;
            return;
        }
        Plan plan = plans.get(at++);
        if (plan.table.length > 0) {
            bytes =
                    BufferUtil.allocateDirectAligned(
                            image.clustersOf(plan.table.length) << clusterBits, ALIGNMENT);
            bytes.asLongBuffer().put(plan.table);
            await();
            image.io()
                    .write(
                            MetadataKind.BITMAP,
                            plan.tableOffset,
                            BufferUtil.address(bytes),
                            bytes.capacity(),
                            this::answer);
        }
    }

    private void free() {
        state = State.DONE;
        for (Plan plan : plans) {
            plan.bits.stored();
        }
        image.stored();
        if (!dropped.isEmpty()) {
            image.refcounts().unreferenced(dropped);
        }
    }
}
