package io.quoin.benchmarks.jmh;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Capabilities;
import io.quoin.block.Geometry;
import io.quoin.block.IoRequest;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.StorageSpace;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.OptionTable;
import io.quoin.xlator.graph.OptionValues;
import io.quoin.xlator.graph.XlatorType;
import io.quoin.xlator.loop.Loop;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * A bottom whose every file answers at once and does nothing, so that only what lies above it is
 * measured.
 *
 * <p>Threading: thread-safe; its files are confined(loop).
 */
final class NullXlator implements Xlator {
    static final String TYPE = "benchmark/null";

    private final String name;

    NullXlator(String name) {
        this.name = name;
    }

    /** For graphs. */
    static final class Type implements XlatorType {
        @Override
        public String type() {
            return TYPE;
        }

        @Override
        public OptionTable options() {
            return OptionTable.of();
        }

        @Override
        public int subvolumesMin() {
            return 0;
        }

        @Override
        public int subvolumesMax() {
            return 0;
        }

        @Override
        public Xlator create(
                String name, OptionValues options, List<Xlator> subvolumes, GraphContext context) {
            return new NullXlator(name);
        }
    }

    /** Answers at once. */
    static final class NullFile implements XlatorFile {
        private final Geometry geometry =
                Geometry.ofSize(1L << 40).blockSizes(1, 4096).transferMax(1 << 25);
        private final Capabilities capabilities = Capabilities.DISK;

        @Override
        public String fileName() {
            return "null";
        }

        @Override
        public Geometry geometry() {
            return geometry;
        }

        @Override
        public Capabilities capabilities() {
            return capabilities;
        }

        @Override
        public void submit(IoRequest request) {
            request.complete(BlockError.OK);
        }

        @Override
        public CompletionStage<Void> resize(long newSizeBytes) {
            return refused("resize");
        }

        @Override
        public Map<String, Object> details() {
            return Map.of();
        }

        @Override
        public CompletionStage<Void> close() {
            return CompletableFuture.completedFuture(null);
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String type() {
        return TYPE;
    }

    @Override
    public List<Xlator> subvolumes() {
        return List.of();
    }

    @Override
    public CompletionStage<List<FileInfo>> list() {
        return CompletableFuture.completedFuture(List.of());
    }

    @Override
    public CompletionStage<StorageSpace> statfs() {
        return refused("statfs");
    }

    @Override
    public CompletionStage<FileInfo> stat(String fileName) {
        return refused("stat");
    }

    @Override
    public CompletionStage<Void> create(String fileName, CreateOptions options) {
        return refused("create");
    }

    @Override
    public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
        return CompletableFuture.completedFuture(new NullFile());
    }

    @Override
    public CompletionStage<Void> rename(String fileName, String newFileName) {
        return refused("rename");
    }

    @Override
    public CompletionStage<Void> replace(String fileName, String byFileName) {
        return refused("replace");
    }

    @Override
    public CompletionStage<Void> remove(String fileName) {
        return refused("remove");
    }

    @Override
    public CompletionStage<Void> close() {
        return CompletableFuture.completedFuture(null);
    }

    private static <T> CompletionStage<T> refused(String call) {
        return CompletableFuture.failedFuture(
                new BlockException(BlockError.ENOTSUP, "not measured here: call=" + call));
    }
}
