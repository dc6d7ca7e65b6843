package io.quoin.management.brick;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/**
 * Makes a small file in a brick's folder, writes, syncs, reads and removes it. Nothing of it is
 * left, so that it matters not which user does it next.
 *
 * <p>Threading: confined to its thread; blocks.
 */
final class FolderProbe implements HealthCheck.Probe {
    /** In storage/posix's own folder, which holds nothing of the brick. */
    private static final String FILE = ".quoin/health-check";

    private final Path file;

    FolderProbe(Path folder) {
        this.file = folder.resolve(FILE);
    }

    @Override
    public void run(long number) throws IOException {
        Files.deleteIfExists(file); // of a process that was killed
        try (FileChannel channel =
                FileChannel.open(
                        file,
                        Set.of(
                                StandardOpenOption.CREATE_NEW,
                                StandardOpenOption.READ,
                                StandardOpenOption.WRITE),
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rw-------")))) {
            channel.write(ByteBuffer.allocate(Long.BYTES).putLong(0, number), 0);
            channel.force(true);
            ByteBuffer read = ByteBuffer.allocate(Long.BYTES);
            channel.read(read, 0);
            if (read.getLong(0) != number) {
                throw new IOException("what is read is not what was written: file=health-check");
            }
        }
        Files.delete(file);
    }
}
