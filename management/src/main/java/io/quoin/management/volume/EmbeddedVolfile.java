package io.quoin.management.volume;

import io.quoin.brick.posix.DurableFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
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

    /**
     * The volfile of a data folder, written whole and durable, or not at all, where it is missing.
     */
    static Path ensure(DataFolder folder) {
        Path volfile = folder.volfile();
        if (!Files.exists(volfile, LinkOption.NOFOLLOW_LINKS)) {
            DurableFile.create(volfile, text().getBytes(StandardCharsets.UTF_8));
        }
        return volfile;
    }
}
