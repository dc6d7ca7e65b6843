package io.quoin.backup;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.block.disk.Disk;
import io.quoin.qcow2.diff.DiffExtent;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Makes a backup of one disk. In this order, each step durable before the next:
 *
 * <pre>
 *   the record of what is begun      (whatever a crash leaves from here on is known by it)
 *   snapshot of the disk             by the caller, with those of other disks
 *   NAME.qcow2.partial               what the snapshot reads, or what has changed since the last one
 *   NAME.qcow2                       by a rename
 *   NAME.json                        the manifest: from here on there is a backup
 *   the snapshot of the backup before goes, then the record
 * </pre>
 *
 * <p>Threading: confined to the holder of the folder's lock.
 */
final class BackupCreation {
    private static final int EXTENTS_AT_ONCE = 10_000;
    private static final int CHAIN_DIGITS = 12;

    private final DiskFolder folder;
    private final BackedDisk disk;
    private final BackupRequest request;
    private final BackupEvents events;
    private final Leftovers leftovers;

    /** Null before {@link #begin} is through with what it looks at. */
    private @Nullable Plan plan;

    BackupCreation(DiskFolder folder, BackedDisk disk, BackupRequest request, BackupEvents events) {
        this.folder = folder;
        this.disk = disk;
        this.request = request;
        this.events = events;
        this.leftovers = new Leftovers(folder, disk, events);
    }

    /**
     * What a backup stands on.
     *
     * @param parent the last backup; null: nothing
     * @param snapshot that it has left on the disk
     * @param whyFull why there is none, though it was asked for; or null
     */
    private record Base(
            @Nullable Backup parent,
            BackedDisk.@Nullable Point snapshot,
            @Nullable String whyFull) {
        static Base none(@Nullable String why) {
            return new Base(null, null, why);
        }
    }

    /**
     * What is made.
     *
     * @param chain that it belongs to
     * @param number in the folder
     */
    private record Plan(Base base, String chain, long number, Manifest.SnapshotId snapshot) {}

    String disk() {
        return disk.name();
    }

    /** Clears up what earlier work has left, and notes what is begun: the snapshot is next. */
    SnapshotCut.Wanted begin() {
        leftovers.remove();
        requireFree();
        List<Backup> before = folder.backups();
        Base base = request.incremental() ? base(before) : Base.none(null);
        if (base.whyFull() != null) {
            events.message(disk.name() + ": full backup, since " + base.whyFull());
        }
        String chain = base.parent() == null ? newChain() : base.parent().requireManifest().chain();
        long number = numberAfter(before);
        UUID uuid = UUID.randomUUID();
        Manifest.SnapshotId snapshot =
                new Manifest.SnapshotId(BackupNames.snapshot(chain, number), uuid.toString());
        plan = new Plan(base, chain, number, snapshot);
        folder.put(new Pending(request.name(), number, snapshot));
        return new SnapshotCut.Wanted(disk.name(), snapshot.name(), uuid);
    }

    /**
     * Copies the snapshot, once it is there. Undoes everything if that fails.
     *
     * @param createdAt when the snapshot was made
     * @param group what it belongs to; null: it was made alone
     */
    Manifest finish(Instant createdAt, Manifest.@Nullable Group group) {
        Manifest made;
        try {
            made = make(Objects.requireNonNull(plan, "begun"), createdAt, group);
        } catch (RuntimeException | Error e) {
            undo(e);
            throw e;
        }
        leftovers.remove();
        return made;
    }

    /** Takes back what was begun, if anything was: for a failure, which hears of another one. */
    void undo(Throwable failure) {
        if (plan == null) {
            return;
        }
        try {
            folder.files().remove(folder.manifest(request.name()));
            leftovers.remove();
        } catch (RuntimeException | Error e) {
            failure.addSuppressed(e); // the record stays, and the next backup goes by it
        }
    }

    private void requireFree() {
        for (Path file : List.of(folder.manifest(request.name()), folder.data(request.name()))) {
            if (folder.has(file)) {
                throw new BlockException(
                        BlockError.EEXIST,
                        "there is a backup of that name: disk="
                                + disk.name()
                                + ", name="
                                + request.name()
                                + ", file="
                                + NameText.of(file));
            }
        }
    }

