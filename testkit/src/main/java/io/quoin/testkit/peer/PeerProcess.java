package io.quoin.testkit.peer;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/**
 * A process in the background, with everything it prints kept. It is ended by its process id, with
 * its children, at {@link #close()} and when the virtual machine ends.
 *
 * <p>Threading: thread-safe.
 */
public final class PeerProcess implements AutoCloseable {
    private static final Duration GRACE = Duration.ofSeconds(10);
    private static final long POLL_MILLIS = 5;

    private final List<String> argv;
    private final Process process;
    private final OutputReader stdout;
    private final OutputReader stderr;
    private final Thread atExit;

    PeerProcess(List<String> argv, Process process) {
        this.argv = argv;
        this.process = process;
        this.stdout = OutputReader.of(process.getInputStream(), "stdout of " + argv.get(0));
        this.stderr = OutputReader.of(process.getErrorStream(), "stderr of " + argv.get(0));
        this.atExit = new Thread(this::killTree);
        Runtime.getRuntime().addShutdownHook(atExit);
    }

    public long pid() {
        return process.pid();
    }

    public boolean alive() {
        return process.isAlive();
    }

    /** What it has printed so far. */
    public String stdout() {
        return stdout.text();
    }

    /** What it has complained of so far. */
    public String stderr() {
        return stderr.text();
    }

    /** Writes to its standard input and closes that. */
    public void feed(byte[] bytes) {
        PeerCommand.write(process.getOutputStream(), bytes);
    }

    /** Waits until its standard output has a line that matches, and returns the line. */
    public String awaitLine(Predicate<String> matches, Duration limit) {
        long deadlineNanos = System.nanoTime() + limit.toNanos();
        while (true) {
            boolean complete = stdout.ended();
            int seenBytes = stdout.sizeBytes();
            for (String line : completeLines(stdout.text(), complete)) {
                if (matches.test(line)) {
                    return line;
                }
            }
            if (complete) {
                throw new AssertionError("ended without the awaited line: " + describe());
            }
            if (System.nanoTime() >= deadlineNanos) {
                throw new AssertionError("no such line within " + limit + ": " + describe());
            }
            try {
                stdout.awaitMoreThan(seenBytes, deadlineNanos);
            } catch (InterruptedException e) {
                throw interrupted(e);
            }
        }
    }

    /** Waits until the condition holds; fails when the process ends first or the limit passes. */
    public PeerProcess awaitReady(BooleanSupplier ready, Duration limit) {
        long deadlineNanos = System.nanoTime() + limit.toNanos();
        while (!ready.getAsBoolean()) {
            if (!process.isAlive()) {
                throw new AssertionError("ended before it was ready: " + describe());
            }
            if (System.nanoTime() >= deadlineNanos) {
                throw new AssertionError("not ready within " + limit + ": " + describe());
            }
            try {
                // Returns at once when the process ends.
                process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                throw interrupted(e);
            }
        }
        return this;
    }

    /** Waits until a client can connect to the unix socket. */
    public PeerProcess awaitSocket(Path socket, Duration limit) {
        return awaitReady(() -> connects(UnixDomainSocketAddress.of(socket)), limit);
    }

    /** Waits until a client can connect to the loopback port. */
    public PeerProcess awaitPort(int port, Duration limit) {
        return awaitReady(
                () -> connects(new InetSocketAddress(InetAddress.getLoopbackAddress(), port)),
                limit);
    }

    /** Asks it to end (SIGTERM); does not wait. */
    public void terminate() {
        process.destroy();
    }

    /** Ends it without a chance to do anything (SIGKILL), and waits until it is gone. */
    public void kill() {
        process.destroyForcibly();
        awaitExit(GRACE);
    }

    /** Waits for its end; one that is still there at the limit is killed and fails the test. */
    public PeerResult awaitExit(Duration limit) {
        try {
            if (!PeerCommand.await(process, limit)) {
                killTree();
                throw new AssertionError("still running after " + limit + ": " + describe());
            }
            // A grandchild may hold the pipes open: the output is complete only up to the grace.
            stdout.join(GRACE.toMillis());
            stderr.join(GRACE.toMillis());
            return new PeerResult(argv, process.exitValue(), stdout.bytes(), stderr.bytes());
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    /** Ends it by SIGTERM, after a grace by SIGKILL. Ended processes are left alone. */
    @Override
    public void close() {
        try {
            process.destroy();
            if (!PeerCommand.await(process, GRACE)) {
                killTree();
            }
        } catch (InterruptedException e) {
            throw interrupted(e);
        } finally {
            killTree();
            try {
                Runtime.getRuntime().removeShutdownHook(atExit);
            } catch (IllegalStateException shuttingDown) {
                killTree();
            }
        }
    }

    private AssertionError interrupted(InterruptedException cause) {
        killTree();
        Thread.currentThread().interrupt();
        return new AssertionError("interrupted while waiting for " + describe(), cause);
    }

    /** Of one that has ended nothing can be found any more, and to search takes all of /proc. */
    private void killTree() {
        if (process.isAlive()) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    private String describe() {
        return String.join(" ", argv)
                + "\n--- stdout\n"
                + stdout.text()
                + "\n--- stderr\n"
                + stderr.text();
    }

    private static List<String> completeLines(String text, boolean ended) {
        int end = ended ? text.length() : text.lastIndexOf('\n') + 1;
        return text.substring(0, end).lines().toList();
    }

    private static boolean connects(SocketAddress address) {
        boolean unix = address instanceof UnixDomainSocketAddress;
        try (SocketChannel channel =
                unix ? SocketChannel.open(StandardProtocolFamily.UNIX) : SocketChannel.open()) {
            return channel.connect(address);
        } catch (IOException notYet) {
            return false;
        }
    }
}
