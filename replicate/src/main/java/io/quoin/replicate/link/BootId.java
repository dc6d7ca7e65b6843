package io.quoin.replicate.link;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;

/**
 * Tells one run of the machine from the next: what an earlier one has written without a flush may
 * be lost.
 *
 * <p>Threading: immutable.
 */
public final class BootId {
    private static final Path PATH = Path.of("/proc/sys/kernel/random/boot_id");

    private BootId() {}

    /** The kernel's; where it has none, one that is never the same. */
    public static String current() {
        try {
            return Files.readString(PATH).strip();
        } catch (IOException e) {
            return "unknown-" + UUID.randomUUID();
        }
    }
}
