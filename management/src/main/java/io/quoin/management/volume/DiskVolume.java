package io.quoin.management.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.served.OpenCheck;
import io.quoin.snapshot.DiskTree;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Stages;
import io.quoin.xlator.StorageSpace;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.graph.Graph;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.loop.LoopGroup;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The disks of a volume: what the daemon, the command line and Java programs do with them. Methods
 * wait and throw {@link io.quoin.block.BlockException}, except {@link #attach}, which the network
 * side calls from its loops.
 *
 * <p>Threading: thread-safe.
 */
public final class DiskVolume implements AutoCloseable {
    /** So that what the kernel writes to disk for one, it writes for many. */
    private static final int CLONES_AT_ONCE = 16;

    private static final long LOOK_UP_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Graph graph;
    private final LoopGroup loops;
    private final OpenDisks open;
    private final DiskChecks checks;
    private final VolumeSnapshots snapshots;
    private final VolumeDiffs diffs;
    private final VolumeFlatten flattening;
    private final VolumeTrash trash;
    private final SnapshotGroups groups;
    private final DiskSets sets;
    private final DiskImages images;
    private final SoleDisks soleDisks;
    private final VolumeUsage usage;
    private volatile List<String> names = List.of();
    private volatile List<String> snapshotNames = List.of();

    /** The look-up that nothing waits for but {@link #close}; none begins after that. */
    private CompletableFuture<Void> lookUp = CompletableFuture.completedFuture(null);

    private long lookUpNanos;

    /** All look-ups under way, which have images open; {@link #close} waits for them too. */
    private CompletableFuture<Void> lookUps = CompletableFuture.completedFuture(null);

    private boolean closed;

    private DiskVolume(Graph graph, LoopGroup loops, Path folder) {
        this.graph = graph;
        this.loops = loops;
        this.open = new OpenDisks(graph.top(), loops);
        this.checks = new DiskChecks(graph.top(), loops, open);
        this.snapshots = new VolumeSnapshots(graph.top(), loops, open);
        this.diffs = new VolumeDiffs(graph.top(), loops, open);
        this.flattening = new VolumeFlatten(open);
        this.trash = new VolumeTrash(graph.top(), open);
        this.groups =
                new SnapshotGroups(
                        folder.resolve("groups"),
                        open,
                        snapshots,
                        this::allSnapshots,
                        this::children);
        this.sets = new DiskSets(folder.resolve("groups.json"));
        this.images = new DiskImages(graph.top(), loops, open);
        this.soleDisks = new SoleDisks(open, diffs, snapshots);
        this.usage = new VolumeUsage(open);
        this.lookUpNanos = loops.loops().get(0).nanoTime() - LOOK_UP_NANOS;
    }

    /**
     * Takes the graph over: closing the volume closes it. Groups of snapshots that the process
     * before did not make whole are taken away.
     *
     * @param folder where groups are kept
     */
    public static DiskVolume of(Graph graph, LoopGroup loops, Path folder) {
        DiskVolume volume = new DiskVolume(graph, loops, folder);
        volume.groups.recover();
        return volume;
    }

    public Graph graph() {
        return graph;
    }

    /** Opens a disk, or joins those that have it open. */
    public CompletionStage<AttachedDisk> attach(String name) {
        return open.attach(name);
    }

    /** All disks, sorted by name, without details. */
    public List<DiskView> list() {
        return Stages.await(refresh()).stream()
                .map(info -> view(info, problem(info), Map.of()))
                .toList();
    }

    /** Why an image says no size; null for one that says it. */
    private @Nullable String problem(FileInfo info) {
        if (info.sizeBytes() > 0) {
            return null;
        }
        try {
            info(info.fileName());
            return null;
        } catch (BlockException e) {
            return e.getMessage();
        }
    }

    /**
     * The names of the disks as they were known last; never waits. Images may come and go behind
     * the volume's back, so the names are looked up again for the next time, unless that was done
     * within the last second: it takes a look at every file.
     */
    public List<String> knownNames() {
        List<String> known = names;
        lookUpAgain();
        return known;
    }

    /** {@code DISK@SNAPSHOT} of all disks, as they were when {@link #knownNames} were looked up. */
    public List<String> knownSnapshots() {
        return snapshotNames;
    }

    /** The snapshots of all disks, sorted by disk. */
    public List<SnapshotView> allSnapshots() {
        Stages.await(refresh());
        return snapshots.all();
    }

    /** What differs between snapshots. */
    public VolumeDiffs diffs() {
        return diffs;
    }

    /** What makes disks independent of others. */
    public VolumeFlatten flattening() {
        return flattening;
    }

    /** Removed disks that are kept. */
    public VolumeTrash trash() {
        return trash;
    }

    /** ENOENT, with the nearest name, of a disk that is not there. */
    public void requirePresent(String name) {
        Stages.await(lookingUp(() -> top().stat(name)));
    }

    /** What they take of the storage. */
    public VolumeUsage usage() {
        return usage;
    }

    /** Their content, to be copied. */
    public DiskImages images() {
        return images;
    }

    /** Those that one user has for itself. */
    public SoleDisks soleDisks() {
        return soleDisks;
    }

    /** What is done with those of a disk. */
    public VolumeSnapshots snapshots() {
        return snapshots;
    }

    /** What is done with snapshots of several disks. */
    public SnapshotGroups groups() {
        return groups;
    }

    /** Sets of disks that have a name. */
    public DiskSets sets() {
        return sets;
    }

    private synchronized void lookUpAgain() {
        long now = loops.loops().get(0).nanoTime();
        if (!closed && lookUp.isDone() && now - lookUpNanos >= LOOK_UP_NANOS) {
            lookUpNanos = now;
            lookUp = refresh().<Void>handle((infos, failure) -> null).toCompletableFuture();
        }
    }

    /** Lets none begin any more. */
    private synchronized CompletableFuture<Void> lastLookUp() {
        closed = true;
        return lookUps;
    }

    private synchronized <T> CompletionStage<T> lookingUp(Supplier<CompletionStage<T>> call) {
        if (closed) {
            return CompletableFuture.failedFuture(
                    new BlockException(BlockError.ESHUTDOWN, "the volume is shutting down"));
        }
        CompletionStage<T> result = call.get();
        CompletableFuture<Void> ended =
                result.<Void>handle((value, failure) -> null).toCompletableFuture();
        lookUps = lookUps.isDone() ? ended : CompletableFuture.allOf(lookUps, ended);
        return result;
    }

    private CompletionStage<List<FileInfo>> refresh() {
        return lookingUp(() -> top().list().thenCompose(this::withSnapshots));
    }

    private CompletionStage<List<FileInfo>> withSnapshots(List<FileInfo> disks) {
        return snapshots
                .names()
                .exceptionally(failure -> snapshotNames) // disks are listed all the same
                .thenApply(
                        all -> {
                            names = disks.stream().map(FileInfo::fileName).toList();
                            snapshotNames = all;
                            return disks;
                        });
    }

    /** Looks up the names anew, after a change. */
    public void refreshNames() {
        Stages.await(refresh());
    }

    /** Of the storage below, as far as disks may take it. */
    public StorageSpace space() {
        return Stages.await(lookingUp(top()::statfs));
    }

    /** One disk with the details of its image. */
    public DiskView info(String name) {
        CompletionStage<OpenDisk> present = open.present(name);
        CompletionStage<DiskView> view =
                present == null
                        ? open.alone(name, () -> examine(name))
                        : present.thenCompose(disk -> lookingUp(() -> infoOf(name, disk)));
        return Stages.await(view);
    }

    /** Makes a disk; options as in {@link CreateOptions}, and {@code format}: qcow2 or raw. */
    public DiskView create(String name, long sizeBytes, Map<String, String> options) {
        String backing = backingDisk(options);
        // A backing file that was let go of a moment ago is not in use.
        Stages.await(open.settled(backing));
        try {
            CreateOptions wanted = new CreateOptions(sizeBytes, options);
            // With preallocation it takes as long as writing the disk does.
            Stages.awaitTheEnd(open.alone(name, () -> top().create(name, wanted)));
        } catch (BlockException e) {
            throw withUsers(backing, e);
        }
        Stages.await(refresh());
        return info(name);
    }

    private BlockException withUsers(String parent, BlockException e) {
        return e.error() == BlockError.EBUSY && open.users(parent) > 0
                ? new BlockException(
                        e.error(),
                        e.getMessage()
                                + "; disk in use: name="
                                + parent
                                + ", connections="
                                + open.users(parent),
                        e)
                : e;
    }

    /**
     * Makes disks that stand on {@code template} and read as it does. Where one fails, those that
     * were begun with it or before stay, and no more are begun.
     *
     * @param names of the new disks
     * @param sizeBytes of each; 0: as large as the template
     * @return the new disks, without details
     */
    public List<DiskView> clone(String template, List<String> names, long sizeBytes) {
        DiskTree tree = DiskTree.of(top());
        Stages.await(open.settled(template));
        List<DiskView> made = new ArrayList<>();
        for (int i = 0; i < names.size(); i += CLONES_AT_ONCE) {
            List<String> few = names.subList(i, Math.min(i + CLONES_AT_ONCE, names.size()));
            BlockException failure = null;
            for (CompletionStage<FileInfo> clone : begin(tree, template, few, sizeBytes)) {
                try {
                    made.add(view(Stages.await(clone), Map.of()));
                } catch (BlockException e) {
                    failure = failure == null ? e : failure;
                }
            }
            if (failure != null) {
                Stages.await(refresh());
                throw withUsers(template, withCount(made.size(), failure));
            }
        }
        Stages.await(refresh());
        return made;
    }

    private List<CompletionStage<FileInfo>> begin(
            DiskTree tree, String template, List<String> names, long sizeBytes) {
        List<CompletionStage<FileInfo>> begun = new ArrayList<>();
        for (String name : names) {
            begun.add(
                    open.alone(
                            name,
                            () ->
                                    tree.clone(template, name, sizeBytes)
                                            .thenCompose(none -> top().stat(name))));
        }
        return begun;
    }

    private static BlockException withCount(int made, BlockException e) {
        return made == 0
                ? e
                : new BlockException(
                        e.error(), e.getMessage() + "; clones made beside it: " + made, e);
    }

    /** The disks that stand on one, the closest first. */
    public List<String> children(String name) {
        return Stages.await(DiskTree.of(top()).children(name));
    }

    private static String backingDisk(Map<String, String> options) {
        return options.getOrDefault("backing_file", "").replaceFirst("\\.(qcow2|raw)$", "");
    }

    /** Grows a disk, whether it is attached or not. Attached clients see it when they reconnect. */
    public DiskView resize(String name, long sizeBytes) {
        Stages.await(
                attach(name)
                        .thenCompose(
                                disk ->
                                        resize(disk, sizeBytes)
                                                .handle(
                                                        (none, failure) ->
                                                                closeAfter(disk, failure))
                                                .thenCompose(Function.identity())));
        return info(name);
    }

    /**
     * Checks the image of a disk, attached or not; guests go on. One that cannot be opened for
     * writing, as a corrupt one, is opened for reading, and it cannot be attached before the end.
     *
     * @param repairLeaks whether clusters are given back that nothing refers to
     * @return what was found; empty where the format has no check
     * @throws io.quoin.block.BlockException as {@code CheckControl.check} fails
     */
    public Optional<OpenCheck> check(String name, boolean repairLeaks, CheckEvents events) {
        return checks.run(name, repairLeaks, events);
    }

    /** Ends the checks that are running, and lets none begin. */
    public void stopChecks() {
        checks.stop();
    }

    /** Removes a disk for good, past the trash; EBUSY while a client is attached. */
    public void remove(String name) {
        Stages.await(open.alone(name, () -> top().remove(name)));
        Stages.await(refresh());
    }

    /** Gives a disk another name; EBUSY while a client is attached. */
    public void rename(String name, String newName) {
        Stages.await(open.alone(name, () -> top().rename(name, newName)));
        Stages.await(refresh());
    }

    /**
     * Gives a disk the name and the place of another, which is gone with that, in one step; EBUSY
     * while a client is attached to either.
     */
    public void replace(String name, String byName) {
        Stages.await(open.alone(name, () -> open.alone(byName, () -> top().replace(name, byName))));
        Stages.await(refresh());
    }

    /** Flushes and closes the disks that are open, then the graph. */
    @Override
    public void close() {
        try {
            Stages.await(CompletableFuture.allOf(lastLookUp(), open.close().toCompletableFuture()));
        } finally {
            Stages.await(graph.close());
        }
    }

    private Xlator top() {
        return graph.top();
    }

    private static CompletionStage<Void> resize(AttachedDisk disk, long sizeBytes) {
        return CompletableFuture.supplyAsync(
                        () -> {
                            disk.requireWritable();
                            return disk.file().resize(sizeBytes);
                        },
                        disk.loop())
                .thenCompose(Function.identity());
    }

    private static CompletionStage<Void> closeAfter(
            AttachedDisk disk, @Nullable Throwable failure) {
        CompletionStage<Void> closed = disk.close();
        return failure == null
                ? closed
                : closed.thenCompose(none -> CompletableFuture.failedFuture(failure));
    }

    /** Opens a disk that is not held for reading, and looks. */
    private CompletionStage<DiskView> examine(String name) {
        Loop loop = loops.next();
        return top().stat(name)
                .thenCompose(
                        info ->
                                top().open(name, OpenOptions.READ_ONLY, loop)
                                        .thenComposeAsync(
                                                file -> detailsAndClose(info, file), loop));
    }

    private CompletionStage<DiskView> detailsAndClose(FileInfo info, XlatorFile file) {
        Map<String, Object> details;
        try {
            details = file.details();
        } catch (RuntimeException | Error e) {
            return Stages.failAfterClose(file, e);
        }
        return file.close().thenApply(none -> view(info, details));
    }

    private CompletionStage<DiskView> infoOf(String name, OpenDisk disk) {
        return top().stat(name).thenApplyAsync(info -> view(info, details(disk)), disk.loop());
    }

    private static Map<String, Object> details(OpenDisk disk) {
        Map<String, Object> details = new LinkedHashMap<>(disk.file().details());
        String why = disk.whyReadOnly();
        if (why != null) {
            details.put("read-only", why);
        }
        return details;
    }

    private DiskView view(FileInfo info, Map<String, Object> details) {
        return view(info, null, details);
    }

    private DiskView view(FileInfo info, @Nullable String problem, Map<String, Object> details) {
        return new DiskView(
                info.fileName(),
                info.sizeBytes(),
                info.allocatedBytes(),
                open.users(info.fileName()),
                problem,
                details);
    }
}
