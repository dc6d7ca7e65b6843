package io.quoin.replicate.volume;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * What operators ask of a replica set: an extension of cluster/replicate. A volume that is striped
 * over several sets has several.
 *
 * <p>Threading: thread-safe; stages complete on any thread.
 */
public interface ReplicaAdmin {
    /** The files that are open, the catalogue of names among them, sorted by name. */
    CompletionStage<List<ReplicaFileHealth>> health();

    /** The bricks, by index; each that can be reached with its space. */
    CompletionStage<List<BrickStatus>> bricks();

    /**
     * As {@link #bricks}, once every brick can be reached, or after a time: one that was just
     * started is about to be.
     *
     * @param atMost how long those are waited for that are not refused
     */
    CompletionStage<List<BrickStatus>> awaitBricks(Duration atMost);

    /**
     * Opens every file in turn and waits until each brick that can be reached has all of it. A
     * brick that is away, or full, is not waited for.
     *
     * @param progress is told of each file while it is healed, some times a second, and at its end
     * @return how each file was at its end
     */
    CompletionStage<List<ReplicaFileHealth>> healFull(Consumer<ReplicaFileHealth> progress);

    /**
     * Opens every file in turn and has each in-sync brick verify its copy against its checksums;
     * what is corrupt is repaired from another brick. Blocks written in the last seconds have no
     * checksum yet. Bricks that are away, or are healed, are not looked at.
     *
     * @param progress is told of each file while it is looked at, and at its end
     * @param isToEnd whether it is to end before its end; asked on loops, often
     * @return what came of each file that was looked at
     */
    CompletionStage<List<ReplicaFileScrub>> scrub(
            Consumer<ReplicaFileScrub> progress, BooleanSupplier isToEnd);
}
