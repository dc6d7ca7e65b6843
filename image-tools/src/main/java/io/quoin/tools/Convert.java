package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.parents.BackingName;
import io.quoin.tools.ConvertOptions.Bitmaps;
import io.quoin.tools.CopyRun.CopyTotals;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.OpenMode;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Copies an image into another format, place or both. What reads as zeros is not stored; with a
 * backing file for the target, neither is what reads the same from there.
 *
 * <p>A target that is made here is written under a temporary name and takes its place, over what
 * may be there, when it is whole and durable. If it fails, nothing has changed.
 *
 * <p>Threading: confined to the thread of the tool.
 */
public final class Convert {
    private final ImageSession session;
    private final ConvertOptions options;
    private final ProgressListener progress;

    public Convert(ImageSession session, ConvertOptions options, ProgressListener progress) {
        this.session = session;
        this.options = options;
        this.progress = progress;
    }

    /**
     * Converts.
     *
     * @throws BlockException saying which image failed where
     */
    public ConvertResult run(ImageLocation from, ImageLocation to) {
        return run(from, to, () -> convert(from, to));
    }

    /**
     * Makes a file of an image of the session, for a service, which ends no other work when a
     * signal ends it.
     *
     * @param replacing whether it takes the place of a file that is there
     * @throws BlockException EEXIST if it does not, and there is one
     */
    public ConvertResult run(OpenedImage source, LocalImage to, boolean replacing) {
        return run(
                source.location(),
                to,
                () -> {
                    try (TargetFile file = TargetFile.ofService(to, replacing)) {
                        if (file.replaces() && !replacing) {
                            throw new BlockException(
                                    BlockError.EEXIST,
                                    "file exists already, and is not replaced: path=" + to.text());
                        }
                        return intoNew(source, to, file);
                    }
                });
    }

    /** Copies into an image of the session that reads as zeros, is as large, and closes it. */
    public ConvertResult run(OpenedImage source, OpenedImage target) {
        return run(
                source.location(),
                target.location(),
                () -> copyAndClose(source, target.location(), target, null, true));
    }

    private static ConvertResult run(
            ImageLocation from, ImageLocation to, Supplier<ConvertResult> conversion) {
        try {
            return conversion.get();
        } catch (BlockException e) {
            throw isRefusal(e.error()) ? e : failed(from, to, e);
        }
    }

    /** Refusals say what is wrong with the one that they are of. */
    private static boolean isRefusal(BlockError error) {
        return switch (error) {
            case EIO, ENOSPC, ENOMEM, EROFS, ESHUTDOWN -> false;
            default -> true;
        };
    }

    /** Under the names that the caller knows; what failed may be a file that is not there yet. */
    private static BlockException failed(
            ImageLocation from, ImageLocation to, BlockException failure) {
        return new BlockException(
                failure.error(),
                "conversion failed: source="
                        + from.text()
                        + ", target="
                        + to.text()
                        + ": "
                        + failure.getMessage(),
                failure);
    }

    private ConvertResult convert(ImageLocation from, ImageLocation to) {
        if (options.bitmaps() != Bitmaps.NONE) {
            BitmapCopy.requireBitmaps(from, to);
        }
        OpenedImage source = session.open(from, OpenMode.READ_ONLY);
        if (options.existingTarget()) {
            return intoExisting(source, to);
        }
        if (to instanceof LocalImage file) {
            try (TargetFile target = new TargetFile(file)) {
                return intoNew(source, file, target);
            }
        }
        throw new BlockException(
                BlockError.EINVAL,
                "target cannot be made: target="
                        + to.text()
                        + ", expected=one that exists, and -n");
    }

