package io.quoin.stripe;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.StorageSpace;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.loop.LoopGroup;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntFunction;
import java.util.function.Supplier;

/**
 * Files striped over the subvolumes: each has a part of a file under the file's name. Subvolume 0
 * decides: a name is there as soon as it has it, and gone with it. The others follow, and where
 * they could not, {@link StripeRecovery} sees to it before anything else is done with names.
 *
 * <p>Calls that are about names go one after another, so that none sees a change half done and at
 * most one change is unfinished at any time.
 *
 * <p>Threading: thread-safe.
 */
final class StripeXlator implements Xlator {
    private final String name;
    private final Children children;
    private final BusyNames busy = new BusyNames();
    private final Set<UUID> beingMade = ConcurrentHashMap.newKeySet();
    private final InTurn turns = new InTurn();
    private final StripeCreation creation;
    private final StripeRecovery recovery;
    private final StripeListing listing;
    private final LoopGroup loops;

    /** Whether no change is unfinished that is not under way. */
    private volatile boolean isClean;

    /**
     * @param blockBytes of new files
     */
    StripeXlator(String name, List<Xlator> subvolumes, long blockBytes, LoopGroup loops) {
        this.name = name;
        this.children = new Children(subvolumes);
        this.loops = loops;
        this.creation = new StripeCreation(children, blockBytes, loops);
        this.recovery = new StripeRecovery(children, loops, beingMade::contains);
        this.listing = new StripeListing(children, loops);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String type() {
        return StripeType.TYPE;
    }

    @Override
    public List<Xlator> subvolumes() {
        return children.all();
    }

    /** Makes the call in its turn, with nothing unfinished. */
    private <T> CompletionStage<T> inTurn(Supplier<CompletionStage<T>> call) {
        return turns.call(() -> recovered().thenCompose(none -> call.get()));
    }

    private CompletionStage<Void> recovered() {
        return isClean
                ? CompletableFuture.completedFuture(null)
                : recovery.run().thenRun(() -> isClean = true);
    }

    /** A change of names: where it fails half done, that is put right as far as it can be. */
    private CompletionStage<Void> change(Supplier<CompletionStage<Void>> call) {
        return inTurn(
                () ->
                        call.get()
                                .handle(
                                        (none, failure) ->
                                                failure == null
                                                        ? CompletableFuture.<Void>completedFuture(
                                                                null)
                                                        : recoveredAfter(failure))
                                .thenCompose(stage -> stage));
    }

    private CompletionStage<Void> recoveredAfter(Throwable failure) {
        isClean = false;
        return recovered()
                .handle((none, second) -> CompletableFuture.<Void>failedFuture(failure))
                .thenCompose(stage -> stage);
    }

    @Override
    public CompletionStage<List<FileInfo>> list() {
        return inTurn(listing::list);
    }

    @Override
    public CompletionStage<FileInfo> stat(String fileName) {
        return inTurn(() -> listing.stat(fileName));
    }

    /** As much as fits where it has to be the same on each child. */
    @Override
    public CompletionStage<StorageSpace> statfs() {
        return children.callAll(part -> children.get(part).statfs())
                .thenApply(
                        spaces -> {
                            StorageSpace least =
                                    spaces.stream().reduce(StorageSpace::and).orElseThrow();
                            return new StorageSpace(
                                    least.sizeBytes() * spaces.size(),
                                    least.availableBytes() * spaces.size());
                        });
    }

    @Override
    public CompletionStage<Void> create(String fileName, CreateOptions options) {
        checkNew(fileName);
        if (options.options().containsKey("copy_from")) {
            throw new BlockException(
                    BlockError.EINVAL, "striped files are not made as copies: file=" + fileName);
        }
        return changing(fileName, () -> createNamed(fileName, options));
    }

    /** The parts are made beside other calls, since that takes as long as space is reserved. */
    private CompletionStage<Void> createNamed(String fileName, CreateOptions options) {
        UUID fileId = UUID.randomUUID();
        String unlinked = UnlinkedNames.of(fileId);
        return inTurn(() -> checkAbsent(fileName))
                .thenCompose(
                        none -> {
                            beingMade.add(fileId);
                            return creation.make(fileId, options);
                        })
                .handle(
                        (none, failure) ->
                                change(
                                        () -> {
                                            beingMade.remove(fileId);
                                            return failure == null
                                                    ? link(unlinked, fileName)
                                                    : CompletableFuture.failedFuture(failure);
                                        }))
                .thenCompose(stage -> stage);
    }

    /** The others first: the file is there with its part 0. */
    private CompletionStage<Void> link(String unlinked, String fileName) {
        return checkAbsent(fileName)
                .thenCompose(
                        none ->
                                children.callFrom(
                                        1, part -> children.get(part).rename(unlinked, fileName)))
                .thenCompose(
                        all ->
                                children.call(
                                        0, part -> children.get(part).rename(unlinked, fileName)));
    }

    @Override
    public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
        busy.open(fileName);
        AtomicBoolean isOpen = new AtomicBoolean(true);
        Runnable whenClosed =
                () -> {
                    if (isOpen.getAndSet(false)) {
                        busy.close(fileName);
                    }
                };
        CompletableFuture<XlatorFile> opened = new CompletableFuture<>();
        inTurn(() -> CompletableFuture.completedFuture(null))
                .thenCompose(
                        none ->
                                new StripeOpener(
                                                name, children, fileName, options, loop, whenClosed)
                                        .open())
                .whenCompleteAsync(
                        (file, failure) -> {
                            if (failure == null) {
                                opened.complete(file);
                            } else {
                                whenClosed.run();
                                opened.completeExceptionally(failure);
                            }
                        },
                        loop);
        return opened;
    }

