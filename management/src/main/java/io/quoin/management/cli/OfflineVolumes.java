package io.quoin.management.cli;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.definition.VolumeName;
import io.quoin.management.definition.VolumeStore;
import io.quoin.management.operation.ManagedVolume;
import io.quoin.management.operation.OperationType;
import io.quoin.management.operation.Operations;
import io.quoin.management.operation.StatusView;
import io.quoin.management.operation.VolumeClient;
import io.quoin.management.operation.VolumeHost;
import io.quoin.management.operation.VolumeRegistry;
import io.quoin.management.volume.DataFolder;
import io.quoin.management.volume.FolderLock;
import io.quoin.management.volume.LocalVolume;
import io.quoin.management.volume.VolumeResources;
import io.quoin.xlator.Stages;
import io.quoin.xlator.memory.ProcessMemory;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * The volumes of a data folder that no service has, in this process for the time of a command. It
 * holds the folder, and opens what is asked for.
 *
 * <p>Threading: confined to the main thread.
 */
final class OfflineVolumes implements VolumeClient, VolumeHost {
    private final DataFolder folder;
    private final @Nullable Path volfile;
    private final @Nullable String volume;
    private final boolean isMaking;
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private final VolumeRegistry registry;
    private @Nullable VolumeResources resources;

    private OfflineVolumes(
            DataFolder folder, @Nullable Path volfile, @Nullable String volume, boolean isMaking) {
        this.folder = folder;
        this.volfile = volfile;
        this.volume = volume;
        this.isMaking = isMaking;
        boolean hasDefault =
                volfile != null || folder.hasVolume() || new VolumeStore(folder).list().isEmpty();
        this.registry = new VolumeRegistry(folder, hasDefault, this);
        parts.push(FolderLock.acquire(folder));
    }

    /**
     * @param volume of names that have none
     * @param isMaking whether the folder, and a volume in it, are made where there are none
     */
    static OfflineVolumes open(
            DataFolder folder, @Nullable Path volfile, @Nullable String volume, boolean isMaking) {
        if (isMaking) {
            folder.create();
        } else if (new VolumeStore(folder).list().isEmpty()) {
            folder.requireVolume(volfile);
        }
        return new OfflineVolumes(folder, volfile, volume, isMaking);
    }

    @Override
    public <Q extends Record, R extends Record> R call(OperationType<Q, R> type, Q request) {
        return Operations.of(type).run(request, registry, volume);
    }

    @Override
    public ManagedVolume open(String name, DataFolder own) {
        boolean isDefault = name.equals(VolumeName.DEFAULT);
        if (!isDefault) {
            parts.push(FolderLock.acquire(own));
        } else if (!isMaking) {
            own.requireVolume(volfile);
        }
        VolumeResources shared = resources;
        if (shared == null) {
            shared = new VolumeResources(1, ProcessMemory.shared());
            resources = shared;
            parts.push(shared);
        }
        LocalVolume local = LocalVolume.openHeld(own, isDefault ? volfile : null, shared);
        parts.push(local);
        ManagedVolume managed = ManagedVolume.unserved(name, own, folder, local.disks());
        parts.push(managed);
        return managed;
    }

    /** With the command. */
    @Override
    public void close(String name) {}

    @Override
    public boolean opensOnDemand() {
        return true;
    }

    @Override
    public StatusView status(@Nullable String which) {
        throw new BlockException(BlockError.ESHUTDOWN, "no service runs on the volume");
    }

    @Override
    public void close() {
        RuntimeException first = null;
        while (!parts.isEmpty()) {
            try {
                parts.pop().close();
            } catch (Exception e) {
                first = first == null ? Stages.asBlockException(e) : first;
            }
        }
        if (first != null) {
            throw first;
        }
    }
}
