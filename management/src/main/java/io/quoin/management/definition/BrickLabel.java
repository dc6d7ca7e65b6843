package io.quoin.management.definition;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.brick.posix.DurableFile;
import io.quoin.brick.posix.PrivateFolder;
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
final class BrickLabel {
    private static final String FOLDER = ".quoin";
    private static final String FILE = "volume-id";

    private BrickLabel() {}

    /** Makes the folder where it is missing, and marks it. Durable on return. */
    static void write(Path folder, String volumeId) {
        Path own = folder.resolve(FOLDER);
        PrivateFolder.make(own);
        DurableFile.put(own.resolve(FILE), (volumeId + "\n").getBytes(StandardCharsets.US_ASCII));
    }

    /** The id of the volume whose brick it is or was; empty if it is none. */
    static Optional<String> read(Path folder) {
        Path file = folder.resolve(FOLDER).resolve(FILE);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            return Optional.of(Files.readString(file, StandardCharsets.US_ASCII).strip());
        } catch (IOException e) {
            throw Reason.failure("cannot read the label of the brick", NameText.of(file), e);
        }
    }

    /**
     * Before the brick is used.
     *
     * @throws BlockException ENOENT if the folder is not the volume's brick
     */
    static void require(Path folder, VolumeDefinition volume) {
        Optional<String> found = read(folder);
        if (!found.equals(Optional.of(volume.id()))) {
            throw new BlockException(
                    BlockError.ENOENT,
                    "brick is not there: volume="
                            + volume.name()
                            + ", path="
                            + NameText.of(folder)
                            + ", expected=a folder marked with "
                            + volume.id()
                            + ", actual="
                            + found.orElse("no mark")
                            + "; is its file system mounted?");
        }
    }
}
