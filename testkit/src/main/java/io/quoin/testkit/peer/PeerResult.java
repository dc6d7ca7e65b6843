package io.quoin.testkit.peer;

import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * What a finished command left: its exit code and everything it printed.
 *
 * <p>Threading: immutable.
 */
public final class PeerResult {
    private final List<String> argv;
    private final int exitCode;
    private final byte[] stdout;
    private final byte[] stderr;

    PeerResult(List<String> argv, int exitCode, byte[] stdout, byte[] stderr) {
        this.argv = argv;
        this.exitCode = exitCode;
        this.stdout = stdout;
        this.stderr = stderr;
    }

    /** The exit code; 128 + n for a process ended by signal n. */
    public int exitCode() {
        return exitCode;
    }

    public String stdout() {
        return new String(stdout, StandardCharsets.UTF_8);
    }

    public String stderr() {
        return new String(stderr, StandardCharsets.UTF_8);
    }

    /** The output as it came, for programs that print data. */
    public byte[] stdoutBytes() {
        return stdout.clone();
    }

    /** Fails with the whole output unless the exit code is 0. */
    public PeerResult requireSuccess() {
        return requireExitCode(0);
    }

    /** Fails with the whole output unless the exit code is the given one. */
    public PeerResult requireExitCode(int expected) {
        if (exitCode != expected) {
            throw new AssertionError("exit code: expected=" + expected + ", actual=" + this);
        }
        return this;
    }

    @Override
    public String toString() {
        return exitCode
                + " of "
                + String.join(" ", argv)
                + "\n--- stdout\n"
                + stdout()
                + "\n--- stderr\n"
                + stderr();
    }
}
