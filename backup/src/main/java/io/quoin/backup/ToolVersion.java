package io.quoin.backup;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Objects;
import java.util.Properties;

/**
 * What makes backups, with the version that was built.
 *
 * <p>Threading: immutable.
 */
final class ToolVersion {
    private ToolVersion() {}

    static String text() {
        Properties properties = new Properties();
        try (InputStream in =
                Objects.requireNonNull(
                        ToolVersion.class.getResourceAsStream("version.properties"))) {
            properties.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return "quoin " + properties.getProperty("version");
    }
}
