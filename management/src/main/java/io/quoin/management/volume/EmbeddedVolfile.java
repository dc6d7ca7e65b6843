package io.quoin.management.volume;

import io.quoin.block.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Objects;

/**
 * The graph of an embedded volume. It is written to the data folder on the first start and is the
 * operator's from then on.
 *
 * <p>Threading: immutable.
 */
final class EmbeddedVolfile {
    private static final String RESOURCE = "embedded.vol";

    private EmbeddedVolfile() {}

    static String text() {
        try (InputStream in =
                Objects.requireNonNull(EmbeddedVolfile.class.getResourceAsStream(RESOURCE))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The volfile of a data folder, written whole or not at all where it is missing. */
    static Path ensure(DataFolder folder) {
        Path volfile = folder.volfile();
        if (Files.exists(volfile)) {
            return volfile;
        }
        Path unfinished = volfile.resolveSibling(volfile.getFileName() + ".new");
        try {
            Files.writeString(unfinished, text());
            Files.move(unfinished, volfile, StandardCopyOption.ATOMIC_MOVE);
            return volfile;
        } catch (IOException e) {
            throw Reason.failure("cannot write the volfile", volfile, e);
        }
    }
}
