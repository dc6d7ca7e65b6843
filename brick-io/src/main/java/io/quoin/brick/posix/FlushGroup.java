package io.quoin.brick.posix;

import io.quoin.block.BlockError;
import io.quoin.block.IoRequest;
import io.quoin.block.Uncaught;
import io.quoin.xlator.loop.Loop;
import java.util.function.IntUnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Group commit of one file: at most one fdatasync runs at a time, on a thread of the flush pool.
 * What comes while it runs shares the next one, unless nothing was written since it began: then it
 * covers that too. With nothing to flush there is no call at all.
 *
 * <p>A failed fdatasync is final. The kernel has dropped the pages that it could not write, so that
 * the next fdatasync would succeed though the data is gone. From then on every flush and every
 * change fails with EIO until the file is opened again.
 *
 * <p>Requests whose flush has ended are told last, when all else is in order: what they call may
 * flush again or close the file.
 *
 * <p>Threading: confined(loop).
 */
final class FlushGroup {
    private static final Logger LOG = LoggerFactory.getLogger(FlushGroup.class);

    /** The one task of the group; it is never queued twice. */
    private final class Sync extends IoPool.Task implements Runnable {
        private int result;

        @Override
        void perform(Worker worker) {
            try {
                result = dataSync.applyAsInt(descriptor.fd());
            } catch (RuntimeException | Error e) {
                Uncaught.report("fdatasync of file " + fileName, e);
                result = -Errno.EIO;
            }
            loop.execute(this);
        }

        @Override
        public void run() {
            ended(-result);
            whenEnded.run();
            tellFinished();
        }
    }

    private final String fileName;
    private final Descriptor descriptor;
    private final Loop loop;
    private final IoPool pool;
    private final IntUnaryOperator dataSync;
    private final Runnable whenEnded;
    private final Sync sync = new Sync();
    private final RequestList finished = new RequestList();
    private BlockError finishedError = BlockError.OK;
    private final RequestList current = new RequestList();
    private final RequestList waiting = new RequestList();
    private long changes;
    private long changesDurable;
    private long changesCovered;
    private boolean running;
    private int rangeSyncs;
    private boolean synced;
    private int syncedErrno;
    private int failure;
    private long flushes;
    private long calls;

    /**
     * @param dataSync fdatasync: 0 or the negative error number
     * @param whenEnded hears that a fdatasync has ended, before its requests do
     */
    FlushGroup(
            String fileName,
            Descriptor descriptor,
            Loop loop,
            IoPool pool,
            IntUnaryOperator dataSync,
            Runnable whenEnded) {
        this.fileName = fileName;
        this.descriptor = descriptor;
        this.loop = loop;
        this.pool = pool;
        this.dataSync = dataSync;
        this.whenEnded = whenEnded;
    }

    /** A change of the file has been made, which the next flush must cover. */
    void changed() {
        changes++;
    }

    /** The error number of the fdatasync that failed; 0 as long as none has. */
    int failure() {
        return failure;
    }

    /** Flushes asked for. */
    long flushes() {
        return flushes;
    }

    /** Calls of fdatasync made. */
    long calls() {
        return calls;
    }

    /** Whether a fdatasync is under way. */
    boolean isRunning() {
        return running;
    }

    boolean isDirty() {
        return changes != changesDurable;
    }

    /** Completes {@code request} once every change made so far is durable. */
    void flush(IoRequest request) {
        if (!waits(request)) {
            request.complete(outcome());
        }
    }

    /**
     * Has {@code request} wait for a fdatasync that covers every change made so far, and completes
     * it then.
     *
     * @return false if there is nothing to wait for: the caller completes it with {@link #outcome}
     */
    boolean waits(IoRequest request) {
        flushes++;
        if (failure != Errno.NONE || !isDirty()) {
            return false;
        }
        if (running && changesCovered == changes) {
            current.add(request);
        } else {
            waiting.add(request);
            if (!running) {
                start();
            }
        }
        return true;
    }

    /** What a flush ends in that has nothing to wait for. */
    BlockError outcome() {
        return failure == Errno.NONE ? BlockError.OK : BlockError.EIO;
    }

    private void start() {
        running = true;
        changesCovered = changes;
        current.addAll(waiting);
        calls++;
        pool.submit(sync);
    }

    /** A write is synced by itself from now on. */
    void rangeSyncStarted() {
        rangeSyncs++;
    }

    /**
     * It has ended; an error is as final as one of fdatasync. The caller goes on to {@link
     * #tellFinished}.
     */
    void rangeSyncEnded(int errno) {
        rangeSyncs--;
        if (errno != Errno.NONE) {
            fail("pwritev2(RWF_DSYNC)", errno);
        }
        if (rangeSyncs == 0 && synced) {
            settle();
        }
    }

    /**
     * The kernel tells of a page that could not be written once for each open file. So what one
     * call finds goes for all that were under way with it: they end together.
     */
    private void ended(int errno) {
        synced = true;
        syncedErrno = errno;
        if (rangeSyncs == 0) {
            settle();
        }
    }

    private void settle() {
        int errno = syncedErrno == Errno.NONE ? failure : syncedErrno;
        synced = false;
        running = false;
        finished.addAll(current);
        if (errno == Errno.NONE) {
            changesDurable = changesCovered;
            if (!waiting.isEmpty()) {
                start();
            }
        } else {
            fail("fdatasync", errno);
            finished.addAll(waiting);
        }
        finishedError = errno == Errno.NONE ? BlockError.OK : BlockError.EIO;
    }

    /** Tells those whose fdatasync has ended. Calls out: the last thing that its caller does. */
    void tellFinished() {
        for (IoRequest request = finished.poll(); request != null; request = finished.poll()) {
            request.complete(finishedError);
        }
    }

    /** What was written before may be lost: no more changes are taken. */
    void fail(String call, int errno) {
        if (failure == Errno.NONE) {
            failure = errno;
            LOG.error(
                    "file takes no more writes until it is opened again, flushed data may be lost:"
                            + " file={}, call={}, errno={}",
                    fileName,
                    call,
                    Errno.name(errno));
            if (errno == Errno.EBADF) {
                descriptor.distrustIfOpen();
            }
        }
    }
}
