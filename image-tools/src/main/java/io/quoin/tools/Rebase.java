package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.qcow2.edit.BackingChange;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.qcow2.info.MapExtent;
import io.quoin.qcow2.open.RebasedFile;
import io.quoin.qcow2.parents.BackingName;
import io.quoin.xlator.NameText;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.agrona.BufferUtil;
import org.jspecify.annotations.Nullable;

/**
 * Gives an image another backing file, or none.
 *
 * <pre>
 *  copy     where the image has nothing of its own and the two backing files differ, it gets the old content
 *  flush
 *  switch   the name in the header, by one write
 * </pre>
 *
 * A crash before the switch leaves the old backing file and the old content, after it the new file
 * and the same content.
 *
 * <p>Threading: confined to the thread of the tool.
 */
public final class Rebase {
    private final ImageSession session;
    private final ProgressListener progress;

    public Rebase(ImageSession session, ProgressListener progress) {
        this.session = session;
        this.progress = progress;
    }

    /**
     * Switches the name alone; what the image reads as then is the caller's business.
     *
     * @param name of a file in the image's folder, whether it is there or not; empty: none
     * @throws BlockException EINVAL or EPERM for a name that cannot be used, EPERM if others stand
     *     on the image, in a volume's folder
     */
    public void unsafe(LocalImage image, String name, ImageFormat format) {
        Path path = check(image, name);
        Path folder = Objects.requireNonNull(path.getParent());
        session.hold(folder);
        if (FolderParents.leadsTo(folder, name, NameText.lastOf(path))) {
            throw loop(path, name);
        }
        try (ImageFile file = session.direct(path, true)) {
            prepare(file, name, format).write();
        } catch (IOException e) {
            throw failed(path, e);
        }
    }

    /**
     * Keeps the content.
     *
     * @param name of an image in the image's folder; empty: none, the image has everything itself
     * @return how many bytes were copied into the image
     * @throws BlockException ENOENT for a backing file that is not there, EINVAL for one that leads
     *     back to the image, ENOTSUP if it has internal snapshots
     */
    public long safe(LocalImage image, String name, ImageFormat format) {
        Path path = check(image, name);
        session.hold(Objects.requireNonNull(path.getParent()));
        requireRoom(path, name, format);
        OpenedImage top = session.openToKeep(image);
        InternalSnapshots.requireNone(top, "be rebased");
        top.call(Rebase::expectOtherBacking);
        OpenedImage below = null;
        LocalImage backing = null;
        if (!name.isEmpty()) {
            backing = new LocalImage(path.resolveSibling(NameText.path(name)), format);
            below = session.open(backing, OpenMode.READ_ONLY, top.loop());
            requireNoLoop(path, below);
        }
        long copied;
        try (Layers layers = Layers.open(session, path)) {
            copied = new Copy(top, below, layers, depthOf(backing, layers)).run();
        }
        top.close();
        if (below != null) {
            below.close();
        }
        switchBacking(path, name, format);
        return copied;
    }

    private static CompletionStage<Void> expectOtherBacking(XlatorFile file) {
        file.extension(RebasedFile.class).ifPresent(RebasedFile::expectOtherBacking);
        return CompletableFuture.completedFuture(null);
    }

    /**
     * From where on the old chain and the new one are the same; the end of the old one, if nowhere.
     * The same file in another format is something else.
     */
    private static int depthOf(@Nullable LocalImage backing, Layers layers) {
        int depth = 1;
        while (depth < layers.count() && !layers.backing(depth).equals(backing)) {
            depth++;
        }
        return depth;
    }

