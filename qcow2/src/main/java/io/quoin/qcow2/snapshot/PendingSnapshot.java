package io.quoin.qcow2.snapshot;

import java.util.UUID;
import java.util.concurrent.CompletionStage;

/**
 * A snapshot that is being made, step by step, so that those of several images are made together:
 * all take one step before any takes the next.
 *
 * <pre>
 *  round    as often as is of use
 *  cut      its content is that of the disk at this moment
 *  settle   all that has to be counted and written is; nothing of it can be seen yet
 *  publish  it is there
 * </pre>
 *
 * <p>Each step is called once the one before has completed. A stage that fails, with a {@code
 * BlockException}, does so when the snapshot has been voided: what was counted for it is taken back
 * and the image is as it was. Other changes of the image's snapshots, its resizes and checks wait
 * from before the first step to the end. The image's close voids it.
 *
 * <p>Threading: confined(loop) of the image; stages complete there.
 */
public interface PendingSnapshot {
    /** That of the snapshot. */
    UUID uuid();

    /** Writes what has changed, so that the cut has little to wait for. */
    CompletionStage<Void> round();

    /**
     * Completes at the moment, when guests go on. They have waited for the requests under way and
     * for a round of the flusher that ran.
     */
    CompletionStage<Void> cut();

    /** Lets guests go on if the moment has not been: then {@link #cut} fails with EBUSY, soon. */
    void cancelCut();

    CompletionStage<Void> settle();

    /**
     * Durably.
     *
     * @param frozen whether the file systems of its guests stood still at the moment
     */
    CompletionStage<SnapshotInfo> publish(boolean frozen);

    /**
     * Voids it, unless it is being published. Complete, always well, when it has ended, in
     * whichever way.
     */
    CompletionStage<Void> abandon();
}
