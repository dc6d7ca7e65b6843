package io.quoin.testkit.crash;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.BlockStatus;
import io.quoin.block.Capabilities;
import io.quoin.block.Capability;
import io.quoin.block.ExtentList;
import io.quoin.block.Geometry;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.StorageSpace;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * A brick of {@link FlatBytes}; the test puts files there and takes them back.
 *
 * <p>Threading: confined to the test.
 */
public final class FlatFiles implements Xlator {
    private final Map<String, FlatBytes> files = new TreeMap<>();

    public void put(String fileName, FlatBytes bytes) {
        files.put(fileName, bytes);
    }

    public FlatBytes get(String fileName) {
        FlatBytes bytes = files.get(fileName);
        if (bytes == null) {
            throw new BlockException(BlockError.ENOENT, "no such file: name=" + fileName);
        }
        return bytes;
    }

    @Override
    public String name() {
        return "flat";
    }

    @Override
    public String type() {
        return "testkit/flat";
    }

    @Override
    public List<Xlator> subvolumes() {
        return List.of();
    }

    @Override
    public CompletionStage<List<FileInfo>> list() {
        List<FileInfo> infos = new ArrayList<>();
        files.forEach((name, bytes) -> infos.add(new FileInfo(name, bytes.size(), bytes.size())));
        return CompletableFuture.completedFuture(infos);
    }

    @Override
    public CompletionStage<FileInfo> stat(String fileName) {
        FlatBytes bytes = files.get(fileName);
        return bytes == null
                ? failed(BlockError.ENOENT)
                : CompletableFuture.completedFuture(
                        new FileInfo(fileName, bytes.size(), bytes.size()));
    }

    @Override
    public CompletionStage<Void> create(String fileName, CreateOptions options) {
        return failed(BlockError.ENOTSUP);
    }

    @Override
    public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
        CompletableFuture<XlatorFile> opened = new CompletableFuture<>();
        loop.execute(
                () -> {
                    FlatBytes bytes = files.get(fileName);
                    if (bytes == null) {
                        opened.completeExceptionally(
                                new BlockException(
                                        BlockError.ENOENT, "no such file: name=" + fileName));
                    } else {
                        opened.complete(new FlatFile(fileName, bytes, options.mode()));
                    }
                });
        return opened;
    }

    @Override
    public CompletionStage<Void> rename(String fileName, String newFileName) {
        return failed(BlockError.ENOTSUP);
    }

    @Override
    public CompletionStage<Void> replace(String fileName, String byFileName) {
        return failed(BlockError.ENOTSUP);
    }

    @Override
    public CompletionStage<StorageSpace> statfs() {
        return failed(BlockError.ENOTSUP);
    }

    @Override
    public CompletionStage<Void> remove(String fileName) {
        return failed(BlockError.ENOTSUP);
    }

    @Override
    public CompletionStage<Void> close() {
        return CompletableFuture.completedFuture(null);
    }

    private static <T> CompletionStage<T> failed(BlockError error) {
        return CompletableFuture.failedFuture(new BlockException(error, "brick of a crash test"));
    }

    private record FlatFile(String fileName, FlatBytes bytes, OpenMode mode) implements XlatorFile {
        @Override
        public Geometry geometry() {
            return Geometry.ofSize(bytes.size()).blockSizes(1, 4096).transferMax(64 << 20);
        }

        @Override
        public Capabilities capabilities() {
            Capabilities full = Capabilities.DISK.with(Capability.GROW, true);
            return mode == OpenMode.READ_WRITE ? full : full.readOnly();
        }

        @Override
        public void submit(IoRequest request) {
            request.complete(perform(request));
        }

        private BlockError perform(IoRequest request) {
            IoOp op = request.op();
            if (op.changesData() && mode == OpenMode.READ_ONLY) {
                return BlockError.EPERM;
            }
            boolean grows = op == IoOp.WRITE || op == IoOp.WRITE_ZEROES;
            if (!grows && request.endBytes() > bytes.size()) {
                return BlockError.EINVAL;
            }
            switch (op) {
                case READ -> bytes.read(request.offsetBytes(), request.memory());
                case WRITE -> bytes.write(request.offsetBytes(), request.memory());
                case WRITE_ZEROES -> {
                    bytes.resize(Math.max(bytes.size(), request.endBytes()));
                    bytes.zero(request.offsetBytes(), request.lengthBytes());
                }
                case DISCARD -> bytes.zero(request.offsetBytes(), request.lengthBytes());
                case BLOCK_STATUS -> {
                    ExtentList extents = request.extents();
                    if (extents != null) {
                        extents.add(request.lengthBytes(), BlockStatus.DATA);
                    }
                }
                case FLUSH, CACHE -> {}
            }
            return BlockError.OK;
        }

        @Override
        public CompletionStage<Void> resize(long newSizeBytes) {
            bytes.resize(newSizeBytes);
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public Map<String, Object> details() {
            return Map.of("format", "raw", "storage", "memory");
        }

        @Override
        public CompletionStage<Void> close() {
            return CompletableFuture.completedFuture(null);
        }
    }
}
