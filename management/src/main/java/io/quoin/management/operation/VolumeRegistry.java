package io.quoin.management.operation;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.definition.BrickReplacement;
import io.quoin.management.definition.VolumeDefinition;
import io.quoin.management.definition.VolumeName;
import io.quoin.management.definition.VolumeOptions;
import io.quoin.management.definition.VolumeState;
import io.quoin.management.definition.VolumeStore;
import io.quoin.management.job.JobView;
import io.quoin.management.volume.DataFolder;
import io.quoin.management.volume.DiskView;
import io.quoin.replicate.wire.WireOptions;
import io.quoin.xlator.Stages;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The volumes of a data folder: the default one, which lies in the folder itself, and those of its
 * store; which of them are open in this process, and their life. The caller holds the lock of the
 * folder.
 *
 * <p>Threading: thread-safe. Changes follow one another; finding a volume waits for none.
 */
public final class VolumeRegistry {
    private static final Logger LOG = LoggerFactory.getLogger(VolumeRegistry.class);

    private final DataFolder folder;
    private final boolean hasDefault;
    private final VolumeStore store;
    private final VolumeHost host;
    private final Map<String, ManagedVolume> open = new ConcurrentSkipListMap<>();
    private final Map<String, BlockException> failed = new ConcurrentSkipListMap<>();

    /**
     * @param hasDefault whether there is a default volume, or one is made when it is opened
     */
    public VolumeRegistry(DataFolder folder, boolean hasDefault, VolumeHost host) {
        this.folder = folder;
        this.hasDefault = hasDefault;
        this.store = new VolumeStore(folder);
        this.host = host;
    }

    /**
     * Opens the default volume and those that are started. One of those that cannot be opened is
     * logged, and keeps no other from being opened.
     *
     * @throws BlockException if the default one cannot
     */
    public synchronized void openAll() {
        if (hasDefault) {
            open(VolumeName.DEFAULT);
        }
        for (VolumeDefinition volume : store.list()) {
            if (volume.state() == VolumeState.STARTED) {
                try {
                    open(volume.name());
                } catch (RuntimeException e) {
                    LOG.error(
                            "Volume is not served: name={}, reason={}",
                            volume.name(),
                            e.getMessage());
                }
            }
        }
    }

    /**
     * The open volume of a name.
     *
     * @param name null for the default one, or the only one
     * @throws BlockException ENOENT if there is none, EINVAL if there are several to choose from,
     *     ESHUTDOWN if it is not started
     */
    public ManagedVolume get(@Nullable String name) {
        String wanted = name == null ? unnamed() : name;
        ManagedVolume found = open.get(wanted);
        if (found != null) {
            return found;
        }
        if (host.opensOnDemand()) {
            synchronized (this) {
                ManagedVolume again = open.get(wanted);
                return again != null ? again : open(wanted);
            }
        }
        BlockException failure = failed.get(wanted);
        if (failure != null) {
            throw failure;
        }
        requireStarted(defined(wanted));
        throw new BlockException(BlockError.ESHUTDOWN, "volume is not open: name=" + wanted);
    }

    private String unnamed() {
        if (hasDefault) {
            return VolumeName.DEFAULT;
        }
        List<String> names =
                host.opensOnDemand()
                        ? store.list().stream()
                                .filter(volume -> volume.state() == VolumeState.STARTED)
                                .map(VolumeDefinition::name)
                                .toList()
                        : List.copyOf(open.keySet());
        if (names.size() != 1) {
            throw new BlockException(
                    names.isEmpty() ? BlockError.ENOENT : BlockError.EINVAL,
                    "no volume is named: expected="
                            + (names.isEmpty()
                                    ? "a started volume; quoin volume ls shows them"
                                    : "VOLUME/NAME, or --volume with one of "
                                            + String.join(", ", names)));
        }
        return names.get(0);
    }

    /** Those that are open, by name. */
    public Map<String, ManagedVolume> opened() {
        return open;
    }

