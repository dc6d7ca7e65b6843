package io.quoin.testkit.log;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The errors that a test run has caused, from the lines of the log and from threads that ended in
 * an exception.
 *
 * <p>Threading: thread-safe.
 */
final class ErrorLog {
    private static final ErrorLog INSTANCE = new ErrorLog();

    private final List<String> unexpected = new ArrayList<>();
    private List<String> expected = List.of();

    private ErrorLog() {}

    /** That of the process, as its loggers and its handler of uncaught exceptions are. */
    static ErrorLog instance() {
        return INSTANCE;
    }

    /** What may come from now on, in place of what might before. */
    synchronized void expect(List<String> texts) {
        expected = List.copyOf(texts);
    }

    /**
     * Takes down an error unless it is expected.
     *
     * @return whether it is expected
     */
    synchronized boolean add(String line, @Nullable Throwable cause) {
        String whole = cause == null ? line : line + ": " + cause;
        if (expected.stream().anyMatch(whole::contains)) {
            return true;
        }
        unexpected.add(whole);
        return false;
    }

    /** The unexpected errors since the last call. */
    synchronized List<String> take() {
        List<String> taken = List.copyOf(unexpected);
        unexpected.clear();
        return taken;
    }
}
