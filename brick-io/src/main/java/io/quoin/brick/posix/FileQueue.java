package io.quoin.brick.posix;

import org.jspecify.annotations.Nullable;

/**
 * What one file has in the pool. So many tasks at once, so that one file cannot keep all others
 * waiting; the rest waits here, in order. Tasks of which one rewrites bytes of a block that the
 * other changes are kept apart.
 *
 * <p>Threading: confined(loop).
 */
final class FileQueue {
    /** Tasks of one file in the pool. */
    static final int DEPTH_MAX = 32;

    private final PosixFile file;
    private final IoPool pool;
    private final FileTask[] running = new FileTask[DEPTH_MAX];
    private int runningCount;
    private int changesCount;
    private @Nullable FileTask waitingHead;
    private @Nullable FileTask waitingTail;
    private @Nullable FileTask idle;

    FileQueue(PosixFile file, IoPool pool) {
        this.file = file;
        this.pool = pool;
    }

    /** A task to prepare and to {@link #submit}. */
    FileTask acquire() {
        FileTask task = idle;
        if (task == null) {
            return new FileTask(file);
        }
        idle = task.next();
        task.next(null);
        return task;
    }

    /** Gives back a task that has ended. */
    void release(FileTask task) {
        task.next(idle);
        idle = task;
    }

    void submit(FileTask task) {
        if (task.op().changesData()) {
            changesCount++;
        }
        if (waitingHead == null && canStart(task)) {
            start(task);
            return;
        }
        if (waitingTail == null) {
            waitingHead = task;
        } else {
            waitingTail.next(task);
        }
        waitingTail = task;
    }

    /** Takes a task out that has been performed. */
    void ended(FileTask task) {
        for (int i = 0; i < runningCount; i++) {
            if (running[i] == task) {
                runningCount--;
                running[i] = running[runningCount];
                break;
            }
        }
        forget(task);
    }

    /** Starts what may start now. */
    void startWaiting() {
        while (waitingHead != null && canStart(waitingHead)) {
            FileTask task = waitingHead;
            waitingHead = task.next();
            task.next(null);
            if (waitingHead == null) {
                waitingTail = null;
            }
            start(task);
        }
    }

    boolean isIdle() {
        return runningCount == 0 && waitingHead == null;
    }

    boolean isFull() {
        return runningCount == DEPTH_MAX || waitingHead != null;
    }

    /** Tasks that change data, running or waiting. */
    int changesCount() {
        return changesCount;
    }

    private void start(FileTask task) {
        int errno = file.starting(task);
        if (errno == Errno.NONE) {
            running[runningCount] = task;
            runningCount++;
            pool.submit(task);
        } else {
            forget(task);
            file.taskRefused(task, errno);
        }
    }

    private void forget(FileTask task) {
        if (task.op().changesData()) {
            changesCount--;
        }
    }

    private boolean canStart(FileTask task) {
        if (runningCount == DEPTH_MAX) {
            return false;
        }
        for (int i = 0; i < runningCount; i++) {
            if (running[i].conflictsWith(task)) {
                return false;
            }
        }
        return true;
    }
}