    private ConvertResult intoExisting(OpenedImage source, ImageLocation to) {
        if (to instanceof LocalImage file) {
            refuseTargetBelow("source", source, file, file.existing());
        }
        OpenedImage target = session.open(to, OpenMode.READ_WRITE);
        long sourceBytes = source.geometry().sizeBytes();
        long targetBytes = target.geometry().sizeBytes();
        if (targetBytes < sourceBytes) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "target is smaller than the source: target="
                            + to.text()
                            + ", expected=at least "
                            + sourceBytes
                            + " bytes, actual="
                            + targetBytes);
        }
        ConvertResult result = copy(source, to, target, null, options.targetIsZero());
        target.close();
        return result;
    }

    private ConvertResult intoNew(OpenedImage source, LocalImage to, TargetFile file) {
        if (options.compressed() && to.format() == ImageFormat.RAW) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "raw images cannot be compressed: target=" + to.text() + ", expected=qcow2");
        }
        long sizeBytes = source.geometry().sizeBytes();
        refuseTargetBelow("source", source, to, file.place());
        if (file.replaces()) {
            // Held until the session ends: what is written to it meanwhile must not be lost.
            session.open(new LocalImage(file.place(), ImageFormat.RAW), OpenMode.READ_WRITE);
        }
        OpenedImage backing = openBacking(to, file.place(), source);
        String dataFile = options.createOptions().get("data_file");
        if (dataFile != null && to.format() == ImageFormat.QCOW2) {
            BackingName.requireDataFile(to.text(), dataFile);
            file.withDataFile(dataFile);
        }
        session.create(file.unfinished(), new CreateOptions(sizeBytes, options.createOptions()));
        file.withhold();
        OpenedImage target = session.open(file.unfinished(), OpenMode.READ_WRITE);
        ConvertResult result = copyAndClose(source, to, target, backing, backing == null);
        file.publish();
        return result;
    }

    private ConvertResult copyAndClose(
            OpenedImage source,
            ImageLocation to,
            OpenedImage target,
            @Nullable OpenedImage backing,
            boolean targetIsZero) {
        ConvertResult result;
        try {
            result = copy(source, to, target, backing, targetIsZero);
        } catch (RuntimeException | Error e) {
            closeAfter(target, e);
            throw e;
        }
        target.close();
        return result;
    }

    /** Replaced or written into, it would change under the image that is read. */
    private static void refuseTargetBelow(
            String what, OpenedImage image, LocalImage to, Path place) {
        if (LayerFiles.of(image).contains(place)) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "target is an image that is read, or a file that it stands on: target="
                            + to.text()
                            + ", "
                            + what
                            + "="
                            + image.location().text());
        }
    }

    /** Null for a target without one, and for one that will be refused when it is made. */
    private @Nullable OpenedImage openBacking(LocalImage to, Path place, OpenedImage source) {
        String name = options.createOptions().getOrDefault("backing_file", "");
        String format = options.createOptions().getOrDefault("backing_fmt", "");
        if (to.format() == ImageFormat.RAW || name.isEmpty() || format.isEmpty()) {
            return null;
        }
        BackingName.require(to.text(), name);
        LocalImage backing =
                new LocalImage(
                        place.resolveSibling(name),
                        ImageFormat.RAW.text().equals(format)
                                ? ImageFormat.RAW
                                : ImageFormat.QCOW2);
        OpenedImage opened = session.open(backing, OpenMode.READ_ONLY, source.loop());
        refuseTargetBelow("backing file", opened, to, place);
        return opened;
    }

    /** What failed first is what is told. */
    private static void closeAfter(OpenedImage target, Throwable failure) {
        try {
            target.close();
        } catch (BlockException closing) {
            failure.addSuppressed(closing);
        }
    }

    private ConvertResult copy(
            OpenedImage source,
            ImageLocation to,
            OpenedImage target,
            @Nullable OpenedImage backing,
            boolean targetIsZero) {
        if (options.compressed() && !target.capabilities().canWriteCompressed()) {
            throw new BlockException(
                    BlockError.ENOTSUP,
                    "target cannot be compressed: target="
                            + to.text()
                            + ", expected=a qcow2 image without a data file");
        }
        BitmapCopy bitmaps =
                options.bitmaps() == Bitmaps.NONE
                        ? null
                        : new BitmapCopy(
                                session,
                                source.location(),
                                to,
                                target,
                                options.bitmaps() == Bitmaps.CONSISTENT);
        CopyPlan plan = CopyPlan.of(source, target, backing, targetIsZero, options);
        CopyRun run = new CopyRun(plan, options.requests(), progress);
        CompletableFuture<CopyTotals> done = new CompletableFuture<>();
        source.loop().execute(() -> Relay.into(done, run::start));
        CopyTotals totals = Relay.await(source.watch().over(done));
        if (bitmaps != null) {
            bitmaps.run();
        }
        return new ConvertResult(
                plan.sourceBytes(),
                totals.readBytes(),
                totals.storedBytes(),
                bitmaps == null ? List.of() : bitmaps.copied(),
                bitmaps == null ? List.of() : bitmaps.skipped(),
                bitmaps != null && bitmaps.hasStale());
    }
}
