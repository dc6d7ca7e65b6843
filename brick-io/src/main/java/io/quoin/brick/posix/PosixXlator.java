package io.quoin.brick.posix;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileAdoption;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.StorageSpace;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.IntUnaryOperator;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A brick folder as an xlator. It holds the folder's lock from the time it is made until it is
 * closed.
 *
 * <p>Threading: thread-safe.
 */
final class PosixXlator implements Xlator, FileAdoption {
    private static final Logger LOG = LoggerFactory.getLogger(PosixXlator.class);

    private final String name;
    private final Brick brick;
    private final Namespace namespace;

    /**
     * Held for reading by what uses the folder's descriptors, for writing while they are closed.
     */
    private final ReadWriteLock using = new ReentrantReadWriteLock();

    /** One for each loop, since it is used by all files of that loop. */
    private final Map<Loop, Transfer> transfers = new ConcurrentHashMap<>();

    private PosixXlator(String name, Brick brick) {
        this.name = name;
        this.brick = brick;
        namespace = new Namespace(brick);
    }

    /**
     * Opens the brick folder.
     *
     * @param dataSync fdatasync: 0 or the negative error number
     */
    static PosixXlator open(
            String name, PosixOptions options, Executor blocking, IntUnaryOperator dataSync) {
        BrickFolder folder =
                options.brick()
                        ? BrickFolder.open(options.directory())
                        : BrickFolder.openPlain(options.directory(), options.locking());
        try {
            FileSystemTraits traits =
                    options.brick()
                            ? FileSystemTraits.probe(folder.ownFolderFd(), folder.directory())
                            : FileSystemTraits.probePlain(folder.fd(), folder.directory());
            if (options.directIo()) {
                traits.requireDirect(folder.directory());
            }
            LOG.info("brick opened: directory={}, traits={}", folder.directory(), traits);
            String threads = "quoin-" + name;
            return new PosixXlator(
                    name,
                    new Brick(
                            folder,
                            traits,
                            options,
                            new OpenNames(),
                            new IoPool(
                                    threads + "-io",
                                    options.ioThreads(),
                                    traits,
                                    options.coldReads()),
                            new IoPool(
                                    threads + "-flush",
                                    options.flushThreads(),
                                    traits,
                                    options.coldReads()),
                            blocking,
                            dataSync));
        } catch (RuntimeException e) {
            folder.close();
            throw e;
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String type() {
        return PosixType.TYPE;
    }

    @Override
    public List<Xlator> subvolumes() {
        return List.of();
    }

    @Override
    public CompletionStage<List<FileInfo>> list() {
        return named(namespace::list);
    }

    @Override
    public CompletionStage<FileInfo> stat(String fileName) {
        return named(() -> namespace.stat(fileName));
    }

    @Override
    public CompletionStage<Void> create(String fileName, CreateOptions options) {
        return changed(() -> namespace.create(fileName, options));
    }

    @Override
    public CompletionStage<Void> rename(String fileName, String newFileName) {
        return changed(() -> namespace.rename(fileName, newFileName));
    }

    @Override
    public CompletionStage<Void> replace(String fileName, String byFileName) {
        return changed(() -> namespace.replace(fileName, byFileName));
    }

    @Override
    public CompletionStage<Void> adopt(Path source, String fileName) {
        return changed(() -> new Adoption(brick).adopt(source, fileName));
    }

    @Override
    public CompletionStage<StorageSpace> statfs() {
        return named(namespace::space);
    }

    @Override
    public CompletionStage<Void> remove(String fileName) {
        return changed(() -> namespace.remove(fileName));
    }

    private CompletionStage<Void> changed(Runnable operation) {
        return CompletableFuture.runAsync(
                () ->
                        whileOpen(
                                () -> {
                                    operation.run();
                                    return true;
                                }),
                brick.blocking());
    }

    /** Runs an operation on names while the folder stays open. */
    private <T> CompletionStage<T> named(Supplier<T> operation) {
        return CompletableFuture.supplyAsync(() -> whileOpen(operation), brick.blocking());
    }

    private <T> T whileOpen(Supplier<T> operation) {
        using.readLock().lock();
        try {
            return operation.get();
        } finally {
            using.readLock().unlock();
        }
    }

    @Override
    public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
        CompletableFuture<XlatorFile> opened = new CompletableFuture<>();
        brick.blocking()
                .execute(
                        () -> {
                            try {
                                XlatorFile file = whileOpen(() -> openNow(fileName, options, loop));
                                loop.execute(() -> opened.complete(file));
                            } catch (RuntimeException e) {
                                loop.execute(() -> opened.completeExceptionally(e));
                            }
                        });
        return opened;
    }

    private XlatorFile openNow(String fileName, OpenOptions options, Loop loop) {
        OpenMode mode = options.mode();
        FileNames.encode(fileName); // before the name can be held
        brick.names().acquire(fileName, mode);
        Descriptor descriptor = null;
        try {
            descriptor = namespace.open(fileName, mode);
            if (brick.options().locking()) {
                brick.names().lock(fileName, mode, descriptor.fd());
            }
            long sizeBytes = namespace.sizeBytes(fileName, descriptor.fd());
            Transfer transfer = transfers.computeIfAbsent(loop, owner -> new Transfer());
            return new PosixFile(
                    name, brick, fileName, descriptor, sizeBytes, options, loop, transfer);
        } catch (RuntimeException e) {
            if (descriptor != null) {
                descriptor.close();
            }
            brick.names().release(fileName, mode);
            throw e;
        }
    }

    @Override
    public CompletionStage<Void> close() {
        return CompletableFuture.runAsync(
                () -> {
                    using.writeLock().lock();
                    try {
                        closeNow();
                    } finally {
                        using.writeLock().unlock();
                    }
                },
                brick.blocking());
    }

    private void closeNow() {
        int open = brick.names().count();
        if (open > 0) {
            throw new BlockException(
                    BlockError.EBUSY,
                    "brick has open files: directory="
                            + brick.folder().directory()
                            + ", files="
                            + open);
        }
        brick.ioPool().close();
        brick.flushPool().close();
        brick.folder().close();
    }
}
