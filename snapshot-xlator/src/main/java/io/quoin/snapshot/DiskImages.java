package io.quoin.snapshot;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.Stages;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.graph.NearestName;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The images below by the disks that they are.
 *
 * <p>Threading: thread-safe.
 */
final class DiskImages {
    private final Xlator subvolume;

    /** The disks as they were listed last, for hints. */
    private volatile @Nullable List<FileInfo> listed;

    DiskImages(Xlator subvolume) {
        this.subvolume = subvolume;
    }

    /** An image below and the disk that it is. */
    record Image(String disk, DiskFormat format, FileInfo info) {
        String fileName() {
            return format.fileName(disk);
        }

        FileInfo asDisk() {
            return new FileInfo(disk, info.sizeBytes(), info.allocatedBytes());
        }
    }

    /** The disks, sorted by name. */
    CompletionStage<List<FileInfo>> list() {
        return subvolume
                .list()
                .thenApply(
                        files -> {
                            Map<String, FileInfo> disks = new TreeMap<>();
                            for (DiskFormat format : DiskFormat.values()) {
                                for (FileInfo file : files) {
                                    format.diskOf(file.fileName())
                                            .map(disk -> new Image(disk, format, file).asDisk())
                                            .ifPresent(
                                                    disk ->
                                                            disks.putIfAbsent(
                                                                    disk.fileName(), disk));
                                }
                            }
                            List<FileInfo> sorted =
                                    disks.values().stream()
                                            .sorted(Comparator.comparing(FileInfo::fileName))
                                            .toList();
                            listed = sorted;
                            return sorted;
                        });
    }

    /** The image of a disk; fails with ENOENT and the nearest name if there is none. */
    CompletionStage<Image> find(String disk) {
        return find(disk, this::list);
    }

    /** As {@link #find}, also of an image that cannot be read: to take it away. */
    CompletionStage<Image> findToRemove(String disk) {
        return find(disk)
                .handle(
                        (image, failure) ->
                                failure == null
                                        ? CompletableFuture.completedFuture(image)
                                        : findUnread(disk, failure))
                .thenCompose(Function.identity());
    }

    /** By the list, which has every file; where it has none, or two, {@code failure} stays. */
    private CompletionStage<Image> findUnread(String disk, Throwable failure) {
        return subvolume
                .list()
                .thenCompose(
                        files -> {
                            List<Image> found = new ArrayList<>();
                            for (DiskFormat format : DiskFormat.values()) {
                                files.stream()
                                        .filter(
                                                file ->
                                                        file.fileName()
                                                                .equals(format.fileName(disk)))
                                        .map(file -> new Image(disk, format, file))
                                        .forEach(found::add);
                            }
                            return found.size() == 1
                                    ? CompletableFuture.completedFuture(found.get(0))
                                    : CompletableFuture.failedFuture(failure);
                        });
    }

    /**
     * As {@link #find}, with a hint out of what was listed before: clients of the network open what
     * they like, and that must not look into every image each time.
     */
    CompletionStage<Image> findToOpen(String disk) {
        return find(disk, this::listedBefore);
    }

    private CompletionStage<List<FileInfo>> listedBefore() {
        List<FileInfo> known = listed;
        return known == null ? list() : CompletableFuture.completedFuture(known);
    }

    private CompletionStage<Image> find(
            String disk, Supplier<CompletionStage<List<FileInfo>>> others) {
        CompletionStage<Optional<FileInfo>> qcow2 = statImage(disk, DiskFormat.QCOW2);
        CompletionStage<Optional<FileInfo>> raw = statImage(disk, DiskFormat.RAW);
        return qcow2.thenCombine(
                        raw,
                        (asQcow2, asRaw) -> {
                            if (asQcow2.isPresent() && asRaw.isPresent()) {
                                throw ambiguous(disk);
                            }
                            return asQcow2.map(info -> new Image(disk, DiskFormat.QCOW2, info))
                                    .or(() -> asRaw.map(i -> new Image(disk, DiskFormat.RAW, i)));
                        })
                .thenCompose(
                        image ->
                                image.isPresent()
                                        ? CompletableFuture.completedFuture(image.get())
                                        : failAbsent(disk, others));
    }

    private CompletionStage<Optional<FileInfo>> statImage(String disk, DiskFormat format) {
        return subvolume
                .stat(format.fileName(disk))
                .handle(
                        (info, failure) -> {
                            if (failure == null) {
                                return Optional.of(info);
                            }
                            BlockException cause = Stages.asBlockException(failure);
                            if (cause.error() == BlockError.ENOENT) {
                                return Optional.empty();
                            }
                            throw new CompletionException(cause);
                        });
    }

    /** Fails with EEXIST if there is a disk of that name. */
    CompletionStage<Void> checkAbsent(String disk) {
        return statImage(disk, DiskFormat.QCOW2)
                .thenCombine(
                        statImage(disk, DiskFormat.RAW),
                        (asQcow2, asRaw) -> {
                            if (asQcow2.isPresent() || asRaw.isPresent()) {
                                throw exists(disk);
                            }
                            return null;
                        });
    }

    private static CompletionStage<Image> failAbsent(
            String disk, Supplier<CompletionStage<List<FileInfo>>> others) {
        return others.get()
                .thenApply(
                        disks -> {
                            List<String> names = disks.stream().map(FileInfo::fileName).toList();
                            throw absent("disk", disk, names);
                        });
    }

    /** ENOENT, with the nearest of {@code names}. */
    static BlockException absent(String what, String name, List<String> names) {
        String hint =
                NearestName.find(name, names)
                        .map(near -> "; did you mean " + near + "?")
                        .orElse("");
        return new BlockException(BlockError.ENOENT, "no such " + what + ": name=" + name + hint);
    }

    private static BlockException exists(String disk) {
        return new BlockException(
                BlockError.EEXIST,
                "disk already exists: name=" + disk + "; choose another name or remove it first");
    }

    private static BlockException ambiguous(String disk) {
        return new BlockException(
                BlockError.EINVAL,
                "two images claim to be one disk: name="
                        + disk
                        + ", files="
                        + DiskFormat.QCOW2.fileName(disk)
                        + " and "
                        + DiskFormat.RAW.fileName(disk)
                        + "; rename or remove one of them in the brick's folder");
    }
}
