package io.quoin.management.cli;

import io.quoin.xlator.NameText;
import java.nio.file.Path;

/**
 * The folder of a backup repository, as the command line has it.
 *
 * <p>Threading: immutable.
 */
final class RepositoryOption {
    private RepositoryOption() {}

    /** For the service, whose working folder is another one. */
    static String text(Path given) {
        return NameText.of(absolute(given));
    }

    static Path absolute(Path given) {
        return NameText.absolute(given).normalize();
    }
}
