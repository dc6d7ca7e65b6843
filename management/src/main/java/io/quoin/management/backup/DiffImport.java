package io.quoin.management.backup;

import io.quoin.backup.BackedDisk;
import io.quoin.backup.BackupEvents;
import io.quoin.backup.BackupNames;
import io.quoin.backup.stream.DiffApply;
import io.quoin.backup.stream.DiffHeader;
import io.quoin.backup.stream.DiffStreamReader;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.disk.Disk;
import io.quoin.management.volume.DiskVolume;
import io.quoin.management.volume.SoleDisks;
import io.quoin.qcow2.diff.DiffExtent;
import io.quoin.snapshot.DiskName;
import io.quoin.snapshot.SnapshotName;
import io.quoin.xlator.NameText;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Applies a stream of differences to a disk, and makes the newer snapshot there, with the UUID that
 * it has where the stream was made: so the next stream finds it. In this order, each step durable
 * before the next:
 *
 * <pre>
 *   the mark                 from here on changes of the disk are those of the import
 *   the ranges               of a stream that is checked to its end
 *   the snapshot             from here on the import is done
 *   the mark is removed
 * </pre>
 *
 * A stream of a whole disk is written to one named {@code importing-...}, by the stream, which gets
 * its name once it has the snapshot. What is interrupted goes on when the stream is given again.
 *
 * <p>Threading: confined to its thread.
 */
public final class DiffImport {
    private static final int NAME_DIGITS = 12;

    private final DiskVolume disks;
    private final Path marks;
    private final BackupEvents events;

    /**
     * @param marks folder of the marks of the volume
     */
    public DiffImport(DiskVolume disks, Path marks, BackupEvents events) {
        this.disks = disks;
        this.marks = marks;
        this.events = events;
    }

    /** What a disk has changed is its user's again: it was rolled back, or removed. */
    public static void forget(Path marks, String disk) {
        ImportMark.remove(marks, disk);
    }

    /**
     * What was done.
     *
     * @param applied null: the disk had the snapshot already
     */
    public record Outcome(DiffHeader header, DiffApply.@Nullable Result applied) {}

