package io.quoin.qcow2;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.io.ChildFiles;
import io.quoin.qcow2.io.ImageHealth;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.open.ImageOpener;
import io.quoin.qcow2.parents.BackingName;
import io.quoin.qcow2.parents.Chain;
import io.quoin.qcow2.parents.Hold;
import io.quoin.qcow2.parents.ImageName;
import io.quoin.qcow2.parents.ParentGuard;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.UnfinishedNames;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.loop.Loop;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/**
 * Makes new images. An image is written under a temporary name, flushed and renamed, so that a
 * crash leaves either nothing or a whole image.
 *
 * <p>Threading: thread-safe.
 */
final class ImageCreator {
    private final Xlator subvolume;
    private final ParentGuard guard;
    private final ImageOpener opener;
    private final boolean formatBySuffix;

    /**
     * @param formatBySuffix whether a backing file has the format that its name says
     */
    ImageCreator(Xlator subvolume, ParentGuard guard, ImageOpener opener, boolean formatBySuffix) {
        this.subvolume = subvolume;
        this.guard = guard;
        this.opener = opener;
        this.formatBySuffix = formatBySuffix;
    }

    /** The name is held; what the image stands on is pinned until it is there. */
    CompletionStage<Void> create(String fileName, CreateOptions options, Loop loop) {
        ImageOptions wanted;
        Hold pin;
        try {
            wanted = ImageOptions.of(options.options());
            if (wanted.dataFile() != null) {
                BackingName.requireDataFile(fileName, wanted.dataFile());
            }
            pin = pinBacking(fileName, wanted);
        } catch (BlockException e) {
            return CompletableFuture.failedFuture(e);
        }
        return sizeOf(fileName, wanted, options.sizeBytes(), loop)
                .thenApply(sizeBytes -> new NewImage(wanted, sizeBytes))
                .thenCompose(
                        image ->
                                refuseExisting(fileName, "file exists already")
                                        .thenCompose(nothing -> makeAll(fileName, image, loop)))
                .whenComplete((nothing, failure) -> pin.release());
    }

    private Hold pinBacking(String fileName, ImageOptions wanted) {
        String backing = wanted.backingFile();
        if (backing == null) {
            return () -> {};
        }
        BackingName.require(fileName, backing);
        boolean isImage = backing.endsWith(ImageName.SUFFIX) || ImageName.isSnapshot(backing);
        String expected = isImage ? "qcow2" : "raw";
        if (formatBySuffix && !expected.equals(wanted.backingFormat())) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "backing format is not that of the file's name: image="
                            + fileName
                            + ", backing file="
                            + backing
                            + ", expected="
                            + expected
                            + ", actual="
                            + wanted.backingFormat());
        }
        return guard.pin(backing, fileName);
    }

    /**
     * The data file first: a crash in between leaves a file that nothing refers to, never an image
     * without its data.
     */
    private CompletionStage<Void> makeAll(String fileName, NewImage image, Loop loop) {
        String dataFile = image.options().dataFile();
        if (dataFile == null) {
            return make(fileName, image, loop);
        }
        return ParentGuard.thenRelease(
                guard.toName(dataFile), () -> makeBoth(fileName, dataFile, image, loop));
    }

    private CompletionStage<Void> makeBoth(
            String fileName, String dataFile, NewImage image, Loop loop) {
        return refuseExisting(dataFile, "data file exists already, and is not overwritten")
                .thenCompose(
                        nothing ->
                                subvolume.create(
                                        dataFile,
                                        new CreateOptions(
                                                image.sizeBytes(),
                                                image.options().preallocation().ofFile())))
                .thenCompose(
                        nothing ->
                                make(fileName, image, loop)
                                        .exceptionallyCompose(failure -> undo(dataFile, failure)));
    }

    private CompletionStage<Void> refuseExisting(String fileName, String what) {
        return subvolume
                .stat(fileName)
                .handle(
                        (info, failure) -> {
                            if (failure == null) {
                                throw new BlockException(
                                        BlockError.EEXIST, what + ": name=" + fileName);
                            }
                            if (ChildFiles.errorOf(failure) != BlockError.ENOENT) {
                                return CompletableFuture.<Void>failedFuture(failure);
                            }
                            return CompletableFuture.<Void>completedFuture(null);
                        })
                .thenCompose(Function.identity());
    }

    /**
     * The size asked for, else the backing file's; the whole chain is opened to see that it can be.
     */
    private CompletionStage<Long> sizeOf(
            String fileName, ImageOptions wanted, long sizeBytes, Loop loop) {
        String backing = wanted.backingFile();
        if (backing == null) {
            return CompletableFuture.completedFuture(sizeBytes);
        }
        Chain chain = Chain.of(fileName);
        return CompletableFuture.supplyAsync(
                        () -> opener.openBacking(backing, wanted.backingFormat(), loop, chain),
                        loop)
                .thenCompose(Function.identity())
                .thenComposeAsync( // it may be open already: then it would go on here
                        file ->
                                ChildFiles.thenClose(
                                        file,
                                        open ->
                                                CompletableFuture.completedFuture(
                                                        open.geometry().sizeBytes())),
                        loop)
                .thenApply(backingBytes -> sizeBytes > 0 ? sizeBytes : backingBytes);
    }

    private CompletionStage<Void> make(String fileName, NewImage image, Loop loop) {
        String temporary = UnfinishedNames.before(fileName);
        CreateOptions file = fileOf(image);
        return subvolume
                .create(temporary, file)
                .thenCompose(
                        nothing ->
                                write(temporary, image, loop)
                                        .thenCompose(v -> subvolume.rename(temporary, fileName))
                                        .exceptionallyCompose(failure -> undo(temporary, failure)));
    }

    private CompletionStage<Void> undo(String temporary, Throwable failure) {
        return subvolume
                .remove(temporary)
                .handle((nothing, ignored) -> CompletableFuture.<Void>failedFuture(failure))
                .thenCompose(Function.identity());
    }

    private CompletionStage<Void> write(String temporary, NewImage image, Loop loop) {
        return subvolume
                .open(temporary, OpenOptions.READ_WRITE, loop)
                .thenComposeAsync( // on the loop, also where the stage is done already
                        file ->
                                ChildFiles.thenClose(
                                        file,
                                        open -> {
                                            ImageHealth health = new ImageHealth(temporary, true);
                                            ImageIo io = new ImageIo(open, loop, health);
                                            return ChildFiles.stage(
                                                    "write of a new image",
                                                    outcome ->
                                                            new MetadataWriter(io, image, outcome)
                                                                    .resume());
                                        }),
                        loop);
    }

    /** With a data file the space that is wanted is there. */
    private static CreateOptions fileOf(NewImage image) {
        return new CreateOptions(
                image.fileSizeBytes(),
                image.options().dataFile() == null
                        ? image.options().preallocation().ofFile()
                        : Map.of());
    }
}
