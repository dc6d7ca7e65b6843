package io.quoin.management.daemon;

import io.quoin.block.Capabilities;
import io.quoin.block.Geometry;
import io.quoin.block.ring.DiskRing;
import io.quoin.management.volume.AttachedDisk;
import io.quoin.management.volume.DiskVolume;
import io.quoin.nbd.export.Export;
import io.quoin.nbd.export.ExportCatalogue;
import io.quoin.nbd.export.ExportInfo;
import io.quoin.xlator.loop.Loop;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * The disks of a volume as NBD exports, under their own names. A client that names none gets the
 * only disk, where there is only one.
 *
 * <p>Threading: thread-safe.
 */
final class NbdCatalogue implements ExportCatalogue {
    private final DiskVolume volume;

    NbdCatalogue(DiskVolume volume) {
        this.volume = volume;
    }

    @Override
    public List<ExportInfo> list() {
        return volume.knownNames().stream().map(name -> new ExportInfo(name, "")).toList();
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
            return "";
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