    private VolumeDefinition defined(String name) {
        if (name.equals(VolumeName.DEFAULT)) {
            throw new BlockException(
                    hasDefault ? BlockError.ENOTSUP : BlockError.ENOENT,
                    hasDefault
                            ? "the default volume is as its volfile says and is open as long as"
                                    + " the service is: volfile="
                                    + folder.volfile()
                            : "no such volume: name=" + name);
        }
        return store.get(name);
    }

    private static void requireStarted(VolumeDefinition volume) {
        if (volume.state() != VolumeState.STARTED) {
            throw new BlockException(
                    BlockError.ESHUTDOWN,
                    "volume is not started: name="
                            + volume.name()
                            + "; start it with: quoin volume start "
                            + volume.name());
        }
    }

    private ManagedVolume open(String name) {
        try {
            if (!name.equals(VolumeName.DEFAULT)) {
                VolumeDefinition volume = store.get(name);
                requireStarted(volume);
                store.requireBricks(volume);
            }
            DataFolder own = name.equals(VolumeName.DEFAULT) ? folder : store.folder(name);
            ManagedVolume opened = host.open(name, own);
            open.put(name, opened);
            failed.remove(name);
            return opened;
        } catch (RuntimeException e) {
            failed.put(name, Stages.asBlockException(e));
            throw e;
        }
    }

    /** All, by name; the default one first. */
    public List<VolumeView> list() {
        List<VolumeView> views = new ArrayList<>();
        if (hasDefault) {
            views.add(VolumeView.ofDefault(open.get(VolumeName.DEFAULT)));
        }
        store.list().forEach(volume -> views.add(view(volume)));
        return views;
    }

    /** One; ENOENT if there is none. */
    public VolumeView view(String name) {
        return name.equals(VolumeName.DEFAULT) && hasDefault
                ? VolumeView.ofDefault(open.get(name))
                : view(defined(name));
    }

    private VolumeView view(VolumeDefinition volume) {
        BlockException failure = failed.get(volume.name());
        return VolumeView.of(
                volume,
                open.containsKey(volume.name()),
                failure == null ? null : failure.getMessage());
    }

    /**
     * Makes a volume.
     *
     * @param wire how brick daemons are reached
     */
    public synchronized VolumeView create(
            VolumeDefinition volume, WireOptions wire, boolean isForced) {
        return view(store.create(volume, defaultBricks(), wire, isForced));
    }

    /** The folders of the default volume. */
    private Map<Path, String> defaultBricks() {
        Map<Path, String> others = new HashMap<>();
        ManagedVolume own = open.get(VolumeName.DEFAULT);
        if (own != null) {
            own.bricks().forEach(brick -> others.put(brick, VolumeName.DEFAULT));
        } else if (hasDefault) {
            others.put(folder.path().resolve("brick"), VolumeName.DEFAULT);
        }
        return others;
    }

    /**
     * A brick that takes the place of another of a started volume, by {@link #replaceBrick}.
     *
     * @param wire how daemons are reached; null: as those of the volume
     * @throws BlockException as {@link VolumeStore#replacement}
     */
    BrickReplacement replacement(String name, String old, String by, @Nullable WireOptions wire) {
        return store.replacement(defined(name), old, by, wire, defaultBricks());
    }

    /**
     * Has the volume use a new brick that is prepared, while it goes on with the others.
     *
     * @param isToEnd whether it is not wanted any more; asked once it is its turn
     * @throws BlockException ESHUTDOWN if it is not, or the volume is stopped; EBUSY if the volume
     *     was changed since
     */
    synchronized void replaceBrick(
            ManagedVolume volume, BrickReplacement by, BooleanSupplier isToEnd) {
        if (isToEnd.getAsBoolean() || !open.containsValue(volume)) {
            throw new BlockException(BlockError.ESHUTDOWN, "volume was stopped meanwhile");
        }
        by.requireUnchanged();
        volume.disks().graph().exchange(by.node(), by::carryOut);
    }

