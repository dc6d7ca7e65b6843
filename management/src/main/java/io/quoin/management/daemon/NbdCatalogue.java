package io.quoin.management.daemon;

import io.quoin.block.Capabilities;
import io.quoin.block.Geometry;
import io.quoin.block.ring.DiskRing;
import io.quoin.management.volume.AttachedDisk;
import io.quoin.management.volume.DiskVolume;
import io.quoin.nbd.export.DirtyBitmap;
import io.quoin.nbd.export.Export;
import io.quoin.nbd.export.ExportInfo;
import io.quoin.snapshot.DiskDifferences;
import io.quoin.snapshot.SnapshotName;
import io.quoin.snapshot.SnapshotRange;
import io.quoin.xlator.loop.Loop;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The disks of a volume as NBD exports, under their own names, and their snapshots as
 * DISK@SNAPSHOT, read-only. DISK@OLDER..NEWER is the newer snapshot with a dirty bitmap of what may
 * differ from the older; it is opened and never listed. What is listed says in which volume it is;
 * what is asked for is named without.
 *
 * <p>Threading: thread-safe.
 */
final class NbdCatalogue {
    private static final String SNAPSHOT = "snapshot, read-only";
    private static final String RANGE = "snapshot, read-only, with what differs from an older one";
    private static final String BITMAP_PREFIX = "since-";

    private final String prefix;
    private final DiskVolume volume;
    private final boolean listsSnapshots;
    private final Map<String, String> bitmapNames;

    /**
     * @param prefix of listed names; empty for the default volume
     * @param listsSnapshots whether they are listed, behind the disks; they can be opened in any
     *     case
     * @param bitmapNames by disk as it is listed, what its dirty bitmaps are called; {@code
     *     since-OLDER} where none is given
     */
    NbdCatalogue(
            String prefix,
            DiskVolume volume,
            boolean listsSnapshots,
            Map<String, String> bitmapNames) {
        this.prefix = prefix;
        this.volume = volume;
        this.listsSnapshots = listsSnapshots;
        this.bitmapNames = bitmapNames;
    }

    List<ExportInfo> list() {
        List<String> disks = volume.knownNames();
        List<String> snapshots = listsSnapshots ? volume.knownSnapshots() : List.of();
        return Stream.concat(
                        disks.stream().map(name -> new ExportInfo(prefix + name, "")),
                        snapshots.stream()
                                .filter(name -> !SnapshotRange.isOne(name))
                                .map(name -> new ExportInfo(prefix + name, SNAPSHOT)))
                .toList();
    }

    /** Of a snapshot only the disk is looked for: to know more the image has to be opened. */
    boolean contains(String name) {
        if (SnapshotRange.isOne(name)) {
            return SnapshotRange.isLegal(name)
                    && volume.knownNames().contains(SnapshotRange.of(name).newer().disk());
        }
        if (!SnapshotName.isOne(name)) {
            return volume.knownNames().contains(name);
        }
        return SnapshotName.isLegal(name)
                && volume.knownNames().contains(SnapshotName.of(name).disk());
    }

    Optional<String> dirtyBitmap(String name) {
        if (!SnapshotRange.isLegal(name)) {
            return Optional.empty();
        }
        SnapshotName older = SnapshotRange.of(name).older();
        String plain = BITMAP_PREFIX + older.snapshot();
        return Optional.of(bitmapNames.getOrDefault(prefix + older.disk(), plain));
    }

    CompletionStage<Export> open(String name) {
        return volume.attach(name).thenApply(disk -> new DiskExport(prefix, disk));
    }

    /** The disks, as they are listed. */
    List<String> disks() {
        return volume.knownNames().stream().map(name -> prefix + name).toList();
    }

    /** One connection's hold on a disk. */
    private record DiskExport(String prefix, AttachedDisk disk) implements Export {
        @Override
        public String name() {
            return prefix + disk.name();
        }

        @Override
        public String description() {
            if (SnapshotRange.isOne(disk.name())) {
                return RANGE;
            }
            return SnapshotName.isOne(disk.name()) ? SNAPSHOT : "";
        }

        @Override
        public @Nullable DirtyBitmap dirtyBitmap() {
            DiskDifferences differences = disk.file().extension(DiskDifferences.class).orElse(null);
            return differences == null ? null : differences::report;
        }

        @Override
        public boolean readOnly() {
            return !capabilities().canWrite();
        }

        @Override
        public Geometry geometry() {
            return disk.file().geometry();
        }

        @Override
        public Capabilities capabilities() {
            return disk.file().capabilities();
        }

        @Override
        public DiskRing ring() {
            return disk.ring();
        }

        @Override
        public Loop loop() {
            return disk.loop();
        }

        @Override
        public CompletionStage<Void> close() {
            return disk.close();
        }
    }
}
