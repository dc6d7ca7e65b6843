package io.quoin.management.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.snapshot.DiskTrash;
import io.quoin.snapshot.TrashedDisk;
import io.quoin.xlator.Stages;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.graph.NearestName;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The trash of a volume. Methods wait, and throw {@link BlockException}.
 *
 * <p>Threading: thread-safe.
 */
public final class VolumeTrash {
    private static final Logger LOG = LoggerFactory.getLogger(VolumeTrash.class);

    private final Xlator graph;
    private final OpenDisks disks;

    VolumeTrash(Xlator graph, OpenDisks disks) {
        this.graph = graph;
        this.disks = disks;
    }

    private DiskTrash trash() {
        return DiskTrash.of(graph);
    }

    /** Whether removed disks are kept at all: a volume need not have a trash. */
    public boolean isKeeping() {
        return graph.extension(DiskTrash.class).filter(t -> !t.keptFor().isZero()).isPresent();
    }

    /** Puts a disk there; EBUSY while a client is attached, or others stand on it. */
    public TrashView put(String disk) {
        return TrashView.of(
                Stages.await(disks.alone(disk, () -> trash().trash(disk, Instant.now()))));
    }

    /** What is there, by name and then the last removed first. */
    public List<TrashView> list() {
        return all().stream().map(TrashView::of).toList();
    }

    private List<TrashedDisk> all() {
        return graph.extension(DiskTrash.class)
                .map(trash -> Stages.await(trash.list()))
                .orElse(List.of());
    }

    /**
     * Makes one a disk again.
     *
     * @param which its id, or its name if it is the only one of that name
     * @param as its new name; null: the one that it had
     * @return the name of the disk
     */
    public String restore(String which, @Nullable String as) {
        TrashedDisk found = find(which);
        String disk = as == null ? found.disk() : as;
        return Stages.await(disks.alone(disk, () -> trash().restore(found, as)));
    }

    /** Removes one for good; {@code which} as of {@link #restore}. */
    public TrashView purge(String which) {
        TrashedDisk found = find(which);
        Stages.awaitTheEnd(trash().purge(found));
        return TrashView.of(found);
    }

    /**
     * Removes all for good, or those whose time is up. One that cannot be removed is logged, and
     * left for the next time.
     *
     * @return what was removed
     */
    public List<TrashView> empty(boolean expiredOnly) {
        Instant now = Instant.now();
        Predicate<TrashedDisk> wanted = disk -> !expiredOnly || disk.isExpired(now);
        List<TrashView> gone = new ArrayList<>();
        for (TrashedDisk disk : all().stream().filter(wanted).toList()) {
            try {
                Stages.awaitTheEnd(trash().purge(disk));
                gone.add(TrashView.of(disk));
            } catch (BlockException e) {
                LOG.warn("Disk stays in the trash: file={}: {}", disk.file(), e.getMessage());
            }
        }
        return gone;
    }

    private TrashedDisk find(String which) {
        List<TrashedDisk> all = all();
        List<TrashedDisk> found = all.stream().filter(disk -> disk.id().equals(which)).toList();
        if (found.isEmpty()) {
            found = all.stream().filter(disk -> disk.disk().equals(which)).toList();
        }
        if (found.size() > 1) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "several disks in the trash have the name: name="
                            + which
                            + ", expected=one of the ids "
                            + found.stream()
                                    .map(TrashedDisk::id)
                                    .collect(Collectors.joining(", ")));
        }
        if (found.isEmpty()) {
            String hint =
                    NearestName.find(which, all.stream().map(TrashedDisk::disk).toList())
                            .map(near -> "; did you mean " + near + "?")
                            .orElse("");
            throw new BlockException(
                    BlockError.ENOENT, "no such disk in the trash: name=" + which + hint);
        }
        return found.get(0);
    }
}