    /** Opens a volume, now and with every service; tries again one that could not be opened. */
    public synchronized VolumeView start(String name) {
        VolumeDefinition volume = defined(name);
        if (open.containsKey(name)) {
            throw new BlockException(BlockError.EEXIST, "volume is started already: name=" + name);
        }
        boolean wasStarted = volume.state() == VolumeState.STARTED;
        VolumeDefinition started = store.change(volume, VolumeState.STARTED);
        try {
            open(name);
        } catch (RuntimeException e) {
            if (!wasStarted) {
                store.change(volume, volume.state());
                failed.remove(name);
            }
            throw e;
        }
        return view(started);
    }

    /**
     * Closes a volume.
     *
     * @param isForced whether clients lose disks that they have attached, and jobs are interrupted
     * @throws BlockException EBUSY, naming them, if it is not forced and there are some
     */
    public VolumeView stop(String name, boolean isForced) {
        if (isForced) {
            requireStarted(defined(name));
            ManagedVolume present = open.get(name);
            if (present != null) {
                present.jobs().close(); // first: one may wait for its turn to change the volume
            }
        }
        return stopIdle(name, isForced);
    }

    private synchronized VolumeView stopIdle(String name, boolean isForced) {
        VolumeDefinition volume = defined(name);
        requireStarted(volume);
        ManagedVolume present = open.get(name);
        if (present != null) {
            if (!isForced) {
                requireIdle(name, present);
            }
            open.remove(name);
            host.close(name);
        }
        failed.remove(name);
        return view(store.change(volume, VolumeState.STOPPED));
    }

    private static void requireIdle(String name, ManagedVolume volume) {
        List<String> attached =
                volume.disks().list().stream()
                        .filter(disk -> disk.connections() > 0)
                        .map(DiskView::name)
                        .toList();
        List<String> jobs =
                volume.jobs().list().stream()
                        .filter(job -> !job.state().hasEnded())
                        .map(JobView::id)
                        .toList();
        if (!attached.isEmpty() || !jobs.isEmpty()) {
            throw new BlockException(
                    BlockError.EBUSY,
                    "volume is in use: name="
                            + name
                            + ", attached disks="
                            + attached
                            + ", jobs="
                            + jobs
                            + "; detach and end them, or take them away with --force");
        }
    }

    /** The options of a volume. */
    List<VolumeOptions.Value> options(String name) {
        return store.options(defined(name));
    }

    /**
     * Sets options, or takes them back, in running nodes too where they can be changed there.
     *
     * @param changes by the names of options; an empty text takes one back
     * @return whether each has its effect now; else at the next start of the volume
     */
    synchronized Map<String, Boolean> setOptions(String name, Map<String, String> changes) {
        Map<String, List<VolumeOptions.NodeOption>> nodes =
                store.setOptions(defined(name), changes);
        ManagedVolume running = open.get(name);
        Map<String, Boolean> effects = new TreeMap<>();
        Map<String, String> set = store.get(name).options();
        nodes.forEach(
                (option, places) ->
                        effects.put(
                                option,
                                running != null
                                        && places.stream()
                                                .allMatch(
                                                        place ->
                                                                isLive(
                                                                        running,
                                                                        place,
                                                                        set.get(option)))));
        return effects;
    }

    private static boolean isLive(
            ManagedVolume running, VolumeOptions.NodeOption place, @Nullable String value) {
        try {
            running.disks().graph().reconfigure(place.node(), place.option(), value);
            return true;
        } catch (BlockException e) {
            if (e.error() == BlockError.ENOTSUP) {
                return false;
            }
            throw e;
        }
    }

    /** Takes a volume away that is not started. Its bricks keep what they have. */
    public synchronized VolumeView delete(String name) {
        VolumeDefinition volume = defined(name);
        if (volume.state() == VolumeState.STARTED) {
            throw new BlockException(
                    BlockError.EBUSY,
                    "volume is started: name="
                            + name
                            + "; stop it first: quoin volume stop "
                            + name);
        }
        VolumeView view = view(volume);
        store.delete(volume);
        return view;
    }

    StatusView status(@Nullable String volume) {
        return host.status(volume);
    }
}
