package io.quoin.brick.posix;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.NameText;
import io.quoin.xlator.UnfinishedNames;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The one way by which a file gets a name that means something: content first, then the name, then
 * the folder. A crash at any point leaves what was there before, or all of the new file. A rename
 * alone does not do that: after a power failure the name may be there and the content not.
 *
 * <p>Threading: thread-safe; blocks.
 */
public final class DurableFile {
    private static final AtomicInteger NUMBER = new AtomicInteger();

    private DurableFile() {}

    /** What is done in one folder, by the names in it. */
    interface Folder extends AutoCloseable {
        /** Makes an empty file that was not there, which only its owner may open. */
        void make(String name);

        void write(String name, byte[] content);

        /** Makes the content of a file durable. */
        void flush(String name);

        /**
         * Gives a file another name.
         *
         * @throws BlockException EEXIST if there is something of that name and it is to stay
         */
        void rename(String name, String newName, boolean replacing);

        void remove(String name);

        /** Makes the names durable. */
        void flush();

        @Override
        void close();
    }

    /**
     * Makes a file with that content, for its owner alone.
     *
     * @throws BlockException EEXIST if there is anything of that name, a symbolic link too
     */
    public static void create(Path place, byte[] content) {
        try (Folder folder = PosixFolder.of(place)) {
            create(folder, NameText.lastOf(place), content);
        }
    }

    /** As {@link #create}, in the place of the file that has the name, if there is one. */
    public static void put(Path place, byte[] content) {
        try (Folder folder = PosixFolder.of(place)) {
            write(folder, NameText.lastOf(place), content, true);
        }
    }

    /** Removes a file if it is there; it is gone after a crash too. */
    public static void remove(Path place) {
        try (Folder folder = PosixFolder.of(place)) {
            try {
                folder.remove(NameText.lastOf(place));
            } catch (BlockException e) {
                if (e.error() != BlockError.ENOENT) {
                    throw e;
                }
            }
            folder.flush();
        }
    }

    static void create(Folder folder, String name, byte[] content) {
        write(folder, name, content, false);
    }

    static void write(Folder folder, String name, byte[] content, boolean replacing) {
        String unfinished = UnfinishedNames.of("file-" + NUMBER.incrementAndGet());
        folder.make(unfinished);
        boolean placed = false;
        try {
            folder.write(unfinished, content);
            folder.flush(unfinished);
            folder.rename(unfinished, name, replacing);
            placed = true;
        } finally {
            if (!placed) {
                folder.remove(unfinished);
            }
        }
        folder.flush();
    }

    /**
     * Gives a whole file the place of another, or a free place, in the same folder.
     *
     * @param placed runs when it is there; it may not be durable yet
     * @throws BlockException with nothing changed, unless {@code placed} has run: then the file is
     *     in its place, but a power failure may bring the old one back
     */
    public static void replace(Path whole, Path place, Runnable placed) {
        move(whole, place, true, placed);
    }

    /**
     * As {@link #replace}, of a free place.
     *
     * @throws BlockException EEXIST if there is anything of that name by then
     */
    public static void place(Path whole, Path place, Runnable placed) {
        move(whole, place, false, placed);
    }

    private static void move(Path whole, Path place, boolean replacing, Runnable placed) {
        try (Folder folder = PosixFolder.of(place)) {
            if (!whole.resolveSibling(place.getFileName()).equals(place)) {
                throw new BlockException(
                        BlockError.EINVAL,
                        "file cannot take a place in another folder: file="
                                + NameText.of(whole)
                                + ", place="
                                + NameText.of(place));
            }
            move(folder, NameText.lastOf(whole), NameText.lastOf(place), replacing, placed);
        }
    }

    static void replace(Folder folder, String whole, String name, Runnable placed) {
        move(folder, whole, name, true, placed);
    }

    private static void move(
            Folder folder, String whole, String name, boolean replacing, Runnable placed) {
        folder.flush(whole);
        folder.rename(whole, name, replacing);
        placed.run();
        folder.flush();
    }
}
