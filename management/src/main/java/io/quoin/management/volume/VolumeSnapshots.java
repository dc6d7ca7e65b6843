package io.quoin.management.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.snapshot.SnapshotControl;
import io.quoin.qcow2.snapshot.SnapshotInfo;
import io.quoin.snapshot.DiskSnapshots;
import io.quoin.snapshot.SnapshotName;
import io.quoin.snapshot.SnapshotRange;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Stages;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.graph.NearestName;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.loop.LoopGroup;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Function;

/**
 * The snapshots of a volume's disks. Public methods wait, and throw {@link BlockException} as
 * {@link SnapshotControl} fails.
 *
 * <p>Threading: thread-safe.
 */
public final class VolumeSnapshots {
    private final Xlator graph;
    private final LoopGroup loops;
    private final OpenDisks disks;

    VolumeSnapshots(Xlator graph, LoopGroup loops, OpenDisks disks) {
        this.graph = graph;
        this.loops = loops;
        this.disks = disks;
    }

    /** Those of a disk, in the order in which they were made. */
    public List<SnapshotView> of(String disk) {
        CompletionStage<OpenDisk> present = disks.present(disk);
        List<SnapshotInfo> infos =
                Stages.await(
                        present == null
                                ? disks.alone(disk, () -> readAlone(disk))
                                : present.thenCompose(VolumeSnapshots::read));
        return infos.stream().map(info -> view(disk, info)).toList();
    }

    /** Those of all disks as they were listed last, sorted by disk. */
    List<SnapshotView> all() {
        List<SnapshotView> all = new ArrayList<>();
        Stages.await(byDisk())
                .forEach(
                        (disk, infos) -> {
                            if (infos.isEmpty()) {
                                all.addAll(of(disk)); // too many to be remembered
                            } else {
                                infos.forEach(info -> all.add(view(disk, info)));
                            }
                        });
        return all;
    }

    /**
     * One snapshot, by name or id.
     *
     * @throws BlockException ENOENT with the nearest name if there is none
     */
    public SnapshotView info(SnapshotName name) {
        List<SnapshotView> all = of(name.disk());
        return all.stream()
                .filter(snapshot -> snapshot.name().equals(name.snapshot()))
                .findFirst()
                .or(() -> all.stream().filter(s -> s.id().equals(name.snapshot())).findFirst())
                .orElseThrow(() -> absent(name, all));
    }

    private static BlockException absent(SnapshotName name, List<SnapshotView> all) {
        List<String> names = all.stream().map(SnapshotView::fullName).toList();
        String hint =
                NearestName.find(name.toString(), names)
                        .map(near -> "; did you mean " + near + "?")
                        .orElse("");
        return new BlockException(BlockError.ENOENT, "no such snapshot: name=" + name + hint);
    }

    /** Makes one of a disk that is attached or not. Guests go on. */
    public SnapshotView create(SnapshotName name, CheckEvents events) {
        return create(name, UUID.randomUUID(), events);
    }

    /** As above, under a new UUID that the caller has noted before. */
    public SnapshotView create(SnapshotName name, UUID uuid, CheckEvents events) {
        return onDisk(name.disk(), disk -> create(disk, name.snapshot(), uuid, events));
    }

    /** The same, of a disk that the caller has attached. */
    SnapshotView create(AttachedDisk disk, String snapshot, UUID uuid, CheckEvents events) {
        SnapshotWork work = new SnapshotWork();
        SnapshotInfo made =
                work.await(onLoop(disk, control -> control.create(snapshot, uuid, work)), events);
        return view(disk.name(), made);
    }

    /**
     * What became free.
     *
     * @param freedBytes of the storage, as far as nothing was written meanwhile
     * @param allocatedBytes what the image takes now
     */
    public record Freed(long freedBytes, long allocatedBytes) {}

    /**
     * Removes one, of a disk that is attached or not, and gives its space back.
     *
     * @throws BlockException EBUSY while it is read, or a disk stands on it
     */
    public Freed remove(SnapshotName name, CheckEvents events) {
        SnapshotView found = info(name);
        return onDisk(
                name.disk(),
                disk -> {
                    SnapshotWork work = new SnapshotWork();
                    long before = allocatedBytes(disk);
                    work.await(
                            whileNotRead(
                                    found, disk, control -> control.delete(name.snapshot(), work)),
                            events);
                    if (work.isStopped()) {
                        giveBack(disk, events);
                    }
                    return freed(disk, before);
                });
    }

