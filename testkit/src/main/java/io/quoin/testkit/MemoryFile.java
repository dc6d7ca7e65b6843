package io.quoin.testkit;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Capabilities;
import io.quoin.block.Capability;
import io.quoin.block.ExtentList;
import io.quoin.block.Geometry;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * An open file of a {@link MemoryXlator}.
 *
 * <p>Threading: confined(loop).
 */
final class MemoryFile implements XlatorFile {
    private static final int TRANSFER_BYTES_MAX = 64 << 20;
    private static final int PREFERRED_BYTES = 4096;
    private static final Capabilities READ_WRITE = Capabilities.DISK.with(Capability.GROW, true);

    private final MemoryXlator owner;
    private final StoredFile stored;
    private final String fileName;
    private final OpenMode mode;
    private final Loop loop;
    private final boolean direct;
    private @Nullable Geometry geometry;

    MemoryFile(
            MemoryXlator owner,
            StoredFile stored,
            String fileName,
            OpenMode mode,
            Loop loop,
            boolean direct) {
        this.owner = owner;
        this.stored = stored;
        this.fileName = fileName;
        this.mode = mode;
        this.loop = loop;
        this.direct = direct;
    }

    @Override
    public String fileName() {
        return fileName;
    }

    @Override
    public Geometry geometry() {
        long sizeBytes = stored.sizeBytes();
        Geometry known = geometry;
        if (known == null || known.sizeBytes() != sizeBytes) {
            known =
                    Geometry.ofSize(sizeBytes)
                            .blockSizes(1, PREFERRED_BYTES)
                            .transferMax(TRANSFER_BYTES_MAX);
            geometry = known;
        }
        return known;
    }

    @Override
    public Capabilities capabilities() {
        return mode == OpenMode.READ_WRITE ? READ_WRITE : READ_WRITE.readOnly();
    }

    @Override
    public void submit(IoRequest request) {
        if (direct) {
            request.complete(perform(request));
        } else {
            loop.execute(() -> request.complete(perform(request)));
        }
    }

    private BlockError perform(IoRequest request) {
        IoOp op = request.op();
        if (op.changesData() && mode == OpenMode.READ_ONLY) {
            return BlockError.EPERM;
        }
        boolean grows = op == IoOp.WRITE || op == IoOp.WRITE_ZEROES;
        if (!grows && request.endBytes() > stored.sizeBytes()) {
            return BlockError.EINVAL;
        }
        synchronized (stored) {
            performLocked(request);
        }
        return BlockError.OK;
    }

    private void performLocked(IoRequest request) {
        SparseBytes bytes = stored.bytes();
        long offset = request.offsetBytes();
        long length = request.lengthBytes();
        ExtentList extents = request.extents();
        switch (request.op()) {
            case READ -> {
                bytes.read(offset, request.memory());
                if (request.has(IoFlags.SPARSE) && extents != null) {
                    bytes.status(offset, length, extents);
                    if (extents.lengthBytes() != length) {
                        extents.clear();
                    }
                }
            }
            case WRITE -> bytes.write(offset, request.memory());
            case WRITE_ZEROES -> {
                if (request.has(IoFlags.MAY_UNMAP)) {
                    bytes.punch(offset, length);
                    bytes.grow(request.endBytes());
                } else {
                    bytes.zero(offset, length);
                }
            }
            case DISCARD -> bytes.punch(offset, length);
            case BLOCK_STATUS -> {
                if (extents != null) {
                    bytes.status(offset, length, extents);
                }
            }
            case FLUSH, CACHE -> {}
        }
        if (request.op().changesData()) {
            stored.changed();
        }
        if (request.op() == IoOp.FLUSH || request.has(IoFlags.FUA)) {
            stored.flushed();
        }
    }

    @Override
    public CompletionStage<Void> resize(long newSizeBytes) {
        if (mode == OpenMode.READ_ONLY) {
            return CompletableFuture.failedFuture(
                    new BlockException(
                            BlockError.EPERM, "file is open read-only: name=" + fileName));
        }
        if (newSizeBytes < 0) {
            return CompletableFuture.failedFuture(
                    new BlockException(
                            BlockError.EINVAL,
                            "new size: name="
                                    + fileName
                                    + ", expected=0 or more, actual="
                                    + newSizeBytes));
        }
        synchronized (stored) {
            stored.bytes().resize(newSizeBytes);
            stored.changed();
            stored.flushed();
        }
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletionStage<Void> shrink(long newSizeBytes) {
        return resize(Math.min(newSizeBytes, stored.sizeBytes()));
    }

    @Override
    public Map<String, Object> details() {
        return Map.of("format", "raw", "storage", "memory");
    }

    @Override
    public CompletionStage<Void> close() {
        owner.closed(stored, mode);
        return CompletableFuture.completedFuture(null);
    }
}
