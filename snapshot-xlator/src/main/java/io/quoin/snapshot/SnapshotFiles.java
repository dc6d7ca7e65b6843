package io.quoin.snapshot;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.snapshot.SnapshotIndex;
import io.quoin.qcow2.snapshot.SnapshotInfo;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Stages;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The snapshots of disks as files that are read.
 *
 * <p>Threading: thread-safe.
 */
final class SnapshotFiles {
    private final Xlator subvolume;
    private final DiskImages images;

    SnapshotFiles(Xlator subvolume, DiskImages images) {
        this.subvolume = subvolume;
        this.images = images;
    }

    private Optional<SnapshotIndex> index() {
        return subvolume.extension(SnapshotIndex.class);
    }

    /** By disk, as the images were listed last. */
    CompletionStage<Map<String, List<SnapshotInfo>>> list() {
        return index().map(SnapshotIndex::snapshots)
                .orElseGet(() -> CompletableFuture.completedFuture(Map.of()))
                .thenApply(
                        byFile -> {
                            Map<String, List<SnapshotInfo>> byDisk = new TreeMap<>();
                            byFile.forEach(
                                    (file, snapshots) ->
                                            DiskFormat.QCOW2
                                                    .diskOf(file)
                                                    .ifPresent(
                                                            disk -> byDisk.put(disk, snapshots)));
                            return byDisk;
                        });
    }

    /** EROFS for a mode that writes. */
    static void requireReadOnly(String name, OpenOptions options) {
        if (!options.isReadOnly()) {
            throw new BlockException(BlockError.EROFS, "a snapshot is read-only: name=" + name);
        }
    }

    /**
     * Opens one.
     *
     * @param release run when it is closed, and not if it cannot be opened
     */
    CompletionStage<XlatorFile> open(
            SnapshotName name, OpenOptions options, Loop loop, Runnable release) {
        return images.findToOpen(name.disk())
                .thenCompose(
                        image ->
                                named(
                                        name,
                                        image,
                                        file -> subvolume.open(file, options, loop),
                                        this::list))
                .thenApply(
                        file ->
                                new DiskFile(
                                        file,
                                        name.toString(),
                                        name.fileName(),
                                        DiskFormat.QCOW2,
                                        release));
    }

    /** Its size; the space is that of the whole image. */
    CompletionStage<FileInfo> stat(SnapshotName name) {
        return images.find(name.disk())
                .thenCompose(image -> named(name, image, subvolume::stat, this::listAnew))
                .thenApply(
                        info ->
                                new FileInfo(
                                        name.toString(), info.sizeBytes(), info.allocatedBytes()));
    }

    private CompletionStage<Map<String, List<SnapshotInfo>>> listAnew() {
        return subvolume.list().thenCompose(files -> list());
    }

    /**
     * Does something with a snapshot of an image.
     *
     * @param others for a hint where there is none of that name. Clients of the network name what
     *     they like, and that must not look into every image each time
     */
    private <T> CompletionStage<T> named(
            SnapshotName name,
            DiskImages.Image image,
            Function<String, CompletionStage<T>> call,
            Supplier<CompletionStage<Map<String, List<SnapshotInfo>>>> others) {
        if (image.format() != DiskFormat.QCOW2) {
            throw new BlockException(
                    BlockError.ENOENT,
                    "no such snapshot: name="
                            + name
                            + "; a disk has snapshots if its image is qcow2, format="
                            + image.format().text());
        }
        return requireVisible(name)
                .thenCompose(none -> call.apply(name.fileName()))
                .exceptionallyCompose(
                        failure -> {
                            BlockException cause = Stages.asBlockException(failure);
                            return cause.error() == BlockError.ENOENT
                                    ? failAbsent(name, others.get())
                                    : CompletableFuture.failedFuture(cause);
                        });
    }

    /** A file of the whole name would be read in its place. */
    private CompletionStage<Void> requireVisible(SnapshotName name) {
        return index().map(index -> index.isHidden(name.fileName()))
                .orElseGet(() -> CompletableFuture.completedFuture(false))
                .thenAccept(
                        isHidden -> {
                            if (isHidden) {
                                throw new BlockException(
                                        BlockError.EINVAL,
                                        "a file has the name of the snapshot: name="
                                                + name
                                                + ", file="
                                                + name.fileName()
                                                + "; rename or remove it in the brick's folder");
                            }
                        });
    }

    private static <T> CompletionStage<T> failAbsent(
            SnapshotName name, CompletionStage<Map<String, List<SnapshotInfo>>> others) {
        return others.thenApply(
                byDisk -> {
                    List<String> names =
                            byDisk.getOrDefault(name.disk(), List.of()).stream()
                                    .map(info -> name.disk() + '@' + info.name())
                                    .toList();
                    throw DiskImages.absent("snapshot", name.toString(), names);
                });
    }
}
