package io.quoin.testkit.peer;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A command line with its input, environment and deadline. {@link #run()} runs it to its end; one
 * that is still running at its deadline is killed with all its children and fails the test.
 *
 * <p>Threading: confined to the test that builds it.
 */
public final class PeerCommand {
    private static final Duration DEADLINE = Duration.ofMinutes(1);

    private final List<String> argv;
    private final Map<String, String> environment = new HashMap<>();
    private byte[] stdin = new byte[0];
    private Duration deadline = DEADLINE;
    private @Nullable Path directory;

    private PeerCommand(List<String> argv) {
        this.argv = argv;
    }

    public static PeerCommand of(String... argv) {
        return new PeerCommand(List.of(argv));
    }

    public static PeerCommand of(List<String> argv) {
        return new PeerCommand(List.copyOf(argv));
    }

    public PeerCommand stdin(String text) {
        return stdin(text.getBytes(StandardCharsets.UTF_8));
    }

    public PeerCommand stdin(byte[] bytes) {
        stdin = bytes.clone();
        return this;
    }

    /** Sets one variable on top of this process's environment. */
    public PeerCommand environment(String name, String value) {
        environment.put(name, value);
        return this;
    }

    public PeerCommand directory(Path newDirectory) {
        directory = newDirectory;
        return this;
    }

    /** How long {@link #run()} may take; a minute unless told otherwise. */
    public PeerCommand deadline(Duration newDeadline) {
        deadline = newDeadline;
        return this;
    }

    /** Runs to the end, and returns the result whatever the exit code is. */
    public PeerResult run() {
        try (PeerProcess process = start()) {
            process.feed(stdin);
            return process.awaitExit(deadline);
        }
    }

    /** Runs to the end and fails with all output unless the exit code is 0. */
    public PeerResult runOk() {
        return run().requireSuccess();
    }

    /** Starts in the background with an open standard input. Close the process to end it. */
    public PeerProcess start() {
        ProcessBuilder builder = new ProcessBuilder(argv);
        builder.environment().putAll(environment);
        if (directory != null) {
            builder.directory(directory.toFile());
        }
        try {
            return new PeerProcess(argv, builder.start());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start " + String.join(" ", argv), e);
        }
    }

    @Override
    public String toString() {
        return String.join(" ", argv);
    }

    static void write(OutputStream output, byte[] bytes) {
        try (output) {
            output.write(bytes);
        } catch (IOException e) {
            // A program may end without reading its input; its exit code and output tell the rest.
            return;
        }
    }

    static boolean await(Process process, Duration limit) throws InterruptedException {
        return process.waitFor(limit.toNanos(), TimeUnit.NANOSECONDS);
    }
}