    private Base base(List<Backup> before) {
        if (before.isEmpty()) {
            return Base.none("there is no backup of it before");
        }
        Backup last = before.get(before.size() - 1);
        int links;
        try {
            links = new Chains(before).of(last).size();
        } catch (BlockException e) {
            return Base.none(e.getMessage());
        }
        Manifest manifest = last.requireManifest();
        if (links >= request.linksMax()) {
            return Base.none("the chain is as long as it may be: links=" + links);
        }
        if (!Objects.equals(manifest.backing(), disk.backing())) {
            return Base.none(
                    "what its image stands on has changed: before="
                            + manifest.backing()
                            + ", now="
                            + disk.backing());
        }
        for (BackedDisk.Point point : disk.snapshots()) {
            if (manifest.snapshot().uuid().equals(point.uuid())) {
                return new Base(last, point, null);
            }
        }
        return Base.none(
                "the snapshot of the backup before is not on it, which was removed, or the disk is"
                        + " another one: snapshot="
                        + manifest.snapshot().name()
                        + ", uuid="
                        + manifest.snapshot().uuid());
    }

    private static String newChain() {
        return UUID.randomUUID().toString().replace("-", "").substring(0, CHAIN_DIGITS);
    }

    private static long numberAfter(List<Backup> before) {
        long last = 0;
        for (Backup backup : before) {
            Manifest manifest = backup.manifest();
            last = manifest == null ? last : Math.max(last, manifest.number());
        }
        return last + 1;
    }

    private Manifest make(Plan begun, Instant createdAt, Manifest.@Nullable Group group) {
        Backup parent = begun.base().parent();
        long sizeBytes = write(begun.base(), begun.snapshot());
        Manifest.LinkFile file = place();
        Manifest manifest =
                new Manifest(
                        Manifest.VERSION,
                        disk.name(),
                        request.name(),
                        begun.number(),
                        parent == null ? Manifest.Kind.full : Manifest.Kind.incremental,
                        createdAt.truncatedTo(ChronoUnit.SECONDS).toString(),
                        ToolVersion.text(),
                        sizeBytes,
                        file,
                        begun.chain(),
                        parent == null
                                ? null
                                : new Manifest.Parent(parent.name(), parent.manifestSha256()),
                        begun.snapshot(),
                        disk.backing(),
                        begun.base().whyFull(),
                        group,
                        request.schedule());
        folder.files().put(folder.manifest(request.name()), SealedJson.render(manifest));
        return manifest;
    }

    /** Returns the size of the disk. */
    private long write(Base base, Manifest.SnapshotId snapshot) {
        Backup parent = base.parent();
        BackedDisk.Point older = base.snapshot();
        try (Disk source = disk.openSnapshot(snapshot.name())) {
            String below = parent == null ? null : parent.requireManifest().file().name();
            Path file = folder.partial(request.name());
            try (ImageDisk target = ImageDisk.create(file, source.sizeBytes(), below)) {
                BlockCopy copy =
                        new BlockCopy(
                                source,
                                target.disk(),
                                parent != null,
                                request.compressed(),
                                events);
                if (older == null) {
                    WholeDisk.copy(source, copy);
                } else {
                    copyChanges(older.name(), snapshot.name(), source.sizeBytes(), copy);
                    requireSame(older);
                }
            }
            requireSame(new BackedDisk.Point(snapshot.name(), snapshot.uuid()));
            return source.sizeBytes();
        }
    }

    private void copyChanges(String older, String newer, long sizeBytes, BlockCopy copy) {
        long start = 0;
        List<DiffExtent> few;
        do {
            few = disk.changes(older, newer, start, EXTENTS_AT_ONCE);
            for (DiffExtent extent : few) {
                copy.copy(extent.start(), extent.length(), extent.zero());
                start = extent.start() + extent.length();
                copy.passed(start, sizeBytes);
            }
        } while (few.size() == EXTENTS_AT_ONCE);
        copy.end();
        copy.passed(sizeBytes, sizeBytes);
    }

    /** What was compared and read by its name was the snapshot of that UUID all the time. */
    private void requireSame(BackedDisk.Point snapshot) {
        if (!disk.snapshots().contains(snapshot)) {
            throw new BlockException(
                    BlockError.ESTALE,
                    "snapshot was removed or renamed while it was backed up: snapshot="
                            + disk.name()
                            + '@'
                            + snapshot.name());
        }
    }

    private Manifest.LinkFile place() {
        Path partial = folder.partial(request.name());
        Path place = folder.data(request.name());
        String hash = Sha256.of(partial, bytes -> events.checkpoint());
        try {
            long bytes = Files.size(partial);
            folder.files().place(partial, place);
            return new Manifest.LinkFile(NameText.lastOf(place), bytes, hash);
        } catch (IOException e) {
            throw Reason.failure("backup cannot be looked at", NameText.of(partial), e);
        }
    }
}
