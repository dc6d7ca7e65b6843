package io.quoin.management.daemon;

import io.quoin.block.Capabilities;
import io.quoin.block.Geometry;
import io.quoin.block.ring.DiskRing;
import io.quoin.management.volume.AttachedDisk;
import io.quoin.management.volume.DiskVolume;
import io.quoin.nbd.export.Export;
import io.quoin.nbd.export.ExportCatalogue;
import io.quoin.nbd.export.ExportInfo;
import io.quoin.snapshot.SnapshotName;
import io.quoin.xlator.loop.Loop;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;

/**
 * The disks of a volume as NBD exports, under their own names, and their snapshots as
 * DISK@SNAPSHOT, read-only. A client that names none gets the only disk, where there is only one.
 *
 * <p>Threading: thread-safe.
 */
final class NbdCatalogue implements ExportCatalogue {
    private static final String SNAPSHOT = "snapshot, read-only";

    private final DiskVolume volume;
    private final boolean listsSnapshots;

    /**
     * @param listsSnapshots whether they are listed, behind the disks; they can be opened in any
     *     case
     */
    NbdCatalogue(DiskVolume volume, boolean listsSnapshots) {
        this.volume = volume;
        this.listsSnapshots = listsSnapshots;
    }

    @Override
    public List<ExportInfo> list() {
        List<String> disks = volume.knownNames();
        List<String> snapshots = listsSnapshots ? volume.knownSnapshots() : List.of();
        return Stream.concat(
                        disks.stream().map(name -> new ExportInfo(name, "")),
                        snapshots.stream().map(name -> new ExportInfo(name, SNAPSHOT)))
                .toList();
    }

    /** Of a snapshot only the disk is looked for: to know more the image has to be opened. */
    @Override
    public boolean contains(String name) {
        if (!SnapshotName.isOne(name)) {
            return volume.knownNames().contains(name);
        }
        return SnapshotName.isLegal(name)
                && volume.knownNames().contains(SnapshotName.of(name).disk());
    }

    @Override
    public CompletionStage<Export> open(String name) {
        return volume.attach(name).thenApply(DiskExport::new);
    }

    @Override
    public Optional<String> defaultExport() {
        List<String> names = volume.knownNames();
        return names.size() == 1 ? Optional.of(names.get(0)) : Optional.empty();
    }

    /** One connection's hold on a disk. */
    private record DiskExport(AttachedDisk disk) implements Export {
        @Override
        public String name() {
            return disk.name();
        }

        @Override
        public String description() {
            return SnapshotName.isOne(disk.name()) ? SNAPSHOT : "";
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
