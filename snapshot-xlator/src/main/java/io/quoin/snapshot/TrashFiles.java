package io.quoin.snapshot;

import io.quoin.snapshot.DiskUses.Use;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.TrashName;
import io.quoin.xlator.Xlator;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The disks in the trash as files below, by {@link TrashName}.
 *
 * <p>Threading: thread-safe.
 */
final class TrashFiles implements DiskTrash {
    private static final Comparator<TrashedDisk> ORDER =
            Comparator.comparing(TrashedDisk::disk)
                    .thenComparing(TrashedDisk::removedAt, Comparator.reverseOrder())
                    .thenComparing(TrashedDisk::id);

    private final Xlator subvolume;
    private final DiskImages images;
    private final DiskUses uses;
    private final Duration keptFor;

    TrashFiles(Xlator subvolume, DiskImages images, DiskUses uses, Duration keptFor) {
        this.subvolume = subvolume;
        this.images = images;
        this.uses = uses;
        this.keptFor = keptFor;
    }

    @Override
    public Duration keptFor() {
        return keptFor;
    }

    @Override
    public CompletionStage<TrashedDisk> trash(String disk, Instant now) {
        return SnapshotXlator.called(
                () -> {
                    DiskName.check(disk);
                    return whileNamed(disk, () -> move(disk, now));
                });
    }

    private CompletionStage<TrashedDisk> move(String disk, Instant now) {
        return images.find(disk)
                .thenCompose(
                        image -> {
                            TrashName name = TrashName.of(image.fileName(), now);
                            return subvolume
                                    .rename(image.fileName(), name.toString())
                                    .thenApply(
                                            none ->
                                                    TrashedDisk.of(
                                                                    new FileInfo(
                                                                            name.toString(),
                                                                            image.info()
                                                                                    .sizeBytes(),
                                                                            image.info()
                                                                                    .allocatedBytes()),
                                                                    keptFor)
                                                            .orElseThrow());
                        });
    }

    @Override
    public CompletionStage<List<TrashedDisk>> list() {
        return subvolume
                .list()
                .thenApply(
                        files ->
                                files.stream()
                                        .flatMap(file -> TrashedDisk.of(file, keptFor).stream())
                                        .sorted(ORDER)
                                        .toList());
    }

    @Override
    public CompletionStage<String> restore(TrashedDisk trashed, @Nullable String as) {
        return SnapshotXlator.called(
                () -> {
                    String disk = as == null ? trashed.disk() : DiskName.check(as);
                    String file = trashed.file().toString();
                    return whileNamed(
                            file, () -> whileNamed(disk, () -> moveBack(trashed, file, disk)));
                });
    }

    private CompletionStage<String> moveBack(TrashedDisk trashed, String file, String disk) {
        return images.checkAbsent(disk)
                .thenCompose(none -> subvolume.rename(file, trashed.format().fileName(disk)))
                .thenApply(none -> disk);
    }

    @Override
    public CompletionStage<Void> purge(TrashedDisk trashed) {
        String file = trashed.file().toString();
        return SnapshotXlator.called(() -> whileNamed(file, () -> subvolume.remove(file)));
    }

    private <T> CompletionStage<T> whileNamed(String name, Supplier<CompletionStage<T>> call) {
        Runnable release = uses.acquire(name, Use.NAME);
        return SnapshotXlator.called(call).whenComplete((result, failure) -> release.run());
    }
}
