package io.quoin.qcow2.open;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.io.ChildFiles;
import io.quoin.qcow2.io.ImageHealth;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.parents.BackingName;
import io.quoin.qcow2.parents.Chain;
import io.quoin.qcow2.parents.HeldFile;
import io.quoin.qcow2.parents.Hold;
import io.quoin.qcow2.parents.ImageName;
import io.quoin.qcow2.parents.SharedParents;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Opens an image and everything behind it, read-only there; {@link Opening} has the steps.
 *
 * <p>Threading: thread-safe; what it opens is the given loop's.
 */
public final class ImageOpener {
    private static final String QCOW2 = "qcow2";
    private static final String RAW = "raw";

    private final OpenSetup setup;
    private final SharedParents parents = new SharedParents();

    public ImageOpener(OpenSetup setup) {
        this.setup = setup;
    }

    public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
        return open(fileName, options, loop, Chain.of(fileName));
    }

    /** The size that the header of {@code fileName} gives. */
    public CompletionStage<Long> virtualSize(String fileName, Loop loop) {
        return openFile(fileName, OpenOptions.READ_ONLY, loop)
                .thenComposeAsync( // the stage may be done already: then it would go on here
                        file ->
                                ChildFiles.thenClose(
                                        file,
                                        open -> {
                                            ImageHealth health = new ImageHealth(fileName, false);
                                            ImageIo io = new ImageIo(open, loop, health);
                                            return ImageHead.readAtSnapshot(io, fileName)
                                                    .thenApply(head -> head.header().sizeBytes());
                                        }),
                        loop);
    }

    /**
     * The file of an image or of a snapshot. A file that has the whole name is what is meant: who
     * named it, on the command line or in an overlay, need not know of snapshots.
     */
    private CompletionStage<XlatorFile> openFile(String fileName, OpenOptions options, Loop loop) {
        return fileOf(fileName, options.mode())
                .thenCompose(file -> setup.subvolume().open(file, options.ofPart(), loop));
    }

    /**
     * The name of the file that {@link #open} would use.
     *
     * @return fails with EPERM if a snapshot would be written
     */
    public CompletionStage<String> fileOf(String fileName, OpenMode mode) {
        return fileOf(fileName)
                .thenApply(
                        file -> {
                            if (!file.equals(fileName) && mode != OpenMode.READ_ONLY) {
                                throw new BlockException(
                                        BlockError.EPERM,
                                        "a snapshot is read-only: name=" + fileName);
                            }
                            return file;
                        });
    }

    private CompletionStage<String> fileOf(String fileName) {
        if (!ImageName.isSnapshot(fileName)) {
            return CompletableFuture.completedFuture(fileName);
        }
        return setup.subvolume()
                .stat(fileName)
                .thenApply(info -> fileName)
                .exceptionallyCompose(
                        failure ->
                                ChildFiles.errorOf(failure) == BlockError.ENOENT
                                        ? CompletableFuture.completedFuture(
                                                ImageName.of(fileName).file())
                                        : CompletableFuture.failedFuture(failure));
    }

    /**
     * A backing file of either format, read-only, for the last of {@code chain}; on the loop. It is
     * kept from being changed until it is closed.
     */
    public CompletionStage<XlatorFile> openBacking(
            String name, String format, Loop loop, Chain chain) {
        String image = chain.image();
        BackingName.require(image, name);
        chain.requireNext(name);
        requireFormat(image, format);
        Hold hold = setup.guard().pin(name, image);
        CompletionStage<XlatorFile> opening =
                fileId(name)
                        .thenComposeAsync(
                                fileId ->
                                        parents.open(
                                                new SharedParents.Key(name, format, fileId),
                                                loop,
                                                chain,
                                                next -> openParent(name, format, loop, next)),
                                loop);
        return HeldFile.of(opening, hold);
    }

    private CompletionStage<XlatorFile> openParent(
            String name, String format, Loop loop, Chain chain) {
        return format.equals(RAW)
                ? setup.subvolume().open(name, OpenOptions.READ_ONLY, loop)
                : open(name, OpenOptions.READ_ONLY, loop, chain);
    }

    /** 0 where it is not known; what is wrong with the file shows when it is opened. */
    private CompletionStage<Long> fileId(String name) {
        return fileOf(name)
                .thenCompose(setup.subvolume()::stat)
                .handle((info, failure) -> failure == null ? info.fileId() : 0L);
    }

    private static void requireFormat(String image, String format) {
        if (!format.equals(QCOW2) && !format.equals(RAW)) {
            throw new BlockException(
                    BlockError.ENOTSUP,
                    "backing format: image=" + image + ", expected=qcow2 or raw, actual=" + format);
        }
    }

    /** A snapshot is held from before its table is read: what it leads to may be freed else. */
    private CompletionStage<XlatorFile> open(
            String fileName, OpenOptions options, Loop loop, Chain chain) {
        if (!ImageName.isSnapshot(fileName)) {
            return openUnheld(fileName, options, loop, chain);
        }
        Hold hold;
        try {
            hold = setup.guard().openSnapshot(fileName);
        } catch (BlockException e) {
            return CompletableFuture.failedFuture(e);
        }
        return HeldFile.of(openUnheld(fileName, options, loop, chain), hold);
    }

    private CompletionStage<XlatorFile> openUnheld(
            String fileName, OpenOptions options, Loop loop, Chain chain) {
        return openFile(fileName, options, loop)
                .thenComposeAsync( // as above
                        file ->
                                ChildFiles.orClose(
                                        file, child -> load(child, fileName, options, loop, chain)),
                        loop);
    }

    private CompletionStage<XlatorFile> load(
            XlatorFile child, String fileName, OpenOptions options, Loop loop, Chain chain) {
        ImageIo io = new ImageIo(child, loop, new ImageHealth(fileName, !options.isReadOnly()));
        return ImageHead.readAtSnapshot(io, fileName)
                .thenCompose(
                        head -> new Opening(this, setup, io, head, fileName, options, chain).run());
    }
}
