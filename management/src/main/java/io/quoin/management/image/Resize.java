package io.quoin.management.image;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.check.MapExtent;
import io.quoin.xlator.OpenMode;
import java.nio.ByteBuffer;
import java.nio.file.Path;
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
    private static final int WRITES_MAX = 64;

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
        if (!isRaw && preallocation == Preallocation.FALLOC) {
            requireOwnData(image.existing());
        }
        OpenedImage opened = session.open(image, OpenMode.READ_WRITE);
        long oldBytes = opened.geometry().sizeBytes();
        if (newBytes < oldBytes) {
            requireShrinkable(image, oldBytes, newBytes, shrink, preallocation);
        }
        boolean smaller = newBytes < oldBytes;
        opened.callToTheEnd(file -> smaller ? file.shrink(newBytes) : file.resize(newBytes));
        if (newBytes > oldBytes) {
            preallocate(opened, oldBytes, newBytes, isRaw, preallocation);
        }
        opened.close();
        if (newBytes > oldBytes && !isRaw && preallocation == Preallocation.FALLOC) {
            reserve(image.existing(), oldBytes, newBytes);
        }
        return newBytes;
    }

    private static void requireOwnData(Path path) {
        try (Layers layers = Layers.open(path)) {
            if (layers.hasDataFile()) {
                throw new BlockException(
                        BlockError.ENOTSUP,
                        "space cannot be reserved in an external data file: path="
                                + path
                                + ", preallocation=falloc, expected=off, metadata or full");
            }
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
            OpenedImage opened, long start, long end, boolean isRaw, Preallocation preallocation) {
        ImageRequests requests = new ImageRequests(opened);
        switch (preallocation) {
            case OFF -> {
                return;
            }
            case METADATA -> touch(requests, opened, start, end);
            case FALLOC -> {
                if (isRaw) {
                    requests.writeZeroes(start, end - start);
                } else {
                    touch(requests, opened, start, end);
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

    /** A sector of zeros gives each cluster its place. */
    private void touch(ImageRequests requests, OpenedImage opened, long start, long end) {
        Object known = opened.details().get("cluster-size");
        long cluster = known instanceof Number number ? number.longValue() : SECTOR_BYTES;
        requests.writeMany(start, cluster, 1, zeros, SECTOR_BYTES);
        long at = (start + cluster - 1) / cluster * cluster;
        while (at < end) {
            int count = (int) Math.min(WRITES_MAX, (end - at + cluster - 1) / cluster);
            requests.writeMany(at, cluster, count, zeros, SECTOR_BYTES);
            at += count * cluster;
            progress.progress(Math.min(at, end) - start, end - start);
        }
    }

    /** Space for the clusters of the new part, which read as zeros, in the image file. */
    private void reserve(Path path, long start, long end) {
        OpenedImage file = session.open(new LocalImage(path, ImageFormat.RAW), OpenMode.READ_WRITE);
        ImageRequests requests = new ImageRequests(file);
        try (Layers layers = Layers.open(path)) {
            layers.map(1, extent -> reserve(requests, extent, start, end));
        }
        requests.flush();
        file.close();
    }

    private static void reserve(ImageRequests requests, MapExtent extent, long start, long end) {
        long from = Math.max(start, extent.start());
        long to = Math.min(end, extent.start() + extent.length());
        if (extent.depth() == 0 && extent.data() && !extent.compressed() && from < to) {
            requests.writeZeroes(extent.offset() + (from - extent.start()), to - from);
        }
    }
}