    /** Goes on with what a removal has not given back that was stopped, or ended with a process. */
    public Freed giveBack(String name, CheckEvents events) {
        return onDisk(
                name,
                disk -> {
                    long before = allocatedBytes(disk);
                    giveBack(disk, events);
                    return freed(disk, before);
                });
    }

    /** A pause ends the walk, so that what waits for its turn has it, and another walk follows. */
    private static void giveBack(AttachedDisk disk, CheckEvents events) {
        boolean more = true;
        while (more) {
            events.betweenPieces();
            SnapshotWork work = new SnapshotWork();
            if (!events.progress(0, 0)) {
                return;
            }
            work.await(onLoop(disk, control -> control.giveBack(work)), events);
            more = work.isStopped();
        }
    }

    private Freed freed(AttachedDisk disk, long before) {
        long after = allocatedBytes(disk);
        return new Freed(Math.max(0, before - after), after);
    }

    /** Gives one another name; EBUSY while it is read, or a disk stands on it. */
    public SnapshotView rename(SnapshotName name, String newName) {
        SnapshotName wanted = new SnapshotName(name.disk(), newName);
        SnapshotView found = info(name);
        return onDisk(
                name.disk(),
                disk -> {
                    CompletionStage<SnapshotInfo> renaming =
                            whileNotRead(
                                    found,
                                    disk,
                                    control -> control.rename(name.snapshot(), wanted.snapshot()));
                    return view(name.disk(), Stages.await(renaming));
                });
    }

    /** EBUSY while a disk is attached, ENOENT without such a snapshot: it cannot be rolled back. */
    public void requireRollback(SnapshotName name) {
        disks.requireUnused(info(name).disk());
    }

    /**
     * Makes a disk what it was at a snapshot. What comes to attach it meanwhile waits.
     *
     * @return its size
     * @throws BlockException EBUSY while it is attached, or other disks stand on it
     */
    public long rollback(SnapshotName name, CheckEvents events) {
        SnapshotWork work = new SnapshotWork();
        try {
            work.await(disks.alone(name.disk(), () -> rollBackAlone(name, work)), events);
        } catch (BlockException e) {
            throw e.error() == BlockError.EROFS ? stoodOn(name, e) : e;
        }
        return Stages.await(graph.stat(name.disk())).sizeBytes();
    }

    private static BlockException stoodOn(SnapshotName name, BlockException e) {
        return new BlockException(
                BlockError.EBUSY,
                "disk cannot be rolled back: name=" + name.disk() + ", reason=" + e.getMessage(),
                e);
    }

    private CompletionStage<Void> rollBackAlone(SnapshotName name, SnapshotWork work) {
        Loop loop = loops.next();
        return graph.open(name.disk(), OpenOptions.READ_WRITE, loop)
                .thenComposeAsync(
                        file ->
                                Stages.thenClose(
                                        file,
                                        () ->
                                                control(file, name.disk())
                                                        .rollback(name.snapshot(), work)),
                        loop);
    }

    /**
     * By disk, as the disks were listed last and those that are open say; an empty list for those
     * that are asked for one by one.
     */
    CompletionStage<Map<String, List<SnapshotInfo>>> byDisk() {
        return graph.extension(DiskSnapshots.class)
                .map(DiskSnapshots::snapshots)
                .orElseGet(() -> CompletableFuture.completedFuture(Map.of()))
                .thenCompose(this::withOpenDisks);
    }

    /** {@code DISK@SNAPSHOT} of all disks as they were listed last, without those too many. */
    CompletionStage<List<String>> names() {
        return byDisk().thenApply(
                        byDisk -> {
                            List<String> names = new ArrayList<>();
                            byDisk.forEach(
                                    (disk, infos) ->
                                            infos.forEach(
                                                    info -> names.add(disk + '@' + info.name())));
                            return List.copyOf(names);
                        });
    }

