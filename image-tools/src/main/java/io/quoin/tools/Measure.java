package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.NewImageSize;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.qcow2.info.Qcow2Info;
import io.quoin.xlator.OpenMode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Says how large an image would be that is converted or made, with qemu-img's figures.
 *
 * <p>Threading: confined to the thread of the tool.
 */
public final class Measure {
    private static final int SECTOR_BYTES = 512;
    private static final String PREALLOCATION = "preallocation";

    private final ImageFormat format;
    private final Map<String, String> createOptions;

    /**
     * @param format of the image to be made
     * @param createOptions of it, by qemu-img's names
     */
    public Measure(ImageFormat format, Map<String, String> createOptions) {
        this.format = format;
        this.createOptions = Map.copyOf(createOptions);
        if (format == ImageFormat.RAW) {
            createOptions.keySet().forEach(Measure::requireOptionOfRaw);
        }
    }

    private static void requireOptionOfRaw(String name) {
        if (!name.equals(PREALLOCATION)) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "unknown option for a raw image: name=" + name + ", expected=" + PREALLOCATION);
        }
    }

    /** Of an image of that size without data. */
    public MeasureResult empty(long sizeBytes) {
        if (sizeBytes > Long.MAX_VALUE - SECTOR_BYTES) {
            throw new BlockException(BlockError.EINVAL, "image is too large: size=" + sizeBytes);
        }
        if (format == ImageFormat.RAW) {
            return raw(sizeBytes);
        }
        NewImageSize size = NewImageSize.of(createOptions);
        return new MeasureResult(
                size.requiredBytes(sizeBytes, 0), size.fullyAllocatedBytes(sizeBytes), null);
    }

    /** Of an image with what {@code location} reads as. */
    public MeasureResult of(ImageSession session, ImageLocation location) throws IOException {
        OpenedImage source = session.open(location, OpenMode.READ_ONLY);
        long sizeBytes = source.geometry().sizeBytes();
        if (format == ImageFormat.RAW) {
            return raw(sizeBytes);
        }
        NewImageSize size = NewImageSize.of(createOptions);
        long dataBytes =
                size.countsAllData()
                        ? size.alignUp(sizeBytes)
                        : dataBytes(source, size.clusterSizeBytes());
        return new MeasureResult(
                size.requiredBytes(sizeBytes, dataBytes),
                size.fullyAllocatedBytes(sizeBytes),
                bitmapsBytes(session, location, size));
    }

    private static MeasureResult raw(long sizeBytes) {
        long rounded = (sizeBytes + SECTOR_BYTES - 1) & -SECTOR_BYTES;
        return new MeasureResult(rounded, rounded, null);
    }

    private static long dataBytes(OpenedImage source, int clusterBytes) {
        CompletableFuture<Long> counted = new CompletableFuture<>();
        source.loop()
                .execute(
                        () ->
                                Relay.into(
                                        counted,
                                        () -> new DataCount(source, clusterBytes).start()));
        return Relay.await(source.watch().over(counted));
    }

    /**
     * Only of a qcow2 source that can have bitmaps, and not of its snapshots; inconsistent ones
     * cannot be copied.
     */
    private static @Nullable Long bitmapsBytes(
            ImageSession session, ImageLocation location, NewImageSize size) throws IOException {
        boolean isQcow2 =
                location instanceof LocalImage local
                        && local.format() == ImageFormat.QCOW2
                        && local.snapshot() == null;
        if (!isQcow2 || !size.canHaveBitmaps()) {
            return null;
        }
        Map<String, Object> info;
        try (ImageFile file = session.beside(((LocalImage) location).existing())) {
            info = Qcow2Info.describe(file);
        }
        if (!(info.get("format-specific") instanceof Map<?, ?> specific)
                || !(specific.get("data") instanceof Map<?, ?> data)
                || "0.10".equals(data.get("compat"))) {
            return null;
        }
        long sizeBytes = ((Number) info.getOrDefault("virtual-size", 0L)).longValue();
        long total = 0;
        long directoryBytes = 0;
        if (data.get("bitmaps") instanceof List<?> bitmaps) {
            for (Object entry : bitmaps) {
                Map<?, ?> bitmap = (Map<?, ?>) entry;
                if (String.valueOf(bitmap.get("flags")).contains("in-use")) {
                    continue;
                }
                String name = String.valueOf(bitmap.get("name"));
                long granularity = Long.parseLong(String.valueOf(bitmap.get("granularity")));
                total += size.bitmapBytes(sizeBytes, granularity);
                directoryBytes +=
                        NewImageSize.bitmapEntryBytes(name.getBytes(StandardCharsets.UTF_8).length);
            }
        }
        return total + size.alignUp(directoryBytes);
    }
}
