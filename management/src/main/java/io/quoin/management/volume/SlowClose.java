package io.quoin.management.volume;

import io.quoin.block.BlockError;
import io.quoin.xlator.NameText;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches the close of a disk at the end of the service: says what is waited for, and gives up
 * storage that has not answered for five minutes, as bricks that are gone.
 *
 * <p>Threading: confined(loop), the disk's, but for {@link #watch}.
 */
final class SlowClose {
    private static final Logger LOG = LoggerFactory.getLogger(SlowClose.class);
    private static final int LOOK_SECONDS = 15;
    private static final int LIMIT_SECONDS = 300;

    private final String name;
    private final OpenDisk disk;
    private final CompletableFuture<Void> closed;
    private int waitedSeconds;

    SlowClose(String name, OpenDisk disk, CompletableFuture<Void> closed) {
        this.name = name;
        this.disk = disk;
        this.closed = closed;
    }

    /** Begins; returns what is watched. On any thread. */
    CompletableFuture<Void> watch() {
        disk.loop().execute(this::later);
        return closed;
    }

    private void later() {
        if (!closed.isDone()) {
            disk.loop().schedule(TimeUnit.SECONDS.toNanos(LOOK_SECONDS), this::look);
        }
    }

    private void look() {
        if (closed.isDone()) {
            return;
        }
        waitedSeconds += LOOK_SECONDS;
        if (waitedSeconds < LIMIT_SECONDS) {
            LOG.warn(
                    "Waiting for the storage of a disk: name={}, seconds={}",
                    NameText.printable(name),
                    waitedSeconds);
            later();
        } else {
            LOG.error(
                    "Disk given up, its storage does not answer: name={}, seconds={}",
                    NameText.printable(name),
                    waitedSeconds);
            disk.file().abort(BlockError.ETIMEDOUT);
        }
    }
}