    /** A disk that is open knows best. */
    private CompletionStage<Map<String, List<SnapshotInfo>>> withOpenDisks(
            Map<String, List<SnapshotInfo>> onDisk) {
        Map<String, List<SnapshotInfo>> all = new ConcurrentSkipListMap<>(onDisk);
        List<CompletableFuture<Void>> asked = new ArrayList<>();
        disks.opened()
                .forEach(
                        (name, disk) -> {
                            if (!SnapshotName.isOne(name)) {
                                asked.add(
                                        read(disk)
                                                .thenAccept(infos -> put(all, name, infos))
                                                .toCompletableFuture());
                            }
                        });
        return CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new))
                .thenApply(none -> all);
    }

    private static void put(
            Map<String, List<SnapshotInfo>> all, String disk, List<SnapshotInfo> infos) {
        if (infos.isEmpty()) {
            all.remove(disk);
        } else {
            all.put(disk, infos);
        }
    }

    private static CompletionStage<List<SnapshotInfo>> read(OpenDisk disk) {
        return CompletableFuture.supplyAsync(() -> list(disk.file()), disk.loop());
    }

    private CompletionStage<List<SnapshotInfo>> readAlone(String disk) {
        Loop loop = loops.next();
        return graph.open(disk, OpenOptions.READ_ONLY, loop)
                .thenComposeAsync(
                        file ->
                                Stages.thenClose(
                                        file, () -> CompletableFuture.completedFuture(list(file))),
                        loop);
    }

    /** None of a disk whose image has no snapshots at all, as a raw one. */
    private static List<SnapshotInfo> list(XlatorFile file) {
        return SnapshotControl.of(file).map(SnapshotControl::list).orElse(List.of());
    }

    static SnapshotControl control(XlatorFile file, String disk) {
        return SnapshotControl.of(file)
                .orElseThrow(
                        () ->
                                new BlockException(
                                        BlockError.ENOTSUP,
                                        "disk cannot have snapshots, as its image is not qcow2:"
                                                + " name="
                                                + disk));
    }

    private <T> T onDisk(String name, Function<AttachedDisk, T> work) {
        AttachedDisk disk = Stages.awaitTheEnd(disks.attach(name));
        try {
            requireWritable(disk);
            return work.apply(disk);
        } finally {
            Stages.await(disk.close());
        }
    }

    private static void requireWritable(AttachedDisk disk) {
        String why = disk.whyReadOnly();
        if (why != null) {
            throw new BlockException(
                    BlockError.EROFS, "disk is read-only: name=" + disk.name() + ", reason=" + why);
        }
    }

    /** EROFS or ENOTSUP for a disk that can have none. */
    static void requireSnapshots(AttachedDisk disk) {
        requireWritable(disk);
        Stages.await(
                CompletableFuture.supplyAsync(
                        () -> control(disk.file(), disk.name()), disk.loop()));
    }

    private static <T> CompletionStage<T> onLoop(
            AttachedDisk disk, Function<SnapshotControl, CompletionStage<T>> call) {
        return CompletableFuture.supplyAsync(
                        () -> call.apply(control(disk.file(), disk.name())), disk.loop())
                .thenCompose(Function.identity());
    }

    /** What comes to read the snapshot alone meanwhile waits. */
    private <T> CompletionStage<T> whileNotRead(
            SnapshotView snapshot,
            AttachedDisk disk,
            Function<SnapshotControl, CompletionStage<T>> call) {
        Map<String, Integer> ranges = rangesOf(disk.name(), snapshot.name(), snapshot.id());
        if (!ranges.isEmpty()) {
            throw new BlockException(
                    BlockError.EBUSY,
                    "snapshot is in use: name="
                            + snapshot.fullName()
                            + ", by="
                            + String.join(", ", ranges.keySet())
                            + ", connections="
                            + sum(ranges)
                            + "; detach it first, then try again");
        }
        return disks.alone(snapshot.fullName(), () -> onLoop(disk, call));
    }

    /** Exports in use that name the snapshot as one of two. */
    private Map<String, Integer> rangesOf(String disk, String name, String id) {
        return disks.users(
                held -> {
                    if (!SnapshotRange.isLegal(held)) {
                        return false;
                    }
                    SnapshotRange range = SnapshotRange.of(held);
                    return range.names(disk, name) || range.names(disk, id);
                });
    }

    private static int sum(Map<String, Integer> users) {
        return users.values().stream().mapToInt(Integer::intValue).sum();
    }

    private long allocatedBytes(AttachedDisk disk) {
        return Stages.await(graph.stat(disk.name())).allocatedBytes();
    }

    private SnapshotView view(String disk, SnapshotInfo info) {
        int readers = disks.users(disk + '@' + info.name());
        return SnapshotView.of(disk, info, readers + sum(rangesOf(disk, info.name(), info.id())));
    }
}
