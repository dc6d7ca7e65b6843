package io.quoin.brick.posix;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * Ends the process where it cannot be trusted any more with the numbers of its files: what it
 * writes might reach another disk. That is the one error that is not answered by fencing a disk.
 * Nothing is flushed or closed on the way; what guests have flushed is durable already.
 *
 * <p>Threading: thread-safe.
 */
final class Distrust {
    /** EX_SOFTWARE of {@code sysexits.h}. */
    private static final int EXIT_CODE = 70;

    private static final long MESSAGE_TIMEOUT_MILLIS = 1000;

    private static volatile Consumer<String> end = Distrust::halt;

    private Distrust() {}

    /** Ends the process, with {@code why} on standard error. Does not return, but in a test. */
    static void end(String why) {
        end.accept(why);
    }

    /** For tests: what to do instead; returns what was done before. */
    static Consumer<String> onEnd(Consumer<String> instead) {
        Consumer<String> before = end;
        end = instead;
        return before;
    }

    private static void halt(String why) {
        // Past System.err, whose lines may wait to be written; and by a thread of its own: where
        // standard error is not read, the end must not wait for it.
        Thread message = new Thread(() -> print(why), "quoin-last-word");
        message.setDaemon(true);
        message.start();
        try {
            message.join(MESSAGE_TIMEOUT_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Runtime.getRuntime().halt(EXIT_CODE);
    }

    private static void print(String why) {
        String line =
                "quoin: the process ends before it can write to a file that is not its own: "
                        + why
                        + System.lineSeparator();
        try (FileOutputStream standardError = new FileOutputStream(FileDescriptor.err)) {
            standardError.write(line.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            return; // standard error is closed
        }
    }
}
