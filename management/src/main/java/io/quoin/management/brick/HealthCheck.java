package io.quoin.management.brick;

import io.quoin.block.BlockError;
import io.quoin.block.Reason;
import io.quoin.xlator.loop.Loop;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * Finds out that a brick's storage answers with errors, or not at all any more: writes, syncs and
 * reads a small file of its folder again and again, on a thread of its own, while the brick's loop
 * watches how long that takes. A full disk is no failure.
 *
 * <p>Threading: thread-safe. What is found is told on either thread, once.
 */
final class HealthCheck implements AutoCloseable {
    /** In storage/posix's own folder, which holds nothing of the brick. */
    private static final String FILE = ".quoin/health-check";

    /**
     * How often the loop looks within the time that a check may take. Looks are counted, so that a
     * process that was stopped for a while does not take that for its storage's slowness.
     */
    private static final int LOOKS = 10;

    private static final long NONE = 0;

    private final Path file;
    private final Loop loop;
    private final Duration timeout;
    private final Consumer<String> whenFailed;
    private final ScheduledExecutorService thread =
            Executors.newSingleThreadScheduledExecutor(
                    task -> {
                        Thread made = new Thread(task, "quoin-health");
                        made.setDaemon(true);
                        return made;
                    });
    private final AtomicBoolean isTold = new AtomicBoolean();
    private volatile long running = NONE;
    private volatile boolean isClosed;
    private long count;
    private long seen;
    private int looks;

    /**
     * @param loop the brick's
     * @param whenFailed is told why
     */
    HealthCheck(Path folder, Loop loop, Duration timeout, Consumer<String> whenFailed) {
        this.file = folder.resolve(FILE);
        this.loop = loop;
        this.timeout = timeout;
        this.whenFailed = whenFailed;
    }

    /** The first check is now. */
    void start(Duration interval) {
        ScheduledFuture<?> unused =
                thread.scheduleWithFixedDelay(
                        this::check, 0, interval.toNanos(), TimeUnit.NANOSECONDS);
        loop.execute(this::look);
    }

    private void check() {
        running = ++count;
        try {
            writeAndRead(count);
        } catch (IOException e) {
            if (Reason.errorOf(e) != BlockError.ENOSPC) {
                tell("reason=" + Reason.of(e));
            }
        } finally {
            running = NONE;
        }
    }

    private void writeAndRead(long number) throws IOException {
        try (FileChannel channel =
                FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE,
                        LinkOption.NOFOLLOW_LINKS)) {
            ByteBuffer written = ByteBuffer.allocate(Long.BYTES).putLong(0, number);
            channel.write(written, 0);
            channel.force(false);
            ByteBuffer read = ByteBuffer.allocate(Long.BYTES);
            channel.read(read, 0);
            if (read.getLong(0) != number) {
                tell("reason=what is read is not what was written");
            }
        }
    }

    private void look() {
        if (isClosed) {
            return;
        }
        long now = running;
        looks = now != NONE && now == seen ? looks + 1 : 0;
        seen = now;
        if (looks > LOOKS) {
            tell("reason=no answer within " + timeout.toMillis() + " ms");
            return;
        }
        loop.schedule(timeout.toNanos() / LOOKS, this::look);
    }

    private void tell(String reason) {
        if (!isClosed && isTold.compareAndSet(false, true)) {
            whenFailed.accept(reason);
        }
    }

    @Override
    public void close() {
        isClosed = true;
        thread.shutdown();
    }
}
