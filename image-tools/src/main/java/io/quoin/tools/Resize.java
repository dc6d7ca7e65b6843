package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.block.Reason;
import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.check.CheckResult;
import io.quoin.qcow2.check.Qcow2Check;
import io.quoin.qcow2.check.RepairMode;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.qcow2.open.PreallocatedFile;
import io.quoin.xlator.NameText;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.agrona.BufferUtil;

/**
 * Makes an image larger or smaller, and allocates the part that it grows by.
 *
 * <p>Threading: confined to the thread of the tool.
 */
public final class Resize {
    /** How much of the part that the image grows by is allocated at once. */
    public enum Preallocation {
        OFF,
        METADATA,
        FALLOC,
        FULL
    }

    private static final int PIECE_BYTES = 1 << 20;
    private static final int ALIGNMENT = 4096;
    private static final int SECTOR_BYTES = 512;
    private static final long ZEROES_BYTES = 64 << 20;

    private final ImageSession session;
    private final ProgressListener progress;
    private final ByteBuffer zeros = BufferUtil.allocateDirectAligned(PIECE_BYTES, ALIGNMENT);

    public Resize(ImageSession session, ProgressListener progress) {
        this.session = session;
        this.progress = progress;
    }

    /** The virtual size of an image. */
    public long sizeBytes(LocalImage image) {
        try (OpenedImage opened = session.open(image, OpenMode.READ_ONLY)) {
            return opened.geometry().sizeBytes();
        }
    }

    /**
     * Resizes; a qcow2 image to whole sectors, as qemu-img does.
     *
     * @param shrink whether it may become smaller, which loses what lies behind the new end
     * @return the size that it has now
     * @throws BlockException EINVAL where {@code shrink} is missing, ENOTSUP for an image that
     *     cannot be resized so
     */
    public long run(LocalImage image, long wanted, boolean shrink, Preallocation preallocation) {
        boolean isRaw = image.format() == ImageFormat.RAW;
        long newBytes = isRaw ? wanted : (wanted + SECTOR_BYTES - 1) & -SECTOR_BYTES;
        if (isRaw && preallocation == Preallocation.METADATA) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "raw images have no metadata: preallocation=metadata, expected=off, falloc or"
                            + " full");
        }
        OpenedImage opened = session.open(image, OpenMode.READ_WRITE);
        long oldBytes = opened.geometry().sizeBytes();
        if (newBytes < oldBytes) {
            requireShrinkable(image, oldBytes, newBytes, shrink, preallocation);
        }
        boolean smaller = newBytes < oldBytes;
        if (smaller && !isRaw) {
            requireSound(image);
        }
        opened.callToTheEnd(file -> smaller ? file.shrink(newBytes) : file.resize(newBytes));
        if (newBytes > oldBytes) {
            preallocate(opened, oldBytes, newBytes, preallocation);
        }
        opened.close();
        return newBytes;
    }

    /**
     * A shrink gives clusters back by what the image's tables and counts say: nothing may be lost
     * before it is known that they say the same. Looked at beside the image, which is open.
     */
    private void requireSound(LocalImage image) {
        Path path = image.existing();
        CheckResult result;
        try (ImageFile file = session.beside(path)) {
            result = Qcow2Check.check(file, RepairMode.NONE, CheckListener.SILENT);
        } catch (IOException e) {
            throw Reason.failure(
                    "image cannot be checked before it becomes smaller", NameText.of(path), e);
        }
        if (result.corruptions() > 0 || result.checkErrors() > 0) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "image is corrupt and cannot become smaller: path="
                            + image.text()
                            + ", corruptions="
                            + result.corruptions()
                            + ", not checked="
                            + result.checkErrors()
                            + "; run quoin image check --repair all first");
        }
    }

    private static void requireShrinkable(
            LocalImage image,
            long oldBytes,
            long newBytes,
            boolean shrink,
            Preallocation preallocation) {
        if (!shrink) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "image would lose what lies behind its new end: path="
                            + image.text()
                            + ", actual size="
                            + oldBytes
                            + ", new size="
                            + newBytes
                            + "; use --shrink to confirm");
        }
        if (preallocation != Preallocation.OFF) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "nothing to allocate in an image that becomes smaller: preallocation="
                            + preallocation.name().toLowerCase(java.util.Locale.ROOT)
                            + ", expected=off");
        }
    }

    private void preallocate(
            OpenedImage opened, long start, long end, Preallocation preallocation) {
        ImageRequests requests = new ImageRequests(opened);
        switch (preallocation) {
            case OFF -> {
                return;
            }
            case METADATA, FALLOC -> {
                int flags =
                        preallocation == Preallocation.METADATA ? IoFlags.MAY_UNMAP : IoFlags.NONE;
                opened.call(Resize::allocateZeros);
                for (long at = start; at < end; ) {
                    long pieceEnd = Math.min(end, (at / ZEROES_BYTES + 1) * ZEROES_BYTES);
                    requests.writeZeroes(at, pieceEnd - at, flags);
                    at = pieceEnd;
                    progress.progress(at - start, end - start);
                }
            }
            case FULL -> {
                for (long at = start; at < end; ) {
                    int length = (int) Math.min(end - at, PIECE_BYTES);
                    requests.write(at, zeros, 0, length);
                    at += length;
                    progress.progress(at - start, end - start);
                }
            }
        }
        requests.flush();
    }

    private static CompletionStage<Void> allocateZeros(XlatorFile file) {
        file.extension(PreallocatedFile.class).ifPresent(PreallocatedFile::allocateZeros);
        return CompletableFuture.completedFuture(null);
    }
}
