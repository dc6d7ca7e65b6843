package io.quoin.tools.terminal;

import java.io.PrintWriter;

/**
 * What a check finds, as lines on stderr, and its progress there if that is a terminal.
 *
 * <p>Threading: confined to its thread.
 */
public final class CheckFindings implements AutoCloseable {
    private final PrintWriter err;
    private final Progress progress;

    public CheckFindings(PrintWriter err, Progress progress) {
        this.err = err;
        this.progress = progress;
    }

    public void progress(long done, long total) {
        progress.show(done, total);
    }

    public void finding(String text) {
        progress.clear();
        err.println(text);
        err.flush();
    }

    @Override
    public void close() {
        progress.clear();
    }
}