    /**
     * Imports.
     *
     * @param disk its name in this volume
     * @throws BlockException ENOENT without the disk, ESTALE if it is not at the older snapshot,
     *     EBUSY while it is attached or if it has changed since that, EEXIST for a name that is
     *     taken, EIO for a stream that is damaged: then there is no snapshot
     */
    public Outcome run(DiffStreamReader stream, String disk) {
        DiskName.check(disk);
        DiffHeader header = stream.header();
        if (!SnapshotName.isLegal(disk + '@' + header.to().name())
                || BackupNames.chainOf(header.to().name()).isPresent()) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "snapshot of the stream cannot have its name here: name="
                            + NameText.printable(header.to().name())
                            + "; give it another one where the stream is made");
        }
        VolumeDisk found = VolumeDisk.find(disks, disk);
        if (found != null && has(found, header.to())) {
            stream.verify(events);
            new ImportMark(marks, disk, header).remove();
            return new Outcome(header, null);
        }
        DiffHeader.Point from = header.from();
        return from == null
                ? importWhole(stream, disk, found)
                : importChanges(stream, disk, found, from);
    }

    private static boolean has(BackedDisk disk, DiffHeader.Point snapshot) {
        return nameOf(disk, snapshot) != null;
    }

    private static @Nullable String nameOf(BackedDisk disk, DiffHeader.Point snapshot) {
        return disk.snapshots().stream()
                .filter(point -> snapshot.uuid().toString().equals(point.uuid()))
                .map(BackedDisk.Point::name)
                .findFirst()
                .orElse(null);
    }

    private Outcome importWhole(DiffStreamReader stream, String disk, @Nullable VolumeDisk found) {
        if (found != null) {
            throw new BlockException(
                    BlockError.EEXIST,
                    "disk already exists, and the stream is of a whole one: name="
                            + disk
                            + "; choose another name or remove it first");
        }
        DiffHeader header = stream.header();
        String unfinished = unfinishedName(header, disk);
        VolumeDisk begun = VolumeDisk.find(disks, unfinished);
        if (begun == null) {
            disks.create(unfinished, header.sizeBytes(), Map.of());
        }
        DiffApply.Result applied = null;
        if (begun != null && has(begun, header.to())) {
            stream.verify(events);
        } else {
            try (SoleDisks.Held held = disks.soleDisks().take(unfinished, why(), null)) {
                List<DiffExtent> changed =
                        begun == null
                                ? List.of()
                                : List.of(new DiffExtent(0, header.sizeBytes(), false));
                applied = new DiffApply(held.disk(), null, changed, events).run(stream);
                makeSnapshot(held, header);
            }
        }
        disks.rename(unfinished, disk);
        return new Outcome(header, applied);
    }

    /** The same each time. */
    private static String unfinishedName(DiffHeader header, String disk) {
        byte[] both = (header.to().uuid() + "/" + disk).getBytes(StandardCharsets.UTF_8);
        String digits = UUID.nameUUIDFromBytes(both).toString().replace("-", "");
        return "importing-" + digits.substring(0, NAME_DIGITS);
    }

    private static String why() {
        return "an import of differences";
    }

    private Outcome importChanges(
            DiffStreamReader stream,
            String disk,
            @Nullable VolumeDisk found,
            DiffHeader.Point from) {
        DiffHeader header = stream.header();
        VolumeDisk target = found == null ? VolumeDisk.of(disks, disk) : found;
        String older = nameOf(target, from);
        if (older == null) {
            throw new BlockException(
                    BlockError.ESTALE,
                    "disk is not at the snapshot that the stream goes on from: disk="
                            + disk
                            + ", expected snapshot="
                            + NameText.printable(from.name())
                            + ", uuid="
                            + from.uuid());
        }
        requireFreeName(target, header.to().name());
        ImportMark mark = new ImportMark(marks, disk, header);
        SnapshotName since = new SnapshotName(disk, older);
        DiffApply.Result applied;
        try (SoleDisks.Held held = disks.soleDisks().take(disk, why(), since);
                Disk before = VolumeDisk.open(disks, since.toString())) {
            requireUnchanged(held, before, header, mark, since);
            mark.put();
            if (held.disk().sizeBytes() < header.sizeBytes()) {
                held.resize(header.sizeBytes());
            }
            applied = new DiffApply(held.disk(), before, held.changed(), events).run(stream);
            makeSnapshot(held, header);
            mark.remove();
        }
        return new Outcome(header, applied);
    }

    private static void requireFreeName(VolumeDisk disk, String snapshot) {
        if (disk.snapshots().stream().anyMatch(point -> point.name().equals(snapshot))) {
            throw new BlockException(
                    BlockError.EEXIST,
                    "disk has another snapshot of that name: name="
                            + disk.name()
                            + '@'
                            + snapshot
                            + "; rename it first");
        }
    }

    private static void requireUnchanged(
            SoleDisks.Held held,
            Disk before,
            DiffHeader header,
            ImportMark mark,
            SnapshotName since) {
        if (before.sizeBytes() != header.fromSizeBytes()) {
            throw new BlockException(
                    BlockError.ESTALE,
                    "snapshot has another size than where the stream was made: name="
                            + since
                            + ", expected="
                            + header.fromSizeBytes()
                            + ", actual="
                            + before.sizeBytes());
        }
        long now = held.disk().sizeBytes();
        boolean isAt = held.changed().isEmpty() && now == before.sizeBytes();
        boolean goesOn = mark.isThere() && now <= header.sizeBytes();
        if (!isAt && !goesOn) {
            throw new BlockException(
                    BlockError.EBUSY,
                    "disk has changed since its snapshot, and that would be lost: name="
                            + since
                            + "; 'quoin snapshot rollback' makes it what it was, then import");
        }
    }

    private void makeSnapshot(SoleDisks.Held held, DiffHeader header) {
        held.snapshot(header.to().name(), header.to().uuid(), VolumeDisk.untilEnding(events));
        disks.refreshNames();
    }
}
