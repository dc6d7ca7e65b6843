package io.quoin.tools.terminal;

import java.io.PrintWriter;
import java.util.function.Consumer;
import picocli.CommandLine.Option;

/**
 * {@code -q} beside {@code --output}: scripts that go by the exit code see errors alone.
 *
 * <p>Threading: confined to the main thread.
 */
public class QuietOutput extends OutputOption {
    @Option(
            names = {"-q", "--quiet"},
            description = "print errors alone")
    private boolean quiet;

    @Override
    public void print(Object result, Consumer<PrintWriter> human) {
        if (!quiet) {
            super.print(result, human);
        }
    }

    final boolean isQuiet() {
        return quiet;
    }
}
