package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.edit.ImageEmptying;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.qcow2.info.MapExtent;
import io.quoin.xlator.NameText;
import io.quoin.xlator.OpenMode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Writes what an image has itself into a backing file.
 *
 * <pre>
 *  grow    the backing file, if it is smaller
 *  copy    what lies above it, data as data and zeros as zeros
 *  flush   the backing file
 *  empty   the image, which reads the same from its backing file now
 * </pre>
 *
 * At each point the image itself reads as it did.
 *
 * <p>Threading: confined to the thread of the tool.
 */
public final class Commit {
    private final ImageSession session;
    private final ProgressListener progress;

    public Commit(ImageSession session, ProgressListener progress) {
        this.session = session;
        this.progress = progress;
    }

    /**
     * What a commit did.
     *
     * @param backing the file that has the data now
     * @param writtenBytes into it, zeros included where it had something
     * @param emptied whether the image was emptied
     */
    public record Result(String backing, long writtenBytes, boolean emptied) {}

    /**
     * Commits.
     *
     * @param base a backing file further down; null: the image's own
     * @param keep leaves the image as it is; always so with a {@code base}, since the files between
     *     hide it
     * @throws BlockException EINVAL if there is no such backing file, or if the image is to be
     *     emptied and cannot be; ENOTSUP if it has internal snapshots; EPERM if others stand on the
     *     backing file, in a volume's folder; nothing has changed then
     */
    public Result run(LocalImage image, @Nullable String base, boolean keep) {
        Path path = image.existing();
        session.hold(Objects.requireNonNull(path.getParent()));
        boolean empties = !keep && base == null;
        long written;
        LocalImage backing;
        OpenedImage top = session.open(image, OpenMode.READ_ONLY);
        InternalSnapshots.requireNone(top, "be committed");
        try (Layers layers = layersOf(image, path)) {
            int depth = depthOf(path, layers, base);
            backing = layers.backing(depth);
            if (empties) {
                requireEmptiable(path);
            }
            OpenedImage target = session.openBelow(NameText.lastOf(path), backing, top.loop());
            written = new Copy(top, target, depth).run(layers);
            target.close();
        }
        top.close();
        if (empties) {
            empty(path);
        }
        return new Result(backing.text(), written, empties);
    }

    private Layers layersOf(LocalImage image, Path path) {
        if (image.format() != ImageFormat.QCOW2) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "image has no backing file: path="
                            + image.text()
                            + ", expected=format qcow2, actual="
                            + image.format().text());
        }
        return Layers.open(session, path);
    }

    private static int depthOf(Path path, Layers layers, @Nullable String base) {
        List<String> names = layers.backingNames();
        if (names.isEmpty()) {
            throw new BlockException(
                    BlockError.EINVAL, "image has no backing file: path=" + NameText.of(path));
        }
        int depth = base == null ? 1 : names.indexOf(base) + 1;
        if (depth == 0) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "no such file in the backing chain: name="
                            + base
                            + ", expected=one of "
                            + String.join(", ", names));
        }
        return depth;
    }

    private void requireEmptiable(Path path) {
        try (ImageFile file = session.direct(path, true)) {
            ImageEmptying.requireEmptiable(file);
        } catch (IOException e) {
            throw notEmptied(path, e);
        }
    }

    private void empty(Path path) {
        try (ImageFile file = session.direct(path, true)) {
            file.truncate(ImageEmptying.empty(file, CheckListener.SILENT));
        } catch (IOException e) {
            throw notEmptied(path, e);
        }
    }

    private static BlockException notEmptied(Path path, IOException e) {
        return Reason.failure("image cannot be emptied", NameText.of(path), e);
    }

    /** The copying of one commit. */
    private final class Copy {
        private final ImageRequests top;
        private final ImageRequests target;
        private final OpenedImage targetImage;
        private final int depth;
        private final long sizeBytes;
        private final long oldTargetBytes;
        private final Pieces pieces;

        /** Of the backing file as it was: what is written lies behind it. */
        private final ExtentCursor below;

        private long zeroedBytes;

        Copy(OpenedImage top, OpenedImage target, int depth) {
            this.top = new ImageRequests(top);
            this.target = new ImageRequests(target);
            this.targetImage = target;
            this.depth = depth;
            this.sizeBytes = top.geometry().sizeBytes();
            this.oldTargetBytes = target.geometry().sizeBytes();
            this.pieces = new Pieces(progress, sizeBytes);
            this.below = new ExtentCursor(target.file(), target.loop(), oldTargetBytes);
        }

        long run(Layers layers) {
            if (oldTargetBytes < sizeBytes) {
                targetImage.callToTheEnd(file -> file.resize(sizeBytes));
            }
            long copiedBytes;
            try (pieces) {
                layers.map(depth, this::extent);
                copiedBytes = pieces.await();
            }
            target.flush();
            return zeroedBytes + copiedBytes;
        }

        private void extent(MapExtent extent) {
            long at = extent.start();
            long end = extent.start() + extent.length();
            if (extent.depth() < depth) {
                if (extent.zero()) {
                    zeroes(at, end);
                } else {
                    pieces.add(at, end, this::copy);
                }
            }
            pieces.passed(end);
        }

        /** Nothing is stored where the backing file reads as zeros already. */
        private void zeroes(long at, long end) {
            long position = at;
            while (position < end) {
                long from = position;
                long known = from < oldTargetBytes ? targetImage.call(file -> status(from)) : end;
                long length = Math.min(end - from, Math.abs(known));
                if (known < 0) {
                    target.writeZeroes(from, length);
                    zeroedBytes += length;
                }
                position += length;
            }
        }

        /** How far the backing file has zeros from there on, or else, negative, something. */
        private CompletionStage<Long> status(long at) {
            CompletableFuture<Long> told = new CompletableFuture<>();
            below.goTo(at);
            if (below.isKnown()) {
                told.complete(run());
                return told;
            }
            below.look(
                    error -> {
                        if (error.isOk()) {
                            told.complete(run());
                        } else {
                            told.completeExceptionally(
                                    ImageFailure.of(
                                            targetImage,
                                            "block status",
                                            at,
                                            oldTargetBytes - at,
                                            error));
                        }
                    });
            return told;
        }

        private long run() {
            return below.isZero() ? below.runBytes() : -below.runBytes();
        }

        private long copy(long at, int lengthBytes, Pieces.Memory memory) {
            top.read(at, memory.first(), lengthBytes);
            target.write(at, memory.first(), 0, lengthBytes);
            return lengthBytes;
        }
    }
}