    @Override
    public CompletionStage<Void> rename(String fileName, String newFileName) {
        checkNew(newFileName);
        return changing(
                fileName,
                () -> changing(newFileName, () -> change(() -> renameNow(fileName, newFileName))));
    }

    private CompletionStage<Void> renameNow(String fileName, String newFileName) {
        return checkAbsent(newFileName)
                .thenCompose(
                        none ->
                                children.call(
                                        0,
                                        part -> children.get(part).rename(fileName, newFileName)))
                .thenCompose(
                        none -> others(part -> children.get(part).rename(fileName, newFileName)));
    }

    @Override
    public CompletionStage<Void> replace(String fileName, String byFileName) {
        return changing(
                fileName,
                () -> changing(byFileName, () -> change(() -> replaceNow(fileName, byFileName))));
    }

    private CompletionStage<Void> replaceNow(String fileName, String byFileName) {
        return children.call(0, part -> children.get(part).replace(fileName, byFileName))
                .thenCompose(
                        none -> others(part -> children.get(part).replace(fileName, byFileName)));
    }

    @Override
    public CompletionStage<Void> remove(String fileName) {
        return changing(fileName, () -> change(() -> removeNow(fileName)));
    }

    /** Part 0 loses its name first, and says of the others that they are not wanted any more. */
    private CompletionStage<Void> removeNow(String fileName) {
        Xlator first = children.get(0);
        return first.stat(fileName)
                .thenCompose(info -> PartIo.readStart(first, fileName, loops.next()))
                .thenApply(PartHeaderLayout::get)
                .thenCompose(
                        header -> {
                            PartChecks.check(fileName, children, 0, header);
                            String unlinked = UnlinkedNames.of(header.fileId());
                            return children.call(0, part -> first.rename(fileName, unlinked))
                                    .thenCompose(
                                            none ->
                                                    others(
                                                            part ->
                                                                    children.get(part)
                                                                            .remove(fileName)))
                                    .thenCompose(
                                            none ->
                                                    children.call(
                                                            0, part -> first.remove(unlinked)));
                        });
    }

    /** A call of all but child 0, at once. One that has no part has nothing to do. */
    private CompletionStage<Void> others(IntFunction<CompletionStage<Void>> call) {
        return children.callFrom(1, part -> Children.unlessMissing(call.apply(part)))
                .thenApply(all -> null);
    }

    /** EEXIST if any child has a file of that name. */
    private CompletionStage<Void> checkAbsent(String fileName) {
        return children.callAll(part -> Children.unlessMissing(children.get(part).stat(fileName)))
                .thenAccept(
                        found -> {
                            for (int part = 0; part < found.size(); part++) {
                                if (!found.get(part).isEmpty()) {
                                    throw new BlockException(
                                            BlockError.EEXIST,
                                            "file exists already: file="
                                                    + fileName
                                                    + ", subvolume="
                                                    + children.name(part));
                                }
                            }
                        });
    }

    private CompletionStage<Void> changing(String fileName, Supplier<CompletionStage<Void>> call) {
        busy.beginChange(fileName);
        CompletionStage<Void> called;
        try {
            called = call.get();
        } catch (RuntimeException | Error e) {
            busy.endChange(fileName);
            throw e;
        }
        return called.whenComplete((none, failure) -> busy.endChange(fileName));
    }

    private static void checkNew(String fileName) {
        if (UnlinkedNames.isOne(fileName)) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "name is kept for files without one: name=" + fileName + ", expected=another");
        }
    }

    @Override
    public CompletionStage<Void> close() {
        return CompletableFuture.completedFuture(null);
    }
}
