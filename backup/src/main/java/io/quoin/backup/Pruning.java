package io.quoin.backup;

import io.quoin.backup.Retention.Dated;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Removes backups of a disk by a retention. What a kept backup stands on is kept too, and so is
 * what is protected or damaged. From the newest to the oldest, so that no backup is ever there
 * without what it stands on.
 *
 * <p>Threading: confined to the holder of the folder's lock.
 */
public final class Pruning {
    private final DiskFolder folder;
    private final @Nullable BackedDisk disk;
    private final BackupEvents events;

    /**
     * @param disk null: there is none any more
     */
    Pruning(DiskFolder folder, @Nullable BackedDisk disk, BackupEvents events) {
        this.folder = folder;
        this.disk = disk;
        this.events = events;
    }

    /**
     * Which backups go.
     *
     * @param retention how many are kept
     * @param schedule id of the one whose backups alone are counted and removed; null: all are
     */
    public record Rule(Retention retention, @Nullable String schedule) {
        /** All that a retention does not keep. */
        public static Rule of(Retention retention) {
            return new Rule(retention, null);
        }
    }

    /** The disks of the volume. */
    public interface Disks {
        /** Null: there is none of that name. */
        @Nullable BackedDisk find(String name);
    }

    /**
     * What becomes of a backup.
     *
     * @param disk its disk
     * @param name of the backup
     * @param kept whether it stays
     * @param reason the rule that keeps it, or that none does
     * @param bytes of its file
     */
    public record Decision(String disk, String name, boolean kept, String reason, long bytes) {}

    List<Decision> run(Rule rule) {
        Leftovers leftovers = new Leftovers(folder, disk, events);
        leftovers.remove();
        List<Backup> backups = folder.backups();
        List<Decision> decisions = decide(backups, rule);
        for (int i = backups.size() - 1; i >= 0; i--) {
            Manifest manifest = backups.get(i).manifest();
            if (!decisions.get(i).kept() && manifest != null) {
                events.checkpoint();
                folder.put(new Pending(manifest.name(), manifest.number(), manifest.snapshot()));
                folder.files().remove(folder.manifest(manifest.name()));
                leftovers.remove();
            }
        }
        return decisions;
    }

    /** In the order of the backups, the oldest first. */
    static List<Decision> decide(List<Backup> backups, Rule rule) {
        Map<String, String> reasons = reasons(backups, rule);
        List<Decision> decisions = new ArrayList<>();
        for (Backup backup : backups) {
            String reason = reasons.get(backup.name());
            Manifest manifest = backup.manifest();
            decisions.add(
                    new Decision(
                            backup.disk(),
                            backup.name(),
                            reason != null,
                            reason == null ? "no rule keeps it" : reason,
                            manifest == null ? 0 : manifest.file().sizeBytes()));
        }
        return decisions;
    }

    private static Map<String, String> reasons(List<Backup> backups, Rule rule) {
        Map<String, String> reasons = new HashMap<>();
        List<Dated> counted = new ArrayList<>();
        for (Backup backup : backups) {
            Manifest manifest = backup.manifest();
            if (backup.damage() != null || manifest == null) {
                reasons.put(backup.name(), "damaged");
            } else if (backup.isProtected()) {
                reasons.put(backup.name(), "protected");
            } else if (rule.schedule() != null && !rule.schedule().equals(manifest.schedule())) {
                reasons.put(backup.name(), "not made by the schedule");
            } else if (rule.retention().keepsAll()) {
                reasons.put(backup.name(), "no retention is given");
            } else {
                counted.add(new Dated(backup.name(), Instant.parse(manifest.createdAt())));
            }
        }
        Collections.reverse(counted);
        reasons.putAll(rule.retention().kept(counted));
        for (int i = backups.size() - 1; i >= 0; i--) {
            Backup backup = backups.get(i);
            Manifest manifest = backup.manifest();
            if (manifest != null
                    && manifest.parent() != null
                    && reasons.containsKey(backup.name())) {
                reasons.putIfAbsent(manifest.parent().name(), "stood on by " + backup.name());
            }
        }
        return reasons;
    }
}
