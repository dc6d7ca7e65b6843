package io.quoin.tools.terminal;

import picocli.CommandLine.Option;

/**
 * {@code -p} beside {@code -q} and {@code --output}, for what takes its time. Without one of them
 * progress is shown where stderr is a terminal.
 *
 * <p>Threading: confined to the main thread.
 */
public final class ProgressOutput extends QuietOutput {
    @Option(
            names = {"-p", "--progress"},
            description = "show progress on stderr also where that is no terminal")
    private boolean wanted;

    /** What shows the progress of {@code what}, as in "converting". */
    public Progress progress(String what) {
        if (isQuiet()) {
            return Progress.none(what, err());
        }
        return wanted ? Progress.always(what, err()) : Progress.onTerminal(what, err());
    }
}
