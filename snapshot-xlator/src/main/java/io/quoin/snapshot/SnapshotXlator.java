package io.quoin.snapshot;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.parents.ImageTree;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.graph.NearestName;
import io.quoin.xlator.loop.Loop;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The namespace of disks. Every call takes the disk for itself first ({@link DiskUses}), finds the
 * image that it is, and passes the call down under the name of the image.
 *
 * <p>Threading: thread-safe.
 */
final class SnapshotXlator extends PassThroughXlator implements DiskTree {
    private final DiskUses uses = new DiskUses();

    /** The disks as they were listed last, for hints. */
    private volatile @Nullable List<FileInfo> listed;

    SnapshotXlator(String name, Xlator subvolume) {
        super(name, SnapshotXlatorType.TYPE, subvolume);
    }

    /** An image below and the disk that it is. */
    private record Image(String disk, DiskFormat format, FileInfo info) {
        String fileName() {
            return format.fileName(disk);
        }

        FileInfo asDisk() {
            return new FileInfo(disk, info.sizeBytes(), info.allocatedBytes());
        }
    }

    @Override
    public CompletionStage<List<FileInfo>> list() {
        return subvolume()
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

    @Override
    public CompletionStage<FileInfo> stat(String disk) {
        return checked(disk, () -> find(disk).thenApply(Image::asDisk));
    }

    @Override
    public CompletionStage<Void> create(String disk, CreateOptions options) {
        return exclusively(
                disk,
                () -> {
                    DiskSize.check(options.sizeBytes());
                    Map<String, String> passedDown = new HashMap<>(options.options());
                    String formatText = passedDown.remove(DiskFormat.OPTION);
                    DiskFormat format =
                            formatText == null ? DiskFormat.QCOW2 : DiskFormat.parse(formatText);
                    CreateOptions below = new CreateOptions(options.sizeBytes(), passedDown);
                    return checkAbsent(disk)
                            .thenCompose(none -> subvolume().create(format.fileName(disk), below));
                });
    }

    @Override
    public CompletionStage<XlatorFile> open(String disk, OpenOptions options, Loop loop) {
        Runnable release;
        try {
            DiskName.check(disk);
            if (!options.isReadOnly()) {
                uses.acquireExclusive(disk);
                release = () -> uses.releaseExclusive(disk);
            } else {
                uses.acquireShared(disk);
                release = () -> uses.releaseShared(disk);
            }
        } catch (BlockException e) {
            return CompletableFuture.<XlatorFile>failedFuture(e)
                    .whenCompleteAsync((file, failure) -> {}, loop);
        }
        // Clients of the network open what they like: that must not look into every image for a
        // better name each time.
        return find(disk, this::listedBefore)
                .thenCompose(image -> openImage(image, options, loop, release))
                .whenCompleteAsync(
                        (file, failure) -> {
                            if (failure != null) {
                                release.run();
                            }
                        },
                        loop);
    }

    private CompletionStage<XlatorFile> openImage(
            Image image, OpenOptions options, Loop loop, Runnable release) {
        return subvolume()
                .open(image.fileName(), options, loop)
                .thenApply(file -> new DiskFile(file, image.disk(), image.format(), release));
    }

    @Override
    public CompletionStage<Void> rename(String disk, String newDisk) {
        return checked(
                newDisk,
                () ->
                        exclusively(
                                disk,
                                () -> exclusively(newDisk, () -> renameImage(disk, newDisk))));
    }

    private CompletionStage<Void> renameImage(String disk, String newDisk) {
        return find(disk)
                .thenCombine(checkAbsent(newDisk), (image, none) -> image)
                .thenCompose(
                        image -> {
                            String newFileName = image.format().fileName(newDisk);
                            return subvolume().rename(image.fileName(), newFileName);
                        });
    }

    /** By one of the same format, by which the image of a disk is found. */
    @Override
    public CompletionStage<Void> replace(String disk, String byDisk) {
        return checked(
                byDisk,
                () ->
                        exclusively(
                                disk, () -> exclusively(byDisk, () -> replaceImage(disk, byDisk))));
    }

    private CompletionStage<Void> replaceImage(String disk, String byDisk) {
        return find(disk)
                .thenCombine(find(byDisk), SnapshotXlator::requireSameFormat)
                .thenCompose(
                        format ->
                                subvolume()
                                        .replace(format.fileName(disk), format.fileName(byDisk)));
    }

    private static DiskFormat requireSameFormat(Image image, Image by) {
        if (image.format() != by.format()) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "a disk is replaced by one of its format: name="
                            + image.disk()
                            + ", format="
                            + image.format().text()
                            + ", by="
                            + by.disk()
                            + ", format="
                            + by.format().text());
        }
        return image.format();
    }

    @Override
    public CompletionStage<Void> remove(String disk) {
        return exclusively(
                disk, () -> find(disk).thenCompose(image -> subvolume().remove(image.fileName())));
    }

    /**
     * With subclusters: a first write of 4 KiB to a cluster then copies none of what lies behind.
     */
    @Override
    public CompletionStage<Void> clone(String template, String clone, long sizeBytes) {
        return checked(
                template,
                () ->
                        exclusively(
                                clone,
                                () ->
                                        find(template)
                                                .thenCombine(
                                                        checkAbsent(clone), (image, none) -> image)
                                                .thenCompose(
                                                        image ->
                                                                makeClone(
                                                                        image, clone, sizeBytes))));
    }

    private CompletionStage<Void> makeClone(Image template, String clone, long sizeBytes) {
        long templateBytes = template.info().sizeBytes();
        long wantedBytes = sizeBytes == 0 ? templateBytes : sizeBytes;
        DiskSize.check(wantedBytes);
        if (wantedBytes < templateBytes) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "clone is smaller than what it stands on: name="
                            + clone
                            + ", size="
                            + wantedBytes
                            + ", template="
                            + template.disk()
                            + ", size="
                            + templateBytes);
        }
        Map<String, String> options =
                Map.of(
                        "backing_file", template.fileName(),
                        "backing_fmt", template.format().text(),
                        "extended_l2", "on");
        return subvolume()
                .create(DiskFormat.QCOW2.fileName(clone), new CreateOptions(wantedBytes, options));
    }

    @Override
    public CompletionStage<List<String>> children(String disk) {
        return checked(
                disk,
                () ->
                        find(disk)
                                .thenCompose(image -> tree().usersOf(image.fileName()))
                                .thenApply(
                                        images ->
                                                images.stream()
                                                        .flatMap(
                                                                file ->
                                                                        DiskFormat.QCOW2
                                                                                .diskOf(file)
                                                                                .stream())
                                                        .toList()));
    }

    private ImageTree tree() {
        return subvolume()
                .extension(ImageTree.class)
                .orElseThrow(
                        () ->
                                new BlockException(
                                        BlockError.ENOTSUP,
                                        "no images below the disks: type=" + subvolume().type()));
    }

    /** The image of a disk; fails with ENOENT and the nearest name if there is none. */
    private CompletionStage<Image> find(String disk) {
        return find(disk, this::list);
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
        return subvolume()
                .stat(format.fileName(disk))
                .handle(
                        (info, failure) -> {
                            if (failure == null) {
                                return Optional.of(info);
                            }
                            if (unwrap(failure) instanceof BlockException e
                                    && e.error() == BlockError.ENOENT) {
                                return Optional.empty();
                            }
                            throw new CompletionException(unwrap(failure));
                        });
    }

    private CompletionStage<Void> checkAbsent(String disk) {
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
                            String hint =
                                    NearestName.find(
                                                    disk,
                                                    disks.stream().map(FileInfo::fileName).toList())
                                            .map(near -> "; did you mean " + near + "?")
                                            .orElse("");
                            throw new BlockException(
                                    BlockError.ENOENT, "no such disk: name=" + disk + hint);
                        });
    }

    private <T> CompletionStage<T> checked(String disk, Supplier<CompletionStage<T>> call) {
        try {
            DiskName.check(disk);
            return call.get();
        } catch (BlockException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private <T> CompletionStage<T> exclusively(String disk, Supplier<CompletionStage<T>> call) {
        return checked(
                disk,
                () -> {
                    uses.acquireExclusive(disk);
                    return checked(disk, call)
                            .whenComplete((result, failure) -> uses.releaseExclusive(disk));
                });
    }

    private static Throwable unwrap(Throwable failure) {
        return failure instanceof CompletionException && failure.getCause() != null
                ? failure.getCause()
                : failure;
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
