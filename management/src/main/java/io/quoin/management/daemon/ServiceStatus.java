package io.quoin.management.daemon;

import io.quoin.block.BlockException;
import io.quoin.block.Uncaught;
import io.quoin.management.definition.VolumeName;
import io.quoin.management.operation.DiskAddress;
import io.quoin.management.operation.MemoryView;
import io.quoin.management.operation.StatusView;
import io.quoin.management.operation.VolumeRegistry;
import io.quoin.management.volume.DiskView;
import io.quoin.management.volume.LocalVolume;
import io.quoin.nbd.NbdConnection;
import io.quoin.xlator.StorageSpace;
import io.quoin.xlator.graph.NodeStatistics;
import io.quoin.xlator.memory.ProcessMemory;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a service tells of itself and its volumes.
 *
 * <p>Threading: immutable.
 */
record ServiceStatus(
        DaemonOptions options,
        ServedVolumes volumes,
        NbdListeners nbd,
        VolumeRegistry registry,
        ProcessMemory memory,
        long startedNanos) {
    private static final Logger LOG = LoggerFactory.getLogger(ServiceStatus.class);
    private static final String SERVICE = "service";

    /**
     * @param volume null for all
     */
    StatusView view(@Nullable String volume) {
        Map<String, ServedVolumes.Served> wanted = volumes.all();
        if (volume != null) {
            registry.get(volume); // fails if it is not open
            wanted = Map.of(volume, Objects.requireNonNull(volumes.all().get(volume)));
        }
        List<StatusView.Brick> bricks = new ArrayList<>();
        List<NodeStatistics> statistics = new ArrayList<>();
        List<@Nullable StorageSpace> spaces = new ArrayList<>();
        wanted.forEach(
                (name, served) -> {
                    LocalVolume local = served.local();
                    bricks.addAll(Bricks.of(DiskAddress.prefix(name), local));
                    statistics.add(local.disks().graph().statistics());
                    spaces.add(space(local));
                });
        boolean isOne = statistics.size() == 1;
        return new StatusView(
                options.version(),
                ProcessHandle.current().pid(),
                (System.nanoTime() - startedNanos) / 1_000_000_000L,
                options.folder().text(),
                volumes.addresses(),
                isOne ? spaces.get(0) : null,
                MemoryView.of(memory),
                bricks,
                Uncaught.count(),
                registry.list(),
                disks(wanted),
                clients(volume),
                isOne
                        ? statistics.get(0)
                        : new NodeStatistics(SERVICE, SERVICE, Map.of(), statistics));
    }

    /**
     * @param volume null for all
     */
    private List<StatusView.Client> clients(@Nullable String volume) {
        List<StatusView.Client> clients = new ArrayList<>();
        for (NbdConnection each : nbd.connections()) {
            String of = DiskAddress.of(each.export()).volume();
            if (volume == null || volume.equals(of == null ? VolumeName.DEFAULT : of)) {
                clients.add(
                        new StatusView.Client(
                                each.export(),
                                each.peer(),
                                each.pid(),
                                each.uid(),
                                each.since().truncatedTo(ChronoUnit.SECONDS).toString(),
                                each.inFlight(),
                                each.requests()));
            }
        }
        return clients;
    }

    /** Named as everywhere where volumes meet. */
    static List<DiskView> disks(Map<String, ServedVolumes.Served> volumes) {
        List<DiskView> all = new ArrayList<>();
        volumes.forEach(
                (name, served) ->
                        served.local().disks().list().stream()
                                .map(disk -> disk.in(DiskAddress.prefix(name)))
                                .forEach(all::add));
        return all;
    }

    /** A brick that is gone is no reason to tell nothing. */
    private static @Nullable StorageSpace space(LocalVolume volume) {
        try {
            return volume.disks().space();
        } catch (BlockException e) {
            LOG.debug("Space is not known: {}", e.getMessage());
            return null;
        }
    }
}
