package io.quoin.tools.command;

import picocli.CommandLine.Option;

/**
 * {@code -U}: images are read without locks.
 *
 * <p>Threading: confined to the main thread.
 */
final class ForceShareOption {
    @Option(
            names = {"-U", "--force-share"},
            description =
                    "read an image though something may be writing it; what is read may be of"
                            + " different moments")
    private boolean given;

    boolean isGiven() {
        return given;
    }
}
