package io.quoin.qcow2.bitmap;

import io.quoin.block.BlockError;
import io.quoin.block.Invariant;
import io.quoin.qcow2.io.HeaderStore;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.io.MetadataKind;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.layout.BitmapDirectoryLayout;
import io.quoin.qcow2.layout.BitmapEntry;
import io.quoin.qcow2.layout.BitmapsExtension;
import io.quoin.qcow2.layout.HeaderExtension;
import io.quoin.qcow2.layout.Qcow2Header;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.UnaryOperator;
import org.agrona.BufferUtil;
import org.jspecify.annotations.Nullable;

/**
 * The bitmap directory on disk, and the two ways to change it.
 *
 * <pre>
 *  in place   autoclear bit 0 off: flush; directory: flush; bit on: flush.
 *             A crash in between leaves an image without bitmaps.
 *  moved      the new directory in a place of its own: flush; the header extension that points to it: flush.
 *             A crash leaves the old directory or the new one.
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
final class BitmapDirectory {
    /**
     * Of the directory of an image that is open for writing: far beyond what there is in practice,
     * and what a bad image may make us allocate.
     */
    static final int SIZE_BYTES_MAX = 2 << 20;

    private static final int ALIGNMENT = 4096;

    private final ImageIo io;
    private final HeaderStore header;
    private final int clusterBits;
    private @Nullable BitmapsExtension extension;
    private List<BitmapEntry> entries = List.of();
    private int updating;

    BitmapDirectory(ImageIo io, HeaderStore header) {
        this.io = io;
        this.header = header;
        this.clusterBits = header.header().clusterBits();
        this.extension = header.header().bitmaps();
    }

    /** Where it is; null: there is none. */
    @Nullable BitmapsExtension extension() {
        return extension;
    }

    /** What is in it on disk. */
    List<BitmapEntry> entries() {
        return entries;
    }

    /** It has been read. */
    void loaded(List<BitmapEntry> entriesOnDisk) {
        entries = List.copyOf(entriesOnDisk);
    }

    /** Clusters that a directory of {@code wanted} takes. */
    int clusters(List<BitmapEntry> wanted) {
        long size = BitmapDirectoryLayout.sizeBytes(wanted);
        return (int) ((size + (1L << clusterBits) - 1) >>> clusterBits);
    }

    /** Whether it is being changed in place, so that the disk may have no bitmaps for a moment. */
    boolean isUpdating() {
        return updating > 0;
    }

    /** Writes {@code wanted}, which take as much room, over the directory. */
    void update(List<BitmapEntry> wanted, Outcome outcome) {
        BitmapsExtension now = extension;
        Invariant.check(
                now != null
                        && now.count() == wanted.size()
                        && now.directorySizeBytes() == BitmapDirectoryLayout.sizeBytes(wanted),
                "bitmap directory does not fit into its place");
        long hostOffset = now == null ? 0 : now.directoryOffset();
        updating++;
        Outcome ended =
                error -> {
                    updating--;
                    outcome.done(error);
                };
        Outcome taken = ended.ifOk(() -> taken(wanted, ended));
        header.changeAutoclear(
                Qcow2Header.BITMAPS_CONSISTENT,
                0,
                taken.ifOk(() -> write(hostOffset, wanted, taken.ifOk(() -> flushAndSet(taken)))));
    }

    private void taken(List<BitmapEntry> wanted, Outcome outcome) {
        entries = List.copyOf(wanted);
        outcome.done(BlockError.OK);
    }

    private void flushAndSet(Outcome outcome) {
        io.flush(
                outcome.ifOk(
                        () -> header.changeAutoclear(0, Qcow2Header.BITMAPS_CONSISTENT, outcome)));
    }

    /** Writes a directory to {@code hostOffset}, whole clusters of it. */
    void write(long hostOffset, List<BitmapEntry> wanted, Outcome outcome) {
        ByteBuffer bytes =
                BufferUtil.allocateDirectAligned(clusters(wanted) << clusterBits, ALIGNMENT);
        bytes.put(BitmapDirectoryLayout.encode(wanted)).clear();
        io.write(
                MetadataKind.BITMAP,
                hostOffset,
                BufferUtil.address(bytes),
                bytes.capacity(),
                error -> {
                    // The memory has to live until here.
                    bytes.clear();
                    outcome.done(error);
                });
    }

    /**
     * Has the header point to the directory at {@code hostOffset}, or to none if there are no
     * entries.
     */
    void switchTo(long hostOffset, List<BitmapEntry> wanted, Outcome outcome) {
        BitmapsExtension next =
                wanted.isEmpty()
                        ? null
                        : new BitmapsExtension(
                                wanted.size(), BitmapDirectoryLayout.sizeBytes(wanted), hostOffset);
        header.changeExtensions(
                pointTo(next),
                outcome.ifOk(
                        () -> {
                            extension = next;
                            taken(wanted, outcome);
                        }));
    }

    /**
     * Whether the header has room for the pointer to a directory.
     *
     * @throws io.quoin.block.BlockException EINVAL, with the sizes, if not
     */
    void requireRoom() {
        header.requireRoom(pointTo(new BitmapsExtension(1, 1, 1L << clusterBits)));
    }

    private static UnaryOperator<Qcow2Header> pointTo(@Nullable BitmapsExtension next) {
        return now -> {
            long others = now.autoclearFeatures() & ~Qcow2Header.BITMAPS_CONSISTENT;
            return next == null
                    ? HeaderStore.withFeatures(now, now.incompatibleFeatures(), others).toBuilder()
                            .withoutExtension(HeaderExtension.BITMAPS)
                            .build()
                    : HeaderStore.withFeatures(
                                    now,
                                    now.incompatibleFeatures(),
                                    others | Qcow2Header.BITMAPS_CONSISTENT)
                            .toBuilder()
                            .extension(next.toExtension())
                            .build();
        };
    }
}
