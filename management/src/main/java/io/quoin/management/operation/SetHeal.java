package io.quoin.management.operation;

import io.quoin.management.job.JobControl;
import io.quoin.replicate.Health;
import io.quoin.replicate.volume.ReplicaAdmin;
import io.quoin.replicate.volume.ReplicaFileHealth;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * Heals all files of replica sets for a job, whose progress counts what is copied: by what each
 * file lacked when it was seen first.
 *
 * <p>Threading: thread-safe.
 */
final class SetHeal {
    private final JobControl control;
    private final Map<UUID, Long> most = new HashMap<>();
    private final Map<UUID, Long> left = new HashMap<>();

    SetHeal(JobControl control) {
        this.control = control;
    }

    /**
     * Waits until each brick of the set that can be reached has all files.
     *
     * @return how each file was at its end
     */
    List<ReplicaFileHealth> run(ReplicaAdmin set) {
        return JobStages.await(set.healFull(this::tell), control);
    }

    /** Whether every brick has all of the file. */
    static boolean isWhole(ReplicaFileHealth file) {
        Health health = file.health();
        return health.config() != null
                && health.members().stream()
                        .allMatch(
                                part ->
                                        part.leftBytes() == 0
                                                && (part.role() == Health.Role.IN_SYNC
                                                        || part.role() == Health.Role.VOTER));
    }

    private synchronized void tell(ReplicaFileHealth file) {
        long now = file.health().members().stream().mapToLong(Health.Part::leftBytes).sum();
        left.put(file.file(), now);
        most.merge(file.file(), now, Math::max);
        long total = sum(most);
        control.progress(total - sum(left), total);
    }

    private static long sum(Map<UUID, Long> bytes) {
        return bytes.values().stream().mapToLong(Long::longValue).sum();
    }
}
