package io.quoin.management.image;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.brick.posix.UnfinishedNames;
import java.io.IOException;
import java.nio.channels.FileChannel;
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
 * <p>Threading: confined to the thread of the tool, but for what a signal starts.
 */
final class TargetFile implements AutoCloseable {
    private static final AtomicInteger NUMBER = new AtomicInteger();

    private final LocalImage unfinished;
    private final Path place;
    private final FolderSync folderSync;

    /** Of the file that will be replaced; null: there is none. */
    private final @Nullable FileAccess replaced;

    private final SignalCleanUp cleanUp;

    /** Made with the image, and worth nothing without it. */
    private volatile @Nullable Path dataFile;

    private boolean published;

    /** Makes the names in a folder durable. */
    interface FolderSync {
        void sync(Path folder) throws IOException;
    }

    /**
     * @param target whose folder exists
     */
    TargetFile(LocalImage target) {
        this(target, TargetFile::sync);
    }

    TargetFile(LocalImage target, FolderSync folderSync) {
        this.folderSync = folderSync;
        boolean isThere = Files.exists(target.path(), LinkOption.NOFOLLOW_LINKS);
        place = isThere ? target.existing() : target.folder().resolve(target.fileName());
        try {
            replaced = isThere ? FileAccess.of(place) : null;
        } catch (IOException e) {
            throw failed("target cannot be looked at", place, e);
        }
        String name = UnfinishedNames.of("target-" + NUMBER.incrementAndGet());
        unfinished = new LocalImage(place.resolveSibling(name), target.format());
        cleanUp = new SignalCleanUp(folder(), this::removeDataFile);
    }

    private static void sync(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static BlockException failed(String what, Path path, IOException e) {
        return Reason.failure(what, path, e);
    }

    /** Where it is written meanwhile. */
    LocalImage unfinished() {
        return unfinished;
    }

    /** Where it will be. */
    Path place() {
        return place;
    }

    /** Whether there is a file in its place. */
    boolean replaces() {
        return replaced != null;
    }

    /**
     * The image will have a data file of that name beside it.
     *
     * @throws BlockException EEXIST for one that is there already; it is left alone
     */
    void withDataFile(String name) {
        Path path = place.resolveSibling(name);
        if (path.equals(place) || Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            throw new BlockException(
                    BlockError.EEXIST, "data file exists already, and is not overwritten: " + path);
        }
        dataFile = path;
    }

    /**
     * The image and its data file are there now, without content yet: nobody shall read that who
     * could not read what it replaces.
     */
    void withhold() {
        try {
            if (replaced != null) {
                replaced.withhold(unfinished.path());
                if (dataFile != null) {
                    replaced.withhold(dataFile);
                }
            }
        } catch (IOException e) {
            throw failed("unfinished image cannot be kept from others", unfinished.path(), e);
        }
    }

    /** Puts it in its place for good. It is closed and flushed. */
    void publish() {
        try {
            if (replaced != null) {
                replaced.giveTo(unfinished.path());
                if (dataFile != null) {
                    replaced.giveTo(dataFile);
                }
            }
            move();
        } catch (IOException e) {
            throw failed("image cannot be put in its place", place, e);
        }
        try {
            folderSync.sync(folder());
        } catch (IOException e) {
            throw failed("image is in its place, but may not survive a power failure", place, e);
        }
    }

    /** From here on the data file belongs to the image, whatever comes, a signal too. */
    private synchronized void move() throws IOException {
        Files.move(
                unfinished.path(),
                place,
                StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
        published = true;
    }

    private Path folder() {
        return Objects.requireNonNull(place.getParent());
    }

    /** After the image, which would find it missing otherwise. */
    private synchronized void removeDataFile() {
        if (dataFile != null && !published) {
            SignalCleanUp.removeOrSay(dataFile);
        }
    }

    @Override
    public void close() {
        cleanUp.close();
        try {
            // While it is being made it has a name of its own, and a dot more.
            String name = "." + unfinished.path().getFileName() + ".new";
            Files.deleteIfExists(unfinished.path().resolveSibling(name));
            Files.deleteIfExists(unfinished.path());
        } catch (IOException e) {
            throw failed("unfinished image cannot be removed", unfinished.path(), e);
        } finally {
            removeDataFile();
        }
    }
}
