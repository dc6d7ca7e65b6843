package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.brick.posix.DurableFile;
import io.quoin.xlator.NameText;
import io.quoin.xlator.UnfinishedNames;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
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
    private final Placing placing;

    /** Of the file that will be replaced; null: there is none. */
    private final @Nullable FileAccess replaced;

    private final SignalCleanUp cleanUp;

    /** Made with the image, and worth nothing without it. */
    private volatile @Nullable Path dataFile;

    private boolean published;

    /** As {@link DurableFile#replace}. */
    interface Placing {
        void replace(Path whole, Path place, Runnable placed);
    }

    /**
     * @param target whose folder exists
     */
    TargetFile(LocalImage target) {
        this(target, DurableFile::replace);
    }

    TargetFile(LocalImage target, Placing placing) {
        this(target, placing, true);
    }

    /** One that is written by a service, which goes on afterwards. */
    static TargetFile ofService(LocalImage target, boolean replacing) {
        return new TargetFile(target, replacing ? DurableFile::replace : DurableFile::place, false);
    }

    private TargetFile(LocalImage target, Placing placing, boolean endsNames) {
        this.placing = placing;
        boolean isThere = Files.exists(NameText.absolute(target.path()), LinkOption.NOFOLLOW_LINKS);
        place =
                isThere
                        ? target.existing()
                        : target.folder().resolve(NameText.path(target.fileName()));
        try {
            replaced = isThere ? FileAccess.of(place) : null;
        } catch (IOException e) {
            throw failed("target cannot be looked at", place, e);
        }
        String name = UnfinishedNames.of("target-" + NUMBER.incrementAndGet());
        unfinished = new LocalImage(place.resolveSibling(name), target.format());
        cleanUp = new SignalCleanUp(folder(), endsNames, this::removeDataFile);
    }

    private static BlockException failed(String what, Path path, IOException e) {
        return Reason.failure(what, NameText.of(path), e);
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
        Path path = place.resolveSibling(NameText.path(name));
        if (path.equals(place) || Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            throw new BlockException(
                    BlockError.EEXIST,
                    "data file exists already, and is not overwritten: " + NameText.of(path));
        }
        dataFile = path;
    }

    /**
     * The image and its data file are there now, without content yet: no user shall read that who
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
        } catch (IOException e) {
            throw failed("image cannot be put in its place", place, e);
        }
        try {
            move();
        } catch (BlockException e) {
            throw new BlockException(
                    e.error(),
                    (published
                                    ? "image is in its place, but may not survive a power failure"
                                    : "image cannot be put in its place")
                            + ": path="
                            + NameText.of(place)
                            + ", reason="
                            + e.getMessage(),
                    e);
        }
    }

    /** Once it is there the data file belongs to the image, whatever comes, a signal too. */
    private synchronized void move() {
        placing.replace(unfinished.path(), place, () -> published = true);
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
            String before = UnfinishedNames.before(unfinished.fileName());
            Files.deleteIfExists(unfinished.path().resolveSibling(before));
            Files.deleteIfExists(unfinished.path());
        } catch (IOException e) {
            throw failed("unfinished image cannot be removed", unfinished.path(), e);
        } finally {
            removeDataFile();
        }
    }
}
