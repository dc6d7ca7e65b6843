package io.quoin.management.e2e;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/**
 * Writes an initramfs: a cpio archive of the "newc" kind, uncompressed, since an emulated processor
 * unpacks slower than a disk reads (Linux: Documentation/driver-api/early-userspace/buffer-format).
 */
final class CpioArchive implements AutoCloseable {
    private static final int DIRECTORY = 0040755;
    private static final int EXECUTABLE = 0100755;
    private static final int ALIGNMENT = 4;

    private final OutputStream output;
    private final Set<String> directories = new HashSet<>();
    private final Set<String> files = new HashSet<>();
    private int inode = 1;

    CpioArchive(Path file) throws IOException {
        output = new BufferedOutputStream(Files.newOutputStream(file));
    }

    /**
     * Adds a file under an absolute name, with the folders above it; a name given twice counts
     * once.
     */
    void add(String name, byte[] content) throws IOException {
        String relative = name.substring(1);
        if (!files.add(relative)) {
            return;
        }
        for (int at = relative.indexOf('/'); at > 0; at = relative.indexOf('/', at + 1)) {
            if (directories.add(relative.substring(0, at))) {
                entry(relative.substring(0, at), DIRECTORY, new byte[0]);
            }
        }
        entry(relative, EXECUTABLE, content);
    }

    void add(String name, Path source) throws IOException {
        add(name, Files.readAllBytes(source));
    }

    private void entry(String name, int mode, byte[] content) throws IOException {
        byte[] nameBytes = (name + "\0").getBytes(StandardCharsets.UTF_8);
        // magic, inode, mode, uid, gid, links, mtime, size, 2 x device, 2 x device of a node, name,
        // sum
        String header =
                String.format(
                        "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
                        inode++, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, nameBytes.length, 0);
        output.write(header.getBytes(StandardCharsets.US_ASCII));
        output.write(nameBytes);
        pad(header.length() + nameBytes.length);
        output.write(content);
        pad(content.length);
    }

    private void pad(int lengthBytes) throws IOException {
        output.write(new byte[(ALIGNMENT - lengthBytes % ALIGNMENT) % ALIGNMENT]);
    }

    @Override
    public void close() throws IOException {
        try (output) {
            entry("TRAILER!!!", 0, new byte[0]);
        }
    }
}
