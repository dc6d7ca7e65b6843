package io.quoin.management.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/**
 * The version that was built.
 *
 * <p>Threading: immutable.
 */
final class Version implements IVersionProvider {
    static String text() {
        Properties properties = new Properties();
        try (InputStream in =
                Objects.requireNonNull(Version.class.getResourceAsStream("version.properties"))) {
            properties.load(in);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return properties.getProperty("version");
    }

    /** The commit is the launcher's to say: it knows whether this is an installation. */
    @Override
    public String[] getVersion() {
        return new String[] {
            "quoin "
                    + text()
                    + " (commit "
                    + System.getProperty("quoin.commit", "unknown")
                    + ", Java "
                    + System.getProperty("java.version")
                    + ", "
                    + System.getProperty("java.vm.name")
                    + ")"
        };
    }
}
