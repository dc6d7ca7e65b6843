package io.quoin.replicate.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Stages;
import io.quoin.xlator.StorageSpace;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Names above {@link VolumeFiles}. The volume is mounted by the first call, and anew after a change
 * of names that has failed. What changes names, or asks for one, is done one after the other.
 *
 * <p>Threading: thread-safe; the catalogue is confined to {@code loop}.
 */
public class VolumeXlator implements Xlator {
    private static final Logger LOG = LoggerFactory.getLogger(VolumeXlator.class);

    private final String name;
    private final String type;
    private final List<Xlator> subvolumes;
    private final VolumeFiles files;
    private final Loop loop;
    private final OpenFiles open = new OpenFiles();
    private @Nullable Catalogue catalogue;
    private CompletionStage<?> last = CompletableFuture.completedFuture(null);

    /**
     * @param files its own from here on
     * @param loop has the catalogue
     */
    public VolumeXlator(
            String name, String type, List<Xlator> subvolumes, VolumeFiles files, Loop loop) {
        this.name = name;
        this.type = type;
        this.subvolumes = List.copyOf(subvolumes);
        this.files = files;
        this.loop = loop;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String type() {
        return type;
    }

    @Override
    public List<Xlator> subvolumes() {
        return subvolumes;
    }

    @Override
    public CompletionStage<List<FileInfo>> list() {
        return names().thenCompose(
                        names -> {
                            List<CompletableFuture<@Nullable FileInfo>> infos =
                                    names.entrySet().stream()
                                            .map(e -> statIfThere(e.getValue(), e.getKey()))
                                            .toList();
                            return CompletableFuture.allOf(
                                            infos.toArray(CompletableFuture<?>[]::new))
                                    .thenApply(
                                            all ->
                                                    infos.stream()
                                                            .map(CompletableFuture::join)
                                                            .filter(Objects::nonNull)
                                                            .toList());
                        });
    }

    /** Null for one that has been removed meanwhile. */
    private CompletableFuture<@Nullable FileInfo> statIfThere(UUID file, String fileName) {
        return files.stat(file, fileName)
                .exceptionally(
                        failure -> {
                            BlockException reason = Stages.asBlockException(failure);
                            if (reason.error() == BlockError.ENOENT) {
                                return null;
                            }
                            throw reason;
                        })
                .toCompletableFuture();
    }

    @Override
    public CompletionStage<StorageSpace> statfs() {
        return files.space();
    }

    @Override
    public CompletionStage<FileInfo> stat(String fileName) {
        return withNames(names -> done(find(names, fileName)))
                .thenCompose(file -> files.stat(file, fileName));
    }

    @Override
    public CompletionStage<Void> create(String fileName, CreateOptions options) {
        return withNames(
                names -> {
                    requireFree(names, fileName);
                    if (options.sizeBytes() < 0 || !options.options().isEmpty()) {
                        throw new BlockException(
                                BlockError.EINVAL,
                                "illegal new file: name="
                                        + fileName
                                        + ", size="
                                        + options.sizeBytes()
                                        + ", options="
                                        + options.options().keySet()
                                        + ", expected=a size of 0 or more and no options");
                    }
                    UUID file = UUID.randomUUID();
                    return files.create(file, options.sizeBytes())
                            .thenComposeAsync(
                                    made -> change(names, next -> next.put(fileName, file)), loop);
                });
    }

    @Override
    public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop fileLoop) {
        CompletableFuture<XlatorFile> opened = new CompletableFuture<>();
        withNames(
                        names -> {
                            UUID file = find(names, fileName);
                            open.acquire(file, fileName, options.mode());
                            return done(file);
                        })
                .thenCompose(file -> openNow(file, fileName, options, fileLoop))
                .whenComplete(
                        (file, failure) ->
                                fileLoop.execute(
                                        () -> {
                                            if (failure == null) {
                                                opened.complete(file);
                                            } else {
                                                opened.completeExceptionally(
                                                        Stages.asBlockException(failure));
                                            }
                                        }));
        return opened;
    }

    private CompletionStage<XlatorFile> openNow(
            UUID file, String fileName, OpenOptions options, Loop fileLoop) {
        Runnable release = () -> open.release(file, options.mode());
        return files.open(file, fileName, options, fileLoop)
                .whenComplete(
                        (opened, failure) -> {
                            if (failure != null) {
                                release.run();
                            }
                        })
                .thenApply(opened -> new NamedFile(opened, release));
    }

    @Override
    public CompletionStage<Void> rename(String fileName, String newFileName) {
        return withNames(
                names -> {
                    UUID file = find(names, fileName);
                    requireFree(names, newFileName);
                    return change(
                            names,
                            next -> {
                                next.remove(fileName);
                                next.put(newFileName, file);
                            });
                });
    }

    @Override
    public CompletionStage<Void> replace(String fileName, String byFileName) {
        return withNames(
                names -> {
                    UUID old = find(names, fileName);
                    UUID by = find(names, byFileName);
                    if (old.equals(by)) {
                        throw new BlockException(
                                BlockError.EINVAL, "file cannot replace itself: name=" + fileName);
                    }
                    open.requireClosed(old, fileName);
                    open.requireClosed(by, byFileName);
                    return change(
                                    names,
                                    next -> {
                                        next.remove(byFileName);
                                        next.put(fileName, by);
                                    })
                            .thenCompose(changed -> Mount.deleteNameless(old, files));
                });
    }

