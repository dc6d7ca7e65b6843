package io.quoin.snapshot;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.parents.ImageTree;
import io.quoin.qcow2.snapshot.SnapshotInfo;
import io.quoin.snapshot.DiskImages.Image;
import io.quoin.snapshot.DiskUses.Use;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileAdoption;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.Stages;
import io.quoin.xlator.TrashName;
import io.quoin.xlator.UnfinishedNames;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The namespace of disks. Every call takes the disk for itself first ({@link DiskUses}), finds the
 * image that it is, and passes the call down under the name of the image.
 *
 * <p>Threading: thread-safe.
 */
final class SnapshotXlator extends PassThroughXlator
        implements DiskTree, DiskSnapshots, UnfinishedDisks {
    private final DiskUses uses = new DiskUses();
    private final AtomicLong unfinished = new AtomicLong();
    private final DiskImages images;
    private final SnapshotFiles snapshots;
    private final DiskTrash trash;

    SnapshotXlator(String name, Xlator subvolume, Duration trashTime) {
        super(name, SnapshotXlatorType.TYPE, subvolume);
        images = new DiskImages(subvolume);
        snapshots = new SnapshotFiles(subvolume, images);
        trash = new TrashFiles(subvolume, images, uses, trashTime);
    }

    @Override
    public <T> Optional<T> extension(Class<T> type) {
        return type == DiskTrash.class ? Optional.of(type.cast(trash)) : super.extension(type);
    }

    @Override
    public CompletionStage<List<FileInfo>> list() {
        return images.list();
    }

    @Override
    public CompletionStage<Map<String, List<SnapshotInfo>>> snapshots() {
        return snapshots.list();
    }

    @Override
    public CompletionStage<FileInfo> stat(String disk) {
        if (SnapshotRange.isOne(disk)) {
            return called(() -> statRange(SnapshotRange.of(disk)));
        }
        return SnapshotName.isOne(disk)
                ? called(() -> snapshots.stat(SnapshotName.of(disk)))
                : checked(disk, () -> images.find(disk).thenApply(Image::asDisk));
    }

    /** Of the newer one, if the older is there. */
    private CompletionStage<FileInfo> statRange(SnapshotRange range) {
        return snapshots
                .stat(range.older())
                .thenCompose(older -> snapshots.stat(range.newer()))
                .thenApply(
                        newer ->
                                new FileInfo(
                                        range.toString(),
                                        newer.sizeBytes(),
                                        newer.allocatedBytes()));
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
                    return images.checkAbsent(disk)
                            .thenCompose(none -> subvolume().create(format.fileName(disk), below));
                });
    }

    @Override
    public CompletionStage<XlatorFile> open(String disk, OpenOptions options, Loop loop) {
        return called(
                        () -> {
                            if (SnapshotRange.isOne(disk)) {
                                return openRange(SnapshotRange.of(disk), options, loop);
                            }
                            return SnapshotName.isOne(disk)
                                    ? openSnapshot(SnapshotName.of(disk), options, loop)
                                    : openDisk(DiskName.check(disk), options, loop);
                        })
                .whenCompleteAsync((file, failure) -> {}, loop);
    }

    private CompletionStage<XlatorFile> openDisk(String disk, OpenOptions options, Loop loop) {
        Runnable release = uses.acquire(disk, options.isReadOnly() ? Use.READ : Use.WRITE);
        return orRelease(
                release,
                images.findToOpen(disk)
                        .thenCompose(image -> openImage(image, options, loop, release)));
    }

    private CompletionStage<XlatorFile> openSnapshot(
            SnapshotName name, OpenOptions options, Loop loop) {
        SnapshotFiles.requireReadOnly(name.toString(), options);
        Runnable release = uses.acquire(name.disk(), Use.SNAPSHOT);
        return orRelease(release, snapshots.open(name, options, loop, release));
    }

    private CompletionStage<XlatorFile> openRange(
            SnapshotRange range, OpenOptions options, Loop loop) {
        return openSnapshot(range.newer(), options, loop)
                .thenComposeAsync(
                        newer -> orClose(newer, loop, () -> openOlder(range, newer, options, loop)),
                        loop);
    }

    private CompletionStage<XlatorFile> openOlder(
            SnapshotRange range, XlatorFile newer, OpenOptions options, Loop loop) {
        return openSnapshot(range.older(), options, loop)
                .thenComposeAsync(
                        older ->
                                orClose(
                                        older,
                                        loop,
                                        () ->
                                                CompletableFuture.completedFuture(
                                                        ComparedFile.of(
                                                                range, newer, older, loop))),
                        loop);
    }

    /** Closes a file if {@code call} fails. */
    private static CompletionStage<XlatorFile> orClose(
            XlatorFile file, Loop loop, Supplier<CompletionStage<XlatorFile>> call) {
        return called(call)
                .handleAsync(
                        (result, failure) ->
                                failure == null
                                        ? CompletableFuture.completedFuture(result)
                                        : Stages.<XlatorFile>failAfterClose(file, failure),
                        loop)
                .thenCompose(Function.identity());
    }

    private static CompletionStage<XlatorFile> orRelease(
            Runnable release, CompletionStage<XlatorFile> opening) {
        return opening.whenComplete(
                (file, failure) -> {
                    if (failure != null) {
                        release.run();
                    }
                });
    }

    private CompletionStage<XlatorFile> openImage(
            Image image, OpenOptions options, Loop loop, Runnable release) {
        return subvolume()
                .open(image.fileName(), options, loop)
                .thenApply(
                        file ->
                                new DiskFile(
                                        file,
                                        image.disk(),
                                        image.fileName(),
                                        image.format(),
                                        release));
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
        return images.find(disk)
                .thenCombine(images.checkAbsent(newDisk), (image, none) -> image)
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
        return images.find(disk)
                .thenCombine(images.find(byDisk), SnapshotXlator::requireSameFormat)
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
                disk,
                () ->
                        images.findToRemove(disk)
                                .thenCompose(image -> subvolume().remove(image.fileName())));
    }

    /**
     * With subclusters: a first write of 4 KiB to a cluster then copies none of what lies behind.
     */
    @Override
    public CompletionStage<Void> clone(String template, String clone, long sizeBytes) {
        return called(
                () ->
                        exclusively(
                                clone,
                                () ->
                                        template(template)
                                                .thenCombine(
                                                        images.checkAbsent(clone),
                                                        (found, none) -> found)
                                                .thenCompose(
                                                        found ->
                                                                makeClone(
                                                                        found, clone, sizeBytes))));
    }

    /** What a clone stands on: a disk, or a snapshot of one. */
    private record Template(String name, String fileName, DiskFormat format, long sizeBytes) {
        static Template of(Image image) {
            return new Template(
                    image.disk(), image.fileName(), image.format(), image.info().sizeBytes());
        }

        static Template of(SnapshotName name, FileInfo info) {
            return new Template(
                    name.toString(), name.fileName(), DiskFormat.QCOW2, info.sizeBytes());
        }
    }

    private CompletionStage<Template> template(String name) {
        if (!SnapshotName.isOne(name)) {
            return images.find(DiskName.check(name)).thenApply(Template::of);
        }
        SnapshotName snapshot = SnapshotName.of(name);
        return snapshots.stat(snapshot).thenApply(info -> Template.of(snapshot, info));
    }

    private CompletionStage<Void> makeClone(Template template, String clone, long sizeBytes) {
        long wantedBytes = sizeBytes == 0 ? template.sizeBytes() : sizeBytes;
        DiskSize.check(wantedBytes);
        if (wantedBytes < template.sizeBytes()) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "clone is smaller than what it stands on: name="
                            + clone
                            + ", size="
                            + wantedBytes
                            + ", template="
                            + template.name()
                            + ", size="
                            + template.sizeBytes());
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
        return called(() -> template(disk))
                .thenCompose(parent -> tree().usersOf(parent.fileName()))
                .thenApply(
                        files -> files.stream().flatMap(file -> childOf(file).stream()).toList());
    }

    /** One in the trash is told as such, since it keeps what it stands on in place. */
    private static Optional<String> childOf(String file) {
        return DiskFormat.QCOW2
                .diskOf(TrashName.fileNameOf(file))
                .map(disk -> TrashName.parse(file).isPresent() ? disk + " (in the trash)" : disk);
    }

    @Override
    public CompletionStage<String> make(String disk, CreateOptions options) {
        String fileName = unfinishedName();
        return checked(
                disk,
                () -> {
                    DiskSize.check(options.sizeBytes());
                    return images.checkAbsent(disk)
                            .thenCompose(none -> subvolume().create(fileName, options))
                            .thenApply(none -> fileName);
                });
    }

    private String unfinishedName() {
        return DiskFormat.QCOW2.fileName(
                UnfinishedNames.of("disk-" + unfinished.incrementAndGet()));
    }

    @Override
    public CompletionStage<String> adopt(String disk, Path source) {
        String fileName = unfinishedName();
        return checked(
                disk,
                () ->
                        images.checkAbsent(disk)
                                .thenCompose(none -> adoption().adopt(source, fileName))
                                .thenApply(none -> fileName));
    }

    private FileAdoption adoption() {
        return subvolume()
                .extension(FileAdoption.class)
                .orElseThrow(
                        () ->
                                new BlockException(
                                        BlockError.ENOTSUP,
                                        "volume has no single folder that a file could be moved"
                                                + " into, import copies it: type="
                                                + subvolume().type()));
    }

    @Override
    public CompletionStage<XlatorFile> openUnfinished(String fileName, Loop loop) {
        return subvolume().open(fileName, OpenOptions.READ_WRITE, loop);
    }

    @Override
    public CompletionStage<Void> publish(String fileName, String disk) {
        return exclusively(
                disk,
                () ->
                        images.checkAbsent(disk)
                                .thenCompose(
                                        none ->
                                                subvolume()
                                                        .rename(
                                                                fileName,
                                                                DiskFormat.QCOW2.fileName(disk))));
    }

    @Override
    public CompletionStage<Void> discard(String fileName) {
        return subvolume().remove(fileName);
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

    private static <T> CompletionStage<T> checked(String disk, Supplier<CompletionStage<T>> call) {
        return called(
                () -> {
                    DiskName.check(disk);
                    return call.get();
                });
    }

    /** What is thrown fails the stage. */
    static <T> CompletionStage<T> called(Supplier<CompletionStage<T>> call) {
        try {
            return call.get();
        } catch (BlockException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private <T> CompletionStage<T> exclusively(String disk, Supplier<CompletionStage<T>> call) {
        return checked(
                disk,
                () -> {
                    Runnable release = uses.acquire(disk, Use.NAME);
                    return called(call).whenComplete((result, failure) -> release.run());
                });
    }
}
