package io.quoin.management.image;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * An image that is being written under a temporary name beside its place, and takes that place,
 * also from a file that is there, when it is whole and durable. Otherwise nothing of it stays,
 * neither after a failure nor after a signal.
 *
 * <p>Threading: confined to the thread of the tool.
 */
final class TargetFile implements AutoCloseable {
    /** Begins the names of all files in the making, whoever makes them. */
    private static final String PREFIX = ".quoin-new-" + ProcessHandle.current().pid() + "-";

    private static final AtomicInteger NUMBER = new AtomicInteger();

    private final LocalImage unfinished;
    private final Path place;
    private final Thread onSignal;

    /** Made with the image, and worth nothing without it. */
    private volatile @Nullable Path dataFile;

    private volatile boolean published;

    /**
     * @param target whose folder exists
     */
    TargetFile(LocalImage target) {
        boolean isThere = Files.exists(target.path(), LinkOption.NOFOLLOW_LINKS);
        place = isThere ? target.existing() : target.folder().resolve(target.fileName());
        String name = PREFIX + "target-" + NUMBER.incrementAndGet();
        unfinished = new LocalImage(place.resolveSibling(name), target.format());
        onSignal = new Thread(this::removeAll, "quoin-clean-up");
        Runtime.getRuntime().addShutdownHook(onSignal);
    }

    /** Where it is written meanwhile. */
    LocalImage unfinished() {
        return unfinished;
    }

    /** Where it will be. */
    Path place() {
        return place;
    }

    /**
     * The image will have a data file of that name beside it.
     *
     * @throws BlockException EEXIST for one that is there already; it is left alone
     */
    void withDataFile(String name) {
        Path path = place.resolveSibling(name);
        if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            throw new BlockException(
                    BlockError.EEXIST, "data file exists already, and is not overwritten: " + path);
        }
        dataFile = path;
    }

    /** Puts it in its place for good. It is closed and flushed. */
    void publish() {
        try {
            Files.move(
                    unfinished.path(),
                    place,
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
            try (FileChannel folder = FileChannel.open(folder(), StandardOpenOption.READ)) {
                folder.force(true);
            }
            published = true;
        } catch (IOException e) {
            throw new BlockException(
                    BlockError.EIO,
                    "image cannot be put in its place: path=" + place + ", reason=" + e,
                    e);
        }
    }

    private Path folder() {
        return Objects.requireNonNull(place.getParent());
    }

    /** Whatever of this process is in the making there: all of it ends here. */
    private void removeAll() {
        removeDataFile();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder())) {
            for (Path file : files) {
                String name = String.valueOf(file.getFileName());
                // One dot more while an image is being made under that name.
                if (name.startsWith(PREFIX) || name.startsWith("." + PREFIX)) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (IOException e) {
            System.err.println("quoin: unfinished image left behind: folder=" + folder());
        }
    }

    private void removeDataFile() {
        Path path = dataFile;
        try {
            if (path != null && !published) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            System.err.println("quoin: data file left behind: path=" + path);
        }
    }

    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(onSignal);
            removeDataFile();
            if (!published) {
                Files.deleteIfExists(unfinished.path());
                // While it is being made it has a name of its own, and a dot more.
                String name = "." + unfinished.path().getFileName() + ".new";
                Files.deleteIfExists(unfinished.path().resolveSibling(name));
            }
        } catch (IllegalStateException ending) {
            return; // the hook runs, and removes it
        } catch (IOException e) {
            throw new BlockException(
                    BlockError.EIO,
                    "unfinished image cannot be removed: path="
                            + unfinished.path()
                            + ", reason="
                            + e,
                    e);
        }
    }
}
