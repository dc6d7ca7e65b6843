package io.quoin.xlator.boundary;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.FileListener;
import io.quoin.xlator.FilePage;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Stages;
import io.quoin.xlator.StorageSpace;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The checked boundary above a node: names and sizes of namespace calls are legal, exceptions
 * become failed stages, nothing is called after close, and each file is opened behind a {@link
 * BoundaryFile}. In the graph it goes by the name of the node below it.
 *
 * <p>Threading: thread-safe.
 */
public final class BoundaryXlator implements Xlator {
    private static final int NAME_BYTES_MAX = 255;

    private final Xlator below;
    private final Set<BoundaryFile> openFiles = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    public BoundaryXlator(Xlator below) {
        this.below = below;
    }

    /** The node itself. */
    public Xlator below() {
        return below;
    }

    @Override
    public String name() {
        return below.name();
    }

    @Override
    public String type() {
        return below.type();
    }

    @Override
    public List<Xlator> subvolumes() {
        return below.subvolumes();
    }

    /** Plain values: files open through here, and which of them are fenced. */
    public Map<String, Object> statistics() {
        List<String> fenced =
                openFiles.stream()
                        .filter(BoundaryFile::isFenced)
                        .map(XlatorFile::fileName)
                        .sorted()
                        .toList();
        return new TreeMap<>(Map.of("files-open", openFiles.size(), "files-fenced", fenced));
    }

    @Override
    public CompletionStage<List<FileInfo>> list() {
        return call(below::list);
    }

    @Override
    public CompletionStage<FilePage> list(String after, int limit) {
        return limit < 1
                ? failed("no files asked for: limit=" + limit + ", expected=1 or more")
                : call(() -> below.list(after, limit));
    }

    @Override
    public CompletionStage<StorageSpace> statfs() {
        return call(below::statfs);
    }

    @Override
    public CompletionStage<FileInfo> stat(String fileName) {
        return named(fileName, below::stat);
    }

    @Override
    public CompletionStage<Void> create(String fileName, CreateOptions options) {
        if (options.sizeBytes() < 0) {
            return failed(
                    "size is negative: name=" + fileName + ", sizeBytes=" + options.sizeBytes());
        }
        return named(fileName, name -> below.create(name, options));
    }

    @Override
    public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
        AtomicReference<@Nullable BoundaryFile> guard = new AtomicReference<>();
        Loop watched =
                new FileLoop(
                        loop,
                        cause -> {
                            BoundaryFile opened = guard.get();
                            if (opened != null) {
                                opened.taskFailed(cause);
                            }
                        });
        OpenOptions passed =
                options.listener(
                        event -> {
                            BoundaryFile opened = guard.get();
                            if (opened != null) {
                                opened.happened(event);
                            }
                        });
        CompletionStage<XlatorFile> opening =
                named(fileName, name -> below.open(name, passed, watched));
        CompletionStage<XlatorFile> onLoop =
                StageCalls.onLoop(loop, () -> opening, BoundaryXlator::nothing);
        return onLoop.thenCompose(
                file -> {
                    BoundaryFile opened;
                    try {
                        opened = guard(file, loop, options.listener());
                    } catch (RuntimeException | Error e) {
                        // Nothing else could close it.
                        return Stages.failAfterClose(file, e);
                    }
                    guard.set(opened);
                    return CompletableFuture.completedFuture(opened);
                });
    }

    private BoundaryFile guard(XlatorFile file, Loop loop, FileListener listener) {
        BoundaryFile[] self = new BoundaryFile[1];
        BoundaryFile guarded =
                new BoundaryFile(file, loop, name(), listener, () -> openFiles.remove(self[0]));
        self[0] = guarded;
        openFiles.add(guarded);
        return guarded;
    }

    private static void nothing() {}

    @Override
    public CompletionStage<Void> rename(String fileName, String newFileName) {
        return named(fileName, from -> named(newFileName, to -> below.rename(from, to)));
    }

    @Override
    public CompletionStage<Void> replace(String fileName, String byFileName) {
        return fileName.equals(byFileName)
                ? failed("a file cannot be replaced by itself: name=" + fileName)
                : named(fileName, name -> named(byFileName, by -> below.replace(name, by)));
    }

    @Override
    public CompletionStage<Void> remove(String fileName) {
        return named(fileName, below::remove);
    }

    @Override
    public <T> Optional<T> extension(Class<T> type) {
        return below.extension(type);
    }

    /** Fails with EBUSY, and closes nothing, while a file is open. */
    @Override
    public CompletionStage<Void> close() {
        if (!openFiles.isEmpty()) {
            List<String> names = openFiles.stream().map(XlatorFile::fileName).sorted().toList();
            return CompletableFuture.failedFuture(
                    new BlockException(
                            BlockError.EBUSY,
                            "node has open files: name="
                                    + name()
                                    + ", files="
                                    + String.join(", ", names)));
        }
        if (closed) {
            return CompletableFuture.completedFuture(null);
        }
        closed = true;
        return StageCalls.of(below::close);
    }

    private <T> CompletionStage<T> named(
            String fileName, Function<String, CompletionStage<T>> call) {
        int lengthBytes = fileName.getBytes(StandardCharsets.UTF_8).length;
        boolean isPlain = fileName.indexOf('/') < 0 && fileName.indexOf('\0') < 0;
        boolean isDots = fileName.equals(".") || fileName.equals("..");
        if (lengthBytes == 0 || lengthBytes > NAME_BYTES_MAX || !isPlain || isDots) {
            return failed(
                    "not a file name: name="
                            + fileName
                            + ", expected=1 to "
                            + NAME_BYTES_MAX
                            + " bytes without a slash");
        }
        return call(() -> call.apply(fileName));
    }

    private <T> CompletionStage<T> call(Supplier<CompletionStage<T>> call) {
        if (closed) {
            return CompletableFuture.failedFuture(
                    new BlockException(BlockError.ESHUTDOWN, "node is closed: name=" + name()));
        }
        return StageCalls.of(call);
    }

    private static <T> CompletionStage<T> failed(String message) {
        return CompletableFuture.failedFuture(new BlockException(BlockError.EINVAL, message));
    }
}
