package io.quoin.brick.posix;

import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The resize of a file: wanted, running in the pool once no change is in flight, ended.
 *
 * <p>Threading: confined(loop); {@link #perform} runs on a worker meanwhile.
 */
final class FileResize extends IoPool.Task implements Runnable {
    private final PosixFile file;
    private final IoPool pool;
    private @Nullable CompletableFuture<Void> wanted;
    private boolean running;
    private long newSizeBytes;
    private int truncated;
    private int synced;

    FileResize(PosixFile file, IoPool pool) {
        this.file = file;
        this.pool = pool;
    }

    /** From the call that asks for it until it has ended. */
    boolean isWanted() {
        return wanted != null;
    }

    CompletableFuture<Void> want(long sizeBytes) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        wanted = done;
        newSizeBytes = sizeBytes;
        return done;
    }

    /** Whether the pool has it. */
    boolean isRunning() {
        return running;
    }

    /** Starts it if it is wanted and {@code changesInFlight} are none. */
    void startIfWanted(int changesInFlight) {
        if (wanted != null && !running && changesInFlight == 0) {
            running = true;
            pool.submit(this);
        }
    }

    @Override
    void perform(Worker worker) {
        truncated = SystemCalls.ftruncate(file.fd(), newSizeBytes);
        synced = truncated == 0 ? SystemCalls.fsync(file.fd()) : 0;
        file.loop().execute(this);
    }

    @Override
    public void run() {
        CompletableFuture<Void> done =
                Objects.requireNonNull(wanted, "resize ended that was not asked for");
        wanted = null;
        running = false;
        file.resized(newSizeBytes, truncated, synced);
        int errno = truncated < 0 ? -truncated : -synced;
        if (errno == Errno.NONE) {
            done.complete(null);
        } else {
            done.completeExceptionally(
                    Errno.exception(
                            "resize the file",
                            "file=" + file.fileName() + ", sizeBytes=" + newSizeBytes,
                            errno));
        }
    }
}
