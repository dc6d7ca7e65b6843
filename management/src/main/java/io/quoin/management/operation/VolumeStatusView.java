package io.quoin.management.operation;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.quoin.management.job.JobView;
import io.quoin.replicate.BrickSpace;
import io.quoin.replicate.Health;
import io.quoin.replicate.volume.BrickStatus;
import io.quoin.replicate.volume.ReplicaAdmin;
import io.quoin.replicate.volume.ReplicaFileHealth;
import io.quoin.xlator.Stages;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How an open volume is.
 *
 * <p>Threading: immutable.
 *
 * @param name of the volume
 * @param bricks in order
 * @param files those that are open, and each set's catalogue of names; none where nothing is copied
 * @param scrub the job that scrubs it; null if there is none
 * @param lastScrub what came of the last one; null if there was none
 */
public record VolumeStatusView(
        String name,
        List<Brick> bricks,
        List<File> files,
        @Nullable JobView scrub,
        @Nullable ScrubRecord lastScrub) {
    /**
     * A brick.
     *
     * @param address as it was given to create, else as its node tells it
     * @param isArbiter whether it has no data
     * @param isOnline whether it can be reached
     * @param reason why not
     * @param since when that is so; left out: from the start, or not known
     * @param totalBytes of its file system; left out: not known
     * @param freeBytes that files may still take
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Brick(
            String address,
            boolean isArbiter,
            boolean isOnline,
            @Nullable String reason,
            @Nullable String since,
            @Nullable Long totalBytes,
            @Nullable Long freeBytes) {}

    /**
     * A file with copies.
     *
     * @param set the node of its replica set
     * @param name of the file
     * @param state of its gateway
     * @param copies in the order of the set's bricks
     */
    public record File(String set, String name, String state, List<Copy> copies) {}

    /**
     * A file on one brick.
     *
     * @param brick its number in the volume, from 0
     * @param role what it is at present: IN_SYNC, SYNCING (it is healed), ABSENT, SUSPECT, FULL, or
     *     VOTER
     * @param isInSync whether the file's configuration counts on it
     * @param leftBytes that its heal has still to copy at most; 0 while it is not healed
     */
    public record Copy(int brick, String role, boolean isInSync, long leftBytes) {
        /** Whether it lacks something, as far as is known. */
        public boolean isBehind() {
            return !isInSync || leftBytes > 0;
        }
    }

    static VolumeStatusView of(VolumeView view, ManagedVolume volume) {
        Map<String, ReplicaAdmin> sets = ReplicaSets.of(volume);
        List<Brick> bricks = new ArrayList<>();
        List<File> files = new ArrayList<>();
        sets.forEach(
                (set, admin) -> {
                    int first = bricks.size();
                    for (BrickStatus status : Stages.await(admin.bricks())) {
                        bricks.add(brick(status, view, bricks.size()));
                    }
                    for (ReplicaFileHealth health : Stages.await(admin.health())) {
                        files.add(file(set, health, first));
                    }
                });
        if (sets.isEmpty()) {
            for (VolumeView.Brick brick : view.bricks()) {
                bricks.add(new Brick(brick.address(), false, true, null, null, null, null));
            }
        }
        return new VolumeStatusView(
                view.name(),
                bricks,
                files,
                VolumeScrub.running(volume).orElse(null),
                ScrubRecord.read(volume.folder()));
    }

    private static Brick brick(BrickStatus status, VolumeView view, int number) {
        boolean isKnown = view.id() != null && number < view.bricks().size();
        BrickSpace space = status.space();
        return new Brick(
                isKnown ? view.bricks().get(number).address() : status.address(),
                isKnown && view.bricks().get(number).isArbiter(),
                status.identity() != null,
                status.reason(),
                status.sinceMillis() == 0
                        ? null
                        : Instant.ofEpochMilli(status.sinceMillis()).toString(),
                space == null ? null : space.totalBytes(),
                space == null ? null : space.freeBytes());
    }

    private static File file(String set, ReplicaFileHealth file, int first) {
        Health health = file.health();
        List<Copy> copies = new ArrayList<>();
        for (Health.Part part : health.members()) {
            boolean isInSync =
                    health.config() != null && health.config().isr().containsKey(part.brick());
            copies.add(
                    new Copy(first + part.brick(), part.role().name(), isInSync, part.leftBytes()));
        }
        return new File(set, file.fileName(), file.state().name(), copies);
    }
}
