package io.quoin.brick.posix;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The file of a brick folder that says whose it is: so an empty folder where a file system is not
 * mounted is never taken for a brick.
 *
 * <p>Threading: immutable; blocks.
 */
public final class BrickMark {
    private static final String FILE = "volume-id";

    private BrickMark() {}

    private static Path file(Path folder) {
        return folder.resolve(FileNames.OWN_FOLDER).resolve(FILE);
    }

    /** Makes the folder where it is missing, and marks it. Durable on return. */
    public static void write(Path folder, String volumeId) {
        PrivateFolder.make(folder.resolve(FileNames.OWN_FOLDER));
        DurableFile.put(file(folder), (volumeId + "\n").getBytes(StandardCharsets.US_ASCII));
    }

    /** Takes the mark away, if there is one. Durable on return. */
    public static void remove(Path folder) {
        if (Files.exists(file(folder))) {
            DurableFile.remove(file(folder));
        }
    }

    /** The id of the volume whose brick it is or was; empty if it is none. */
    public static Optional<String> read(Path folder) {
        Path file = file(folder);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            return Optional.of(Files.readString(file, StandardCharsets.US_ASCII).strip());
        } catch (IOException e) {
            throw Reason.failure("cannot read the mark of the brick", NameText.of(file), e);
        }
    }

    /**
     * Before the folder is used.
     *
     * @throws BlockException ENOENT if it is not there, or not marked with that id
     */
    public static void require(Path folder, String volumeId) {
        Optional<String> found = read(folder);
        if (!found.equals(Optional.of(volumeId))) {
            throw new BlockException(
                    BlockError.ENOENT,
                    "brick is not there: path="
                            + NameText.of(folder)
                            + ", expected=a folder marked with "
                            + volumeId
                            + ", actual="
                            + found.orElse("no mark")
                            + "; is its file system mounted?");
        }
    }
}
