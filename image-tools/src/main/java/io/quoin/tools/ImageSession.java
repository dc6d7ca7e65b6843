package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.nbd.client.NbdClient;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.NameText;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Stages;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.graph.XlatorTypes;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.loop.NettyLoopGroup;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * What one run of an offline tool stands on: loops, threads that may block, the folders of the
 * images that it uses, and the images themselves. Closing it closes everything that is still open.
 *
 * <p>Threading: confined to the thread of the tool.
 */
public final class ImageSession implements AutoCloseable {
    private static final int LOOPS = 2;
    private static final int BLOCKING_THREADS = 4;
    private static final long END_SECONDS = 30;

    private final LoopWatch watch = new LoopWatch();
    private final NettyLoopGroup loops = new NettyLoopGroup(LOOPS, watch::failed);
    private final ExecutorService blocking = blockingThreads();
    private final int compressionThreads;
    private final XlatorTypes types;
    private final Map<FolderKey, ImageFolder> folders = new HashMap<>();
    private final Deque<OpenedImage> images = new ArrayDeque<>();

    /** Of {@link OpenedImageFile}s: a backing chain has many, and few are read at a time. */
    private final Queue<ByteBuffer> idlePieces = new ConcurrentLinkedQueue<>();

    private boolean forceShare;

    /** Folders whose images are locked, and the same without locks. */
    private record FolderKey(Path folder, boolean locking) {}

    /** With a thread for compression on each processor. */
    public ImageSession() {
        this(0);
    }

    /**
     * @param compressionThreads how many compress and decompress; 0: one for each processor
     */
    public ImageSession(int compressionThreads) {
        this(compressionThreads, XlatorTypes.load());
    }

    /**
     * One over other files.
     *
     * @param types of which the graphs of folders are built
     */
    ImageSession(int compressionThreads, XlatorTypes types) {
        this.compressionThreads = compressionThreads;
        this.types = types;
    }

    /**
     * From now on images that are opened to be read are neither locked nor asked for others' locks:
     * another program may be writing them, and what is read may be of different moments.
     */
    public ImageSession forceShare(boolean wanted) {
        forceShare = wanted;
        return this;
    }

    /**
     * Opens an image, each on the next loop. Until it is closed no other program may write it, nor
     * QEMU, nor, if it is opened for writing, read it.
     *
     * @throws BlockException ENOENT if it is not there, EBUSY while something serves or uses it,
     *     EINVAL or ENOTSUP if it is not an image that can be used
     */
    public OpenedImage open(ImageLocation location, OpenMode mode) {
        return open(location, mode, loops.next());
    }

    /** As {@link #open(ImageLocation, OpenMode)}, on a loop that others use already. */
    OpenedImage open(ImageLocation location, OpenMode mode, Loop loop) {
        return open(location, mode, loop, file -> FolderParents.requireUnused(file, null));
    }

    /** As {@link #open(ImageLocation, OpenMode)}, to write what reads the same afterwards. */
    OpenedImage openToKeep(ImageLocation location) {
        return open(location, OpenMode.READ_WRITE, loops.next(), file -> {});
    }

    /** For writing, although {@code child} stands on it, and others that stand on that. */
    OpenedImage openBelow(String child, LocalImage parent, Loop loop) {
        return open(
                parent,
                OpenMode.READ_WRITE,
                loop,
                file -> FolderParents.requireUnused(file, child));
    }

    /**
     * Takes an image over that the caller has open: it is closed with the session, or before, on
     * its loop.
     *
     * @param name for messages
     * @param loop that it was opened on
     */
    public OpenedImage take(String name, XlatorFile file, Loop loop) {
        return opened(new GivenImage(name), loop, () -> CompletableFuture.completedFuture(file));
    }

    /**
     * @param mayWrite refuses a file that is not to be written
     */
    private OpenedImage open(
            ImageLocation location, OpenMode mode, Loop loop, Consumer<Path> mayWrite) {
        if (location instanceof NbdImage remote) {
            return opened(location, loop, () -> NbdClient.open(remote.uri(), mode, loop, blocking));
        }
        LocalImage local = (LocalImage) location;
        boolean locking = !forceShare || mode == OpenMode.READ_WRITE;
        Supplier<CompletionStage<XlatorFile>> opening = opening(local, mode, locking, loop);
        if (mode == OpenMode.READ_WRITE) {
            mayWrite.accept(local.existing());
        }
        return opened(location, loop, opening);
    }

    private OpenedImage opened(
            ImageLocation location, Loop loop, Supplier<CompletionStage<XlatorFile>> opening) {
        CompletableFuture<OpenedImage> opened = new CompletableFuture<>();
        loop.execute(
                () ->
                        Relay.into(
                                opened,
                                () ->
                                        opening.get()
                                                .thenComposeAsync(
                                                        file -> opened(location, file, loop),
                                                        loop)));
        OpenedImage image = Stages.await(watch.over(opened));
        images.push(image);
        return image;
    }

    /** On the loop. A file that cannot be used is closed. */
    private CompletionStage<OpenedImage> opened(
            ImageLocation location, XlatorFile file, Loop loop) {
        try {
            return CompletableFuture.completedFuture(new OpenedImage(location, file, loop, watch));
        } catch (RuntimeException | Error e) {
            return Stages.failAfterClose(file, e);
        }
    }

    /** What opens it; a folder that cannot be used is told of at once. */
    private Supplier<CompletionStage<XlatorFile>> opening(
            LocalImage image, OpenMode mode, boolean locking, Loop loop) {
        Path path = image.existing();
        ImageFolder folder = folder(Objects.requireNonNull(path.getParent()), locking);
        String name = nameOf(image, path);
        return () -> folder.as(image.format()).open(name, OpenOptions.of(mode), loop);
    }

