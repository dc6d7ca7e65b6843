package io.quoin.qcow2;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.catalogue.ImageCatalogue;
import io.quoin.qcow2.catalogue.ImageSnapshotTable;
import io.quoin.qcow2.compress.CompressionWorkers;
import io.quoin.qcow2.open.DetectZeroes;
import io.quoin.qcow2.open.ImageOpener;
import io.quoin.qcow2.open.LoopMemories;
import io.quoin.qcow2.open.OpenSetup;
import io.quoin.qcow2.parents.FileHolds;
import io.quoin.qcow2.parents.ImageName;
import io.quoin.qcow2.parents.ImageTree;
import io.quoin.qcow2.parents.ParentGuard;
import io.quoin.qcow2.snapshot.ImageSnapshots;
import io.quoin.qcow2.snapshot.SnapshotIndex;
import io.quoin.qcow2.snapshot.SnapshotInfo;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.TrashName;
import io.quoin.xlator.UnfinishedNames;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.loop.LoopGroup;
import io.quoin.xlator.memory.ProcessMemory;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The files of its subvolume, those named {@code *.qcow2} as images: with their virtual size and
 * content. The format goes by the name, or by an option that says that all are, and is never
 * guessed from the content, which belongs to a guest. {@code IMAGE.qcow2@SNAPSHOT} is an internal
 * snapshot of an image, read-only, unless a file is called so; the list leaves them out.
 *
 * <p>Threading: thread-safe.
 */
public final class Qcow2Xlator extends PassThroughXlator implements ImageTree, SnapshotIndex {
    private final LoopGroup loops;
    private final ImageOpener opener;
    private final ImageCreator creator;
    private final boolean allImages;
    private final CompressionWorkers workers;
    private final ImageCatalogue catalogue;
    private final ParentGuard guard;
    private final LoopMemories memory;

    Qcow2Xlator(
            String name,
            Xlator subvolume,
            LoopGroup loops,
            boolean protectsParents,
            ProcessMemory memory,
            long cacheBytes,
            boolean allImages,
            DetectZeroes detectZeroes,
            CompressionWorkers workers) {
        super(name, Qcow2Type.TYPE, subvolume);
        this.loops = loops;
        this.allImages = allImages;
        this.workers = workers;
        FileHolds holds = new FileHolds();
        this.catalogue = new ImageCatalogue(subvolume, loops, this::isOwnImage, holds::holdNumber);
        this.guard = protectsParents ? ParentGuard.of(catalogue, holds) : ParentGuard.off();
        this.memory = new LoopMemories(memory, loops.loops().size());
        this.opener =
                new ImageOpener(
                        new OpenSetup(
                                subvolume, guard, this.memory, cacheBytes, detectZeroes, workers));
        this.creator = new ImageCreator(subvolume, guard, opener, !allImages);
    }

    /** One in the trash is what it was. */
    private boolean isImage(String name) {
        String fileName = TrashName.fileNameOf(name);
        return allImages
                || (fileName.endsWith(ImageName.SUFFIX)
                        && fileName.length() > ImageName.SUFFIX.length())
                || ImageName.isSnapshot(fileName);
    }

    /** One that is whole: what is in the making pins what it stands on. */
    private boolean isOwnImage(String fileName) {
        return isImage(fileName) && !UnfinishedNames.isUnfinished(fileName);
    }

    @Override
    public CompletionStage<List<FileInfo>> list() {
        return catalogue
                .list()
                .thenApply(
                        files ->
                                files.stream()
                                        .filter(
                                                file ->
                                                        !UnfinishedNames.isUnfinished(
                                                                file.fileName()))
                                        .toList());
    }

    @Override
    public CompletionStage<FileInfo> stat(String fileName) {
        return isImage(fileName)
                ? opener.fileOf(fileName, OpenMode.READ_ONLY)
                        .thenCompose(subvolume()::stat)
                        .thenCompose(file -> withVirtualSize(fileName, file))
                : subvolume().stat(fileName);
    }

    /** Of {@code image}, which is that file or a snapshot in it. */
    private CompletionStage<FileInfo> withVirtualSize(String image, FileInfo file) {
        CompletionStage<Long> size =
                file.fileName().equals(image)
                        ? catalogue.virtualSize(file)
                        : opener.virtualSize(image, loops.next());
        return size.thenApply(sizeBytes -> new FileInfo(image, sizeBytes, file.allocatedBytes()));
    }

    @Override
    public CompletionStage<Void> create(String fileName, CreateOptions options) {
        if (ImageName.isSnapshot(fileName)) {
            return CompletableFuture.failedFuture(
                    new BlockException(
                            BlockError.EINVAL,
                            "new image: name="
                                    + fileName
                                    + ", expected=no @ behind .qcow2, which means a snapshot"));
        }
        return ParentGuard.thenRelease(
                guard.toName(fileName),
                () ->
                        isImage(fileName)
                                ? creator.create(fileName, options, loops.next())
                                : subvolume().create(fileName, options));
    }

    @Override
    public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
        if (options.isReadOnly()) {
            return openUnheld(fileName, options, loop);
        }
        return opener.fileOf(fileName, options.mode())
                .thenCompose(file -> guard.toWrite(file, file))
                .thenCompose(
                        hold ->
                                guard.whileHeld(
                                        fileName, openUnheld(fileName, options, loop), hold))
                .whenCompleteAsync((file, failure) -> {}, loop);
    }

    private CompletionStage<XlatorFile> openUnheld(
            String fileName, OpenOptions options, Loop loop) {
        return isImage(fileName)
                ? opener.open(fileName, options, loop)
                : subvolume().open(fileName, options, loop);
    }

    @Override
    public CompletionStage<Void> rename(String fileName, String newFileName) {
        return ParentGuard.thenRelease(
                guard.toUnname(fileName),
                () ->
                        ParentGuard.thenRelease(
                                guard.toName(newFileName),
                                () -> subvolume().rename(fileName, newFileName)));
    }

    /** What others stand on is not replaced: they would read another content. */
    @Override
    public CompletionStage<Void> replace(String fileName, String byFileName) {
        return ParentGuard.thenRelease(
                guard.toUnname(fileName),
                () ->
                        ParentGuard.thenRelease(
                                guard.toUnname(byFileName),
                                () -> subvolume().replace(fileName, byFileName)));
    }

    @Override
    public CompletionStage<Void> remove(String fileName) {
        return ParentGuard.thenRelease(
                guard.toUnname(fileName), () -> subvolume().remove(fileName));
    }

    @Override
    public CompletionStage<List<String>> usersOf(String file) {
        return guard.usersOf(file);
    }

    @Override
    public CompletionStage<Map<String, List<SnapshotInfo>>> snapshots() {
        return catalogue
                .snapshots()
                .thenApply(
                        tables -> {
                            Map<String, List<SnapshotInfo>> byFile = new HashMap<>();
                            tables.forEach((file, table) -> byFile.put(file, snapshotsOf(table)));
                            return byFile;
                        });
    }

    @Override
    public CompletionStage<Boolean> isHidden(String name) {
        return opener.fileOf(name, OpenMode.READ_ONLY).thenApply(name::equals);
    }

    private static List<SnapshotInfo> snapshotsOf(ImageSnapshotTable table) {
        return table.entries().stream()
                .map(entry -> ImageSnapshots.info(entry, table.imageBytes()))
                .toList();
    }

    @Override
    public CompletionStage<Void> close() {
        workers.close();
        memory.close();
        return super.close();
    }
}
