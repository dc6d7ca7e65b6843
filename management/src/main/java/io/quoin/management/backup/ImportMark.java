package io.quoin.management.backup;

import io.quoin.backup.stream.DiffHeader;
import io.quoin.block.Reason;
import io.quoin.brick.posix.DurableFile;
import io.quoin.brick.posix.PrivateFolder;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;

/**
 * Says that a disk is in the middle of an import: a file of its name, durable before the first
 * write, and removed once the snapshot is there. Without it what a disk has changed is its user's,
 * and is not written over.
 *
 * <p>Threading: confined to its user.
 */
final class ImportMark {
    private final Path file;
    private final byte[] content;

    /**
     * @param folder of all marks of the volume
     * @param disk that is imported into
     */
    ImportMark(Path folder, String disk, DiffHeader header) {
        this.file = file(folder, disk);
        DiffHeader.Point from = header.from();
        this.content =
                ((from == null ? "-" : from.uuid()) + "\n" + header.to().uuid() + "\n")
                        .getBytes(StandardCharsets.US_ASCII);
    }

    /** Whether an import of the same stream was begun. */
    boolean isThere() {
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        try {
            return Arrays.equals(Files.readAllBytes(file), content);
        } catch (IOException e) {
            throw Reason.failure("mark of an import cannot be read", NameText.of(file), e);
        }
    }

    void put() {
        PrivateFolder.make(Objects.requireNonNull(file.getParent()));
        DurableFile.put(file, content);
    }

    void remove() {
        remove(file);
    }

    /** That of a disk, of whatever stream. */
    static void remove(Path folder, String disk) {
        remove(file(folder, disk));
    }

    private static Path file(Path folder, String disk) {
        return folder.resolve(NameText.path(disk));
    }

    private static void remove(Path file) {
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            DurableFile.remove(file);
        }
    }
}
