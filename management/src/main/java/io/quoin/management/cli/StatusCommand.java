package io.quoin.management.cli;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.daemon.ControlClient;
import io.quoin.management.operation.Status;
import io.quoin.management.operation.StatusView;
import io.quoin.management.volume.DataFolder;
import io.quoin.tools.terminal.OutputOption;
import io.quoin.xlator.Stages;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * {@code quoin status}: asks the daemon of a data folder.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "status",
        description = "Show the running service: disks, bricks, addresses and I/O statistics.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Exit codes: 0 the service answers, 1 it does not, within 10 s or those of --wait.",
            "",
            "Examples:",
            "  quoin status",
            "  quoin status --wait 30 --output json"
        })
final class StatusCommand implements Runnable {
    private static final long POLL_MILLIS = 50;

    /** How long a service has to answer that is there. */
    private static final double ANSWER_SECONDS = 10;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private DataOption data;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private OutputOption output;

    @Option(
            names = "--wait",
            paramLabel = "SECONDS",
            description = "wait that long at most until the service answers (default: don't wait)",
            defaultValue = "0")
    private double waitSeconds;

    /** Whether there is a service at all. */
    private volatile boolean isReached;

    @Override
    public void run() {
        DataFolder folder = data.folder();
        String volume = data.volume();
        double seconds = waitSeconds > 0 ? waitSeconds : ANSWER_SECONDS;
        CompletableFuture<StatusView> asked = new CompletableFuture<>();
        // A service that is stopped takes clients in and answers none: the thread is left behind.
        Thread asking = new Thread(() -> complete(asked, folder, volume), "quoin-status");
        asking.setDaemon(true);
        asking.start();
        StatusView answer = answer(asked, folder, seconds);
        output.print(answer, out -> StatusText.print(answer, out));
    }

    private void complete(
            CompletableFuture<StatusView> asked, DataFolder folder, @Nullable String volume) {
        try {
            asked.complete(await(folder, volume));
        } catch (RuntimeException e) {
            asked.completeExceptionally(e);
        }
    }

    private StatusView await(DataFolder folder, @Nullable String volume) {
        long deadline = System.nanoTime() + (long) (waitSeconds * TimeUnit.SECONDS.toNanos(1));
        Optional<StatusView> status = ask(folder, volume);
        while (status.isEmpty() && System.nanoTime() - deadline < 0) {
            pause();
            status = ask(folder, volume);
        }
        return status.orElseThrow(() -> notServed(folder));
    }

    private StatusView answer(
            CompletableFuture<StatusView> asked, DataFolder folder, double seconds) {
        try {
            return asked.get(
                    (long) (seconds * TimeUnit.SECONDS.toMillis(1)), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw Stages.asBlockException(e);
        } catch (TimeoutException e) {
            if (!isReached) {
                throw notServed(folder);
            }
            throw new BlockException(
                    BlockError.ETIMEDOUT,
                    "the service does not answer: data="
                            + folder.text()
                            + ", expected=an answer within "
                            + seconds
                            + " s",
                    e);
        } catch (InterruptedException e) {
            throw new BlockException(BlockError.ESHUTDOWN, "interrupted while waiting", e);
        }
    }

    private Optional<StatusView> ask(DataFolder folder, @Nullable String volume) {
        Optional<ControlClient> client = ControlClient.connect(folder, volume);
        if (client.isEmpty()) {
            return Optional.empty();
        }
        isReached = true;
        try (ControlClient daemon = client.get()) {
            return Optional.of(daemon.call(Status.TYPE, new Status.Request()));
        } catch (BlockException e) {
            if (e.error() == BlockError.ESHUTDOWN) {
                return Optional.empty(); // it ended just now
            }
            throw e;
        }
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
        } catch (InterruptedException e) {
            throw new BlockException(BlockError.ESHUTDOWN, "interrupted while waiting", e);
        }
    }

    static BlockException notServed(DataFolder folder) {
        return new BlockException(
                BlockError.ESHUTDOWN,
                "no service answers: data="
                        + folder.path()
                        + "; start it with: quoin serve --data "
                        + folder.path());
    }
}