    /** {@code IMAGE.qcow2@SNAPSHOT} is the only form of the name of a snapshot. */
    private static String nameOf(LocalImage image, Path path) {
        String file = NameText.lastOf(path);
        if (image.snapshot() == null) {
            return file;
        }
        if (!file.endsWith(".qcow2")) {
            throw new BlockException(
                    BlockError.ENOTSUP,
                    "internal snapshots are read from files named *.qcow2 alone: path="
                            + NameText.of(image.path())
                            + ", snapshot="
                            + image.snapshot()
                            + "; rename the file");
        }
        String name = file + "@" + image.snapshot();
        if (image.snapshot().indexOf('/') < 0
                && Files.exists(
                        path.resolveSibling(NameText.path(name)), LinkOption.NOFOLLOW_LINKS)) {
            throw new BlockException(
                    BlockError.EEXIST,
                    "a file has the name of the snapshot: path="
                            + NameText.of(image.path())
                            + ", snapshot="
                            + image.snapshot()
                            + ", file="
                            + name
                            + "; rename the file");
        }
        return name;
    }

    /**
     * Makes an image file, whole or not at all.
     *
     * @throws BlockException EEXIST if there is a file of that name, EINVAL naming the option that
     *     is wrong, EPERM if images of a volume stand on a file of that name
     */
    public void create(LocalImage image, CreateOptions options) {
        ImageFolder folder = folder(image.folder(), true);
        Path place = image.folder().resolve(NameText.path(image.fileName()));
        if (!Files.exists(place, LinkOption.NOFOLLOW_LINKS)) {
            FolderParents.requireUnused(place, null);
        }
        Stages.awaitTheEnd(
                watch.over(
                        folder.as(image.format())
                                .create(image.fileName(), options)
                                .toCompletableFuture()));
    }

    /** Removes an image file; EPERM if images of a volume stand on it. */
    public void remove(LocalImage image) {
        ImageFolder folder = folder(image.folder(), true);
        FolderParents.requireUnused(image.folder().resolve(NameText.path(image.fileName())), null);
        Stages.await(folder.as(ImageFormat.RAW).remove(image.fileName()));
    }

    /**
     * Holds the folder, if it is a brick, against being served until the session is closed.
     *
     * @throws BlockException EBUSY with the process id, while it is served
     */
    public void hold(Path folder) {
        folder(folder, true);
    }

    /**
     * The file of an image that this session does not have open for writing, locked as {@link
     * #open} does it.
     *
     * @param path of a file, with links followed
     */
    public ImageFile direct(Path path, boolean writable) {
        OpenMode mode = writable ? OpenMode.READ_WRITE : OpenMode.READ_ONLY;
        return fileOf(open(new LocalImage(path, ImageFormat.RAW), mode));
    }

    /** As {@link #direct}, to write what leaves the image reading as it did. */
    public ImageFile directToKeep(Path path) {
        return fileOf(openToKeep(new LocalImage(path, ImageFormat.RAW)));
    }

    /**
     * The file of an image to be looked at, whatever else has it open, this session too: neither
     * locked nor asked for others' locks. Its size stays what it is now.
     *
     * @param path of a file, with links followed
     */
    public ImageFile beside(Path path) {
        LocalImage image = new LocalImage(path, ImageFormat.RAW);
        Loop loop = loops.next();
        return fileOf(opened(image, loop, opening(image, OpenMode.READ_ONLY, false, loop)));
    }

    private ImageFile fileOf(OpenedImage raw) {
        return new OpenedImageFile(raw, idlePieces);
    }

    private ImageFolder folder(Path folder, boolean locking) {
        FolderKey key = new FolderKey(folder, locking);
        ImageFolder known = folders.get(key);
        if (known != null) {
            return known;
        }
        try {
            ImageFolder opened =
                    new ImageFolder(folder, locking, loops, blocking, compressionThreads, types);
            folders.put(key, opened);
            return opened;
        } catch (BlockException e) {
            throw new BlockException(
                    e.error(),
                    "the image's folder cannot be used: "
                            + e.getMessage()
                            + (e.error() == BlockError.EBUSY
                                    ? "; stop what serves it first, or use the disk over NBD, see"
                                            + " 'quoin disk uri'"
                                    : ""),
                    e);
        }
    }

    private static ExecutorService blockingThreads() {
        AtomicInteger number = new AtomicInteger();
        return Executors.newFixedThreadPool(
                BLOCKING_THREADS,
                task -> {
                    Thread thread = new Thread(task, "quoin-blocking-" + number.getAndIncrement());
                    thread.setDaemon(true);
                    return thread;
                });
    }

    /** Closes images, folders and threads, also after one has failed; throws the first failure. */
    @Override
    public void close() {
        Deque<AutoCloseable> parts = new ArrayDeque<>();
        parts.push(loops);
        parts.push(this::endBlocking);
        folders.values().forEach(parts::push);
        // The first opened goes last.
        images.descendingIterator().forEachRemaining(parts::push);
        BlockException first = null;
        for (AutoCloseable part : parts) {
            try {
                part.close();
            } catch (Exception e) {
                BlockException failure = Stages.asBlockException(e);
                if (first == null) {
                    first = failure;
                } else {
                    first.addSuppressed(failure);
                }
            }
        }
        if (first != null) {
            throw first;
        }
    }

    private void endBlocking() throws InterruptedException {
        blocking.shutdown();
        if (!blocking.awaitTermination(END_SECONDS, TimeUnit.SECONDS)) {
            blocking.shutdownNow();
        }
    }
}