    @Override
    public CompletionStage<Void> remove(String fileName) {
        return withNames(
                names -> {
                    UUID file = find(names, fileName);
                    open.requireClosed(file, fileName);
                    return change(names, next -> next.remove(fileName))
                            .thenCompose(changed -> Mount.deleteNameless(file, files));
                });
    }

    @Override
    public CompletionStage<Void> close() {
        return inTurn(
                () -> unmount().handle((none, failure) -> failure).thenCompose(this::closeFiles));
    }

    private CompletionStage<Void> closeFiles(@Nullable Throwable failure) {
        return files.close().thenCompose(none -> outcome(failure));
    }

    private static CompletionStage<Void> outcome(@Nullable Throwable failure) {
        return failure == null ? done() : CompletableFuture.failedFuture(failure);
    }

    private static UUID find(SortedMap<String, UUID> names, String fileName) {
        VolumeNames.check(fileName);
        UUID file = names.get(fileName);
        if (file == null) {
            throw new BlockException(BlockError.ENOENT, "no such file: name=" + fileName);
        }
        return file;
    }

    private static void requireFree(SortedMap<String, UUID> names, String fileName) {
        VolumeNames.check(fileName);
        if (names.containsKey(fileName)) {
            throw new BlockException(BlockError.EEXIST, "file exists already: name=" + fileName);
        }
    }

    /** On the loop. */
    private CompletionStage<Void> change(
            SortedMap<String, UUID> names, Consumer<SortedMap<String, UUID>> step) {
        Catalogue present = catalogue;
        if (present == null) {
            throw new AssertionError("names change while the volume is not mounted");
        }
        SortedMap<String, UUID> next = new TreeMap<>(names);
        step.accept(next);
        return present.change(next)
                .handle((changed, failure) -> failure)
                .thenCompose(failure -> failure == null ? done() : givenUp(failure));
    }

    /** The names are not known any more: the next call reads them. */
    private CompletionStage<Void> givenUp(Throwable failure) {
        Catalogue present = catalogue;
        if (present != null) {
            present.abort(Stages.asBlockException(failure).error());
        }
        return unmount()
                .handle((none, second) -> failure)
                .thenCompose(CompletableFuture::failedFuture);
    }

    /** The names and the files that they lead to. */
    final CompletionStage<SortedMap<String, UUID>> names() {
        return withNames(names -> done(new TreeMap<>(names)));
    }

    private <T> CompletionStage<T> withNames(
            Function<SortedMap<String, UUID>, CompletionStage<T>> operation) {
        return inTurn(() -> mounted().thenCompose(present -> operation.apply(present.names())));
    }

    private <T> CompletionStage<T> inTurn(Supplier<CompletionStage<T>> operation) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        loop.execute(
                () -> {
                    CompletionStage<T> mine =
                            last.thenComposeAsync(before -> operation.get(), loop);
                    last = mine.handle((result, failure) -> null);
                    mine.whenComplete(
                            (result, failure) -> {
                                if (failure == null) {
                                    answer.complete(result);
                                } else {
                                    answer.completeExceptionally(Stages.asBlockException(failure));
                                }
                            });
                });
        return answer;
    }

    private CompletionStage<Catalogue> mounted() {
        Catalogue present = catalogue;
        if (present != null) {
            return done(present);
        }
        return files.openCatalogue(loop, this::lost)
                .thenCompose(
                        file ->
                                Mount.of(file, files, loop)
                                        .handle(
                                                (read, failure) ->
                                                        failure == null
                                                                ? done(read)
                                                                : Stages.<Catalogue>failAfterClose(
                                                                        file, failure))
                                        .thenCompose(Function.identity()))
                .thenApply(
                        read -> {
                            catalogue = read;
                            return read;
                        });
    }

    /**
     * Reads the names anew from a catalogue that every brick may have lost unflushed writes of: a
     * change of names was durable before it was told, so that nothing of it is missing. If that
     * cannot be done now, the next call does it.
     */
    private void lost(XlatorFile file) {
        CompletionStage<Void> unused =
                inTurn(
                                () -> {
                                    Catalogue present = catalogue;
                                    if (present == null || !present.isIn(file)) {
                                        return done();
                                    }
                                    present.abort(BlockError.EIO);
                                    return unmount()
                                            .handle((none, failure) -> null)
                                            .thenComposeAsync(none -> mounted(), loop)
                                            .<Void>thenApply(read -> null);
                                })
                        .exceptionally(
                                failure -> {
                                    LOG.warn(
                                            "Names not read anew yet: node={}, reason={}",
                                            name,
                                            Stages.asBlockException(failure).getMessage());
                                    return null;
                                });
    }

    private CompletionStage<Void> unmount() {
        Catalogue present = catalogue;
        catalogue = null;
        return present == null ? done() : present.close();
    }

    private static CompletionStage<Void> done() {
        return CompletableFuture.completedFuture(null);
    }

    private static <T> CompletionStage<T> done(T result) {
        return CompletableFuture.completedFuture(result);
    }
}
