package io.quoin.management.daemon;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.definition.VolumeName;
import io.quoin.management.operation.DiskAddress;
import io.quoin.nbd.export.Export;
import io.quoin.nbd.export.ExportCatalogue;
import io.quoin.nbd.export.ExportInfo;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The exports of all volumes: those of the default one under their own names, those of another as
 * VOLUME/DISK. A name without a volume is one of the default volume, or of the only one.
 *
 * <p>Threading: thread-safe.
 */
final class VolumesCatalogue implements ExportCatalogue {
    private final Map<String, ServedVolumes.Served> volumes;

    /**
     * @param volumes those that are open, at each moment
     */
    VolumesCatalogue(Map<String, ServedVolumes.Served> volumes) {
        this.volumes = volumes;
    }

    @Override
    public List<ExportInfo> list() {
        return volumes.values().stream()
                .flatMap(served -> served.exports().list().stream())
                .toList();
    }

    @Override
    public boolean contains(String name) {
        return of(name).map(exports -> exports.contains(inVolume(name))).orElse(false);
    }

    @Override
    public Optional<String> dirtyBitmap(String name) {
        return of(name).flatMap(exports -> exports.dirtyBitmap(inVolume(name)));
    }

    @Override
    public CompletionStage<Export> open(String name) {
        return of(name).map(exports -> exports.open(inVolume(name)))
                .orElseGet(
                        () ->
                                CompletableFuture.failedFuture(
                                        new BlockException(
                                                BlockError.ENOENT,
                                                "no such export: name=" + name)));
    }

    @Override
    public Optional<String> defaultExport() {
        List<String> disks =
                volumes.values().stream()
                        .flatMap(served -> served.exports().disks().stream())
                        .toList();
        return disks.size() == 1 ? Optional.of(disks.get(0)) : Optional.empty();
    }

    private static String inVolume(String name) {
        return DiskAddress.of(name).name();
    }

    private Optional<NbdCatalogue> of(String name) {
        String volume = DiskAddress.of(name).volume();
        ServedVolumes.Served served = volumes.get(volume == null ? VolumeName.DEFAULT : volume);
        if (served == null && volume == null) {
            List<ServedVolumes.Served> all = List.copyOf(volumes.values());
            served = all.size() == 1 ? all.get(0) : null;
        }
        return Optional.ofNullable(served).map(ServedVolumes.Served::exports);
    }
}
