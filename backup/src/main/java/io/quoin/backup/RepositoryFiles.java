package io.quoin.backup;

import io.quoin.brick.posix.DurableFile;
import io.quoin.brick.posix.PrivateFolder;
import java.nio.file.Path;

/**
 * The changes of files in a repository. Each is whole and durable when the call returns, and after
 * a crash in it is done or not.
 *
 * <p>Threading: thread-safe; blocks.
 */
interface RepositoryFiles {
    /** Those of a real folder. */
    RepositoryFiles DURABLE =
            new RepositoryFiles() {
                @Override
                public void makeFolder(Path folder) {
                    PrivateFolder.make(folder);
                }

                @Override
                public void put(Path file, byte[] content) {
                    DurableFile.put(file, content);
                }

                @Override
                public void place(Path whole, Path place) {
                    DurableFile.replace(whole, place, () -> {});
                }

                @Override
                public void remove(Path file) {
                    DurableFile.remove(file);
                }
            };

    /** With those above it, where they are missing. */
    void makeFolder(Path folder);

    /** Makes a file, or gives it new content. */
    void put(Path file, byte[] content);

    /** Gives a file that is written and closed its name, in the same folder. */
    void place(Path whole, Path place);

    /** Removes a file if it is there. */
    void remove(Path file);
}