    private static Path check(LocalImage image, String name) {
        if (image.format() != ImageFormat.QCOW2) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "image cannot have a backing file: path="
                            + image.text()
                            + ", expected=format qcow2, actual="
                            + image.format().text());
        }
        Path path = image.existing();
        if (!name.isEmpty()) {
            BackingName.require(image.text(), name);
            if (NameText.lastOf(path).equals(name)) {
                throw new BlockException(
                        BlockError.EINVAL,
                        "image cannot be its own backing file: path=" + NameText.of(path));
            }
        }
        return path;
    }

    private static void requireNoLoop(Path path, OpenedImage below) {
        String own = NameText.lastOf(path);
        for (Object layer = below.details(); layer instanceof Map<?, ?> details; ) {
            if (own.equals(details.get("backing-file"))) {
                throw loop(path, below.location().text());
            }
            layer = details.get("backing");
        }
    }

    private static BlockException loop(Path path, String backing) {
        return new BlockException(
                BlockError.EINVAL,
                "backing chain would be a loop: image="
                        + NameText.of(path)
                        + ", backing file="
                        + backing);
    }

    private void requireRoom(Path path, String name, ImageFormat format) {
        try (ImageFile file = session.direct(path, false)) {
            prepare(file, name, format);
        } catch (IOException e) {
            throw failed(path, e);
        }
    }

    private void switchBacking(Path path, String name, ImageFormat format) {
        try (ImageFile file = session.directToKeep(path)) {
            prepare(file, name, format).write();
        } catch (IOException e) {
            throw failed(path, e);
        }
    }

    private static BackingChange prepare(ImageFile file, String name, ImageFormat format) {
        return name.isEmpty()
                ? BackingChange.prepare(file, null, null)
                : BackingChange.prepare(file, name, format.text());
    }

    private static BlockException failed(Path path, IOException e) {
        return Reason.failure("header cannot be changed", NameText.of(path), e);
    }

    /** The copying of one rebase. */
    private final class Copy {
        private final ImageRequests top;
        private final @Nullable ImageRequests below;
        private final Layers layers;
        private final long sizeBytes;
        private final long belowBytes;
        private final int clusterBytes;

        /** From this depth on the old chain and the new one are the same. */
        private final int sharedDepth;

        private final Pieces pieces;

        Copy(OpenedImage top, @Nullable OpenedImage below, Layers layers, int sharedDepth) {
            this.top = new ImageRequests(top);
            this.below = below == null ? null : new ImageRequests(below);
            this.layers = layers;
            this.sizeBytes = top.geometry().sizeBytes();
            this.belowBytes = below == null ? 0 : below.geometry().sizeBytes();
            this.clusterBytes = Math.min(Pieces.PIECE_BYTES, layers.clusterSizeBytes());
            this.sharedDepth = sharedDepth;
            this.pieces = new Pieces(progress, sizeBytes);
        }

        long run() {
            long copiedBytes;
            try (pieces) {
                layers.map(sharedDepth, this::extent);
                copiedBytes = pieces.await();
            }
            top.flush();
            return copiedBytes;
        }

        private void extent(MapExtent extent) {
            boolean isOwn = extent.depth() == 0 && extent.present();
            boolean isSame = extent.depth() >= sharedDepth || (extent.zero() && below == null);
            long end = extent.start() + extent.length();
            if (!isOwn && !isSame) {
                boolean isZero = extent.zero();
                pieces.add(
                        extent.start(),
                        end,
                        (at, length, memory) -> new Piece(at, length, memory).run(isZero));
            }
            pieces.passed(end);
        }

        /** What is copied at once. */
        private final class Piece {
            private final long at;
            private final int length;
            private final ByteBuffer oldBytes;
            private final ByteBuffer newBytes;
            private long copiedBytes;

            Piece(long at, int length, Pieces.Memory memory) {
                this.at = at;
                this.length = length;
                this.oldBytes = memory.first();
                this.newBytes = memory.second();
            }

            long run(boolean isZero) {
                readOld(isZero);
                int present = (int) Math.max(0, Math.min(length, belowBytes - at));
                if (below != null && present > 0) {
                    below.read(at, newBytes, present);
                }
                BlockMemory.zero(BufferUtil.address(newBytes) + present, length - present);
                int from = 0;
                while (from < length) {
                    int next = clusterEnd(from);
                    if (isEqual(from, next)) {
                        from = next;
                        continue;
                    }
                    boolean zeros = isZero(from, next);
                    while (next < length) {
                        int end = clusterEnd(next);
                        if (isEqual(next, end) || isZero(next, end) != zeros) {
                            break;
                        }
                        next = end;
                    }
                    store(from, next, zeros);
                    from = next;
                }
                return copiedBytes;
            }

            private void readOld(boolean isZero) {
                if (isZero) {
                    BlockMemory.zero(BufferUtil.address(oldBytes), length);
                } else {
                    top.read(at, oldBytes, length);
                }
            }

            private void store(int from, int to, boolean zeros) {
                if (zeros) {
                    top.writeZeroes(at + from, to - from);
                } else {
                    top.write(at + from, oldBytes, from, to - from);
                }
                copiedBytes += to - from;
            }

            private int clusterEnd(int from) {
                long end = ((at + from) / clusterBytes + 1) * clusterBytes;
                return (int) Math.min(length, end - at);
            }

            private boolean isEqual(int from, int to) {
                return BlockMemory.mismatch(
                                BufferUtil.address(oldBytes) + from,
                                BufferUtil.address(newBytes) + from,
                                to - from)
                        < 0;
            }

            private boolean isZero(int from, int to) {
                return BlockMemory.isZero(BufferUtil.address(oldBytes) + from, to - from);
            }
        }
    }
}
