package io.quoin.snapshot;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Capabilities;
import io.quoin.block.Capability;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.XlatorFile;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * An open disk, or a snapshot of one: the image file under the disk's name. It may grow and never
 * shrinks, since what is cut off a disk is gone for good.
 *
 * <p>Threading: confined(loop).
 */
final class DiskFile extends PassThroughFile {
    private final String disk;
    private final String file;
    private final DiskFormat format;
    private final Runnable release;

    /**
     * @param disk its name, or that of a snapshot
     * @param file the image below
     */
    DiskFile(XlatorFile below, String disk, String file, DiskFormat format, Runnable release) {
        super(below);
        this.disk = disk;
        this.file = file;
        this.format = format;
        this.release = release;
    }

    @Override
    public String fileName() {
        return disk;
    }

    /** A disk has its size, even where the file below would grow under a write. */
    @Override
    public Capabilities capabilities() {
        return below().capabilities().without(Capability.GROW);
    }

    /** A disk is made smaller by a copy to a smaller one, so that its old content is kept. */
    @Override
    public CompletionStage<Void> shrink(long newSizeBytes) {
        return newSizeBytes < geometry().sizeBytes()
                ? resize(newSizeBytes)
                : CompletableFuture.failedFuture(
                        new BlockException(
                                BlockError.EINVAL,
                                "disk is not larger than that: name="
                                        + disk
                                        + ", wanted="
                                        + newSizeBytes));
    }

    @Override
    public CompletionStage<Void> resize(long newSizeBytes) {
        try {
            DiskSize.check(newSizeBytes);
            long sizeBytes = geometry().sizeBytes();
            if (newSizeBytes < sizeBytes) {
                throw new BlockException(
                        BlockError.ENOTSUP,
                        "disk cannot shrink: name="
                                + disk
                                + ", size="
                                + sizeBytes
                                + ", wanted="
                                + newSizeBytes
                                + "; copy what is needed to a new, smaller disk instead");
            }
            return newSizeBytes == sizeBytes
                    ? CompletableFuture.completedFuture(null)
                    : below().resize(newSizeBytes);
        } catch (BlockException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    @Override
    public Map<String, Object> details() {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("file", file);
        details.put("format", format.text());
        details.putAll(below().details());
        return details;
    }

    @Override
    public CompletionStage<Void> close() {
        return below().close().whenComplete((none, failure) -> release.run());
    }
}
