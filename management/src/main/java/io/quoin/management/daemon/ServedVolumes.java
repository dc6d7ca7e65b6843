package io.quoin.management.daemon;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.definition.VolumeName;
import io.quoin.management.operation.Attachments;
import io.quoin.management.operation.DiskAddress;
import io.quoin.management.operation.ManagedVolume;
import io.quoin.management.operation.NbdAddresses;
import io.quoin.management.operation.StatusView;
import io.quoin.management.operation.VolumeHost;
import io.quoin.management.volume.DataFolder;
import io.quoin.management.volume.FolderLock;
import io.quoin.management.volume.LocalVolume;
import io.quoin.management.volume.VolumeResources;
import io.quoin.xlator.Stages;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The volumes that a service has open. They are opened before its addresses are there, and begin to
 * work on jobs and trash with {@link #begin}; those that come later do so at once.
 *
 * <p>Threading: thread-safe.
 */
final class ServedVolumes implements VolumeHost, Attachments, AutoCloseable {
    private final DaemonOptions options;
    private final VolumeResources resources;
    private final Function<@Nullable String, StatusView> status;
    private final Map<String, Served> volumes = new ConcurrentSkipListMap<>();
    private @Nullable NbdListeners nbd;
    private boolean begun;
    private boolean ending;

    /**
     * @param status of one volume, or of all
     */
    ServedVolumes(
            DaemonOptions options,
            VolumeResources resources,
            Function<@Nullable String, StatusView> status) {
        this.options = options;
        this.resources = resources;
        this.status = status;
    }

    /** A volume and what goes with it. */
    static final class Served {
        private final @Nullable FolderLock lock;
        private final LocalVolume local;
        private final ManagedVolume managed;
        private final NbdCatalogue exports;
        private @Nullable TrashTimer trash;
        private @Nullable ScheduleTimer schedules;

        Served(
                @Nullable FolderLock lock,
                LocalVolume local,
                ManagedVolume managed,
                NbdCatalogue exports) {
            this.lock = lock;
            this.local = local;
            this.managed = managed;
            this.exports = exports;
        }

        LocalVolume local() {
            return local;
        }

        NbdCatalogue exports() {
            return exports;
        }

        private void begin() {
            managed.takeUpJobs();
            trash = TrashTimer.start(local.disks().trash());
            schedules = ScheduleTimer.start(managed.schedules());
        }

        private void endJobs() {
            ScheduleTimer calendar = schedules;
            if (calendar != null) {
                calendar.close();
                schedules = null;
            }
            TrashTimer timer = trash;
            if (timer != null) {
                timer.close();
                trash = null;
            }
            managed.close();
        }

        private void close() {
            try {
                local.close();
            } finally {
                if (lock != null) {
                    lock.close();
                }
            }
        }
    }

    /** Those that are open, by name. */
    Map<String, Served> all() {
        return volumes;
    }

    @Override
    public synchronized ManagedVolume open(String name, DataFolder folder) {
        if (ending) {
            throw new BlockException(BlockError.ESHUTDOWN, "the service is shutting down");
        }
        FolderLock lock = name.equals(VolumeName.DEFAULT) ? null : FolderLock.acquire(folder);
        Served served;
        try {
            served = opened(name, folder, lock);
        } catch (RuntimeException | Error e) {
            if (lock != null) {
                lock.close();
            }
            throw e;
        }
        volumes.put(name, served);
        if (begun) {
            served.begin();
        }
        return served.managed;
    }

    private Served opened(String name, DataFolder folder, @Nullable FolderLock lock) {
        LocalVolume local =
                LocalVolume.openHeld(folder, lock == null ? options.volfile() : null, resources);
        try {
            local.disks().refreshNames(); // before a client asks for one
        } catch (RuntimeException | Error e) {
            local.close();
            throw e;
        }
        NbdCatalogue exports =
                new NbdCatalogue(
                        DiskAddress.prefix(name),
                        local.disks(),
                        options.listsSnapshots(),
                        options.bitmapNames());
        ManagedVolume managed = new ManagedVolume(name, folder, local.disks(), this);
        return new Served(lock, local, managed, exports);
    }

    @Override
    public synchronized void close(String name) {
        Served served = volumes.remove(name);
        if (served != null) {
            try {
                served.endJobs();
            } finally {
                served.close();
            }
        }
    }

    @Override
    public boolean opensOnDemand() {
        return false;
    }

    @Override
    public StatusView status(@Nullable String volume) {
        return status.apply(volume);
    }

    @Override
    public NbdAddresses addresses() {
        return nbd().addresses();
    }

    @Override
    public int disconnect(String export) {
        return nbd().disconnect(export);
    }

    private synchronized NbdListeners nbd() {
        NbdListeners known = nbd;
        if (known == null) {
            throw new BlockException(BlockError.ESHUTDOWN, "the service is not ready");
        }
        return known;
    }

    /** Once disks can be attached. */
    synchronized void reachedBy(NbdListeners listeners) {
        nbd = listeners;
    }

    synchronized void begin() {
        begun = true;
        volumes.values().forEach(Served::begin);
    }

    /** Ends all jobs, and with that the wait of those that follow them; no volume comes after. */
    synchronized void endJobs() {
        ending = true;
        volumes.values().forEach(Served::endJobs);
    }

    /** Flushes and closes all, also after one has failed, and throws the first failure. */
    @Override
    public synchronized void close() {
        ending = true;
        RuntimeException first = null;
        for (Served served : volumes.values()) {
            try {
                served.close();
            } catch (RuntimeException e) {
                if (first == null) {
                    first = Stages.asBlockException(e);
                } else {
                    first.addSuppressed(e);
                }
            }
        }
        volumes.clear();
        if (first != null) {
            throw first;
        }
    }
}
