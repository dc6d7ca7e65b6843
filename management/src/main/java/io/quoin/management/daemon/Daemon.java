package io.quoin.management.daemon;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.definition.VolumeStore;
import io.quoin.management.http.HttpApi;
import io.quoin.management.http.TokenCheck;
import io.quoin.management.operation.DiskAddress;
import io.quoin.management.operation.NbdAddresses;
import io.quoin.management.operation.StatusView;
import io.quoin.management.operation.VolumeRegistry;
import io.quoin.management.volume.DiskView;
import io.quoin.management.volume.DiskVolume;
import io.quoin.management.volume.FolderLock;
import io.quoin.management.volume.VolumeResources;
import io.quoin.nbd.UnixSocketFile;
import io.quoin.xlator.NameText;
import io.quoin.xlator.Stages;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.memory.ProcessMemory;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The service of one data folder: volumes, NBD server, API. Started in that order, so that a client
 * that gets an answer can use everything; closed in the other, so that no command meets half a
 * service, every request is answered, and every disk is flushed before its lock is let go.
 *
 * <p>Threading: thread-safe.
 */
public final class Daemon implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Daemon.class);

    private final DaemonOptions options;
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private final VolumeResources resources;
    private final ServedVolumes volumes;
    private final VolumeRegistry registry;
    private final NbdListeners nbd;
    private final ServiceStatus status;
    private @Nullable String apiAddress;

    private Daemon(DaemonOptions options) {
        this.options = options;
        try {
            if (options.socket().inherited() == null) {
                SocketPath.check(
                        options.socket().path(),
                        UnixSocketFile.ASIDE_BYTES,
                        "choose a shorter one with --socket");
            }
            options.folder().create();
            add(FolderLock.acquire(options.folder()));
            ProcessMemory memory = new ProcessMemory(options.memoryBytes());
            resources = add(new VolumeResources(options.loopCount(), memory));
            volumes = add(new ServedVolumes(options, resources, this::status));
            registry = new VolumeRegistry(options.folder(), hasDefault(options), volumes);
            registry.openAll();
            options.disks().forEach(this::ensureDisk);
            nbd = add(NbdListeners.start(options, new VolumesCatalogue(volumes.all()), resources));
            volumes.reachedBy(nbd);
            status = new ServiceStatus(options, volumes, nbd, registry, memory, System.nanoTime());
            serveApi(new HttpApi(registry));
            // Before the server of the API, so that those that follow jobs hear of their end.
            parts.push(volumes::endJobs);
            volumes.begin();
        } catch (RuntimeException | Error e) {
            try {
                close();
            } catch (RuntimeException closing) {
                e.addSuppressed(closing);
            }
            throw e;
        }
    }

    /** One that lies in the folder, or is asked for; or a first one where there is none at all. */
    private static boolean hasDefault(DaemonOptions options) {
        return options.volfile() != null
                || options.folder().hasVolume()
                || new VolumeStore(options.folder()).list().isEmpty();
    }

    /**
     * Starts the service.
     *
     * @throws BlockException naming what is in the way: a folder in use, a port taken, a disk of
     *     another size
     */
    public static Daemon start(DaemonOptions options) {
        Daemon daemon = new Daemon(options);
        LOG.info(
                "Serving: data={}, nbd={}",
                NameText.printable(options.folder().text()),
                daemon.addresses());
        return daemon;
    }

    /** The threads that own the disks and their connections. */
    public List<Loop> loops() {
        return resources.loops().loops();
    }

    /** Where disks can be attached. */
    public NbdAddresses addresses() {
        return nbd.addresses();
    }

    /** The disks of all volumes, as VOLUME/NAME where it is not the default one. */
    public List<DiskView> disks() {
        return ServiceStatus.disks(volumes.all());
    }

    private void ensureDisk(DiskSpec wanted) {
        DiskAddress address = DiskAddress.of(wanted.name());
        DiskVolume disks = registry.get(address.volume()).disks();
        Optional<DiskView> present =
                disks.list().stream()
                        .filter(disk -> disk.name().equals(address.name()))
                        .findFirst();
        if (present.isEmpty()) {
            disks.create(address.name(), wanted.sizeBytes(), Map.of());
            LOG.info("Disk made: name={}, sizeBytes={}", wanted.name(), wanted.sizeBytes());
        } else if (present.get().sizeBytes() > wanted.sizeBytes()) {
            LOG.info(
                    "Disk has grown since: name={}, sizeBytes={}, wanted={}",
                    wanted.name(),
                    present.get().sizeBytes(),
                    wanted.sizeBytes());
        } else if (present.get().sizeBytes() < wanted.sizeBytes()) {
            throw new BlockException(
                    BlockError.EEXIST,
                    "disk has another size: name="
                            + wanted.name()
                            + ", expected="
                            + wanted.sizeBytes()
                            + ", actual="
                            + present.get().sizeBytes()
                            + "; leave --disk out to serve it as it is, or grow it with: quoin disk"
                            + " resize "
                            + wanted.name()
                            + " SIZE");
        }
    }

    /** On the control socket, whose folder protects it, and over TCP for those with the token. */
    private void serveApi(HttpApi api) {
        add(ApiServer.start(UnixListener.bind(options.folder().controlSocket()), api));
        ApiOptions tcp = options.api();
        if (tcp != null) {
            TokenCheck checked = new TokenCheck(tcp.readToken(), api.remote());
            TlsListener listener = TlsListener.bind(tcp);
            apiAddress = listener.text();
            add(ApiServer.start(listener, checked));
            LOG.info("API over TCP: address={}", apiAddress);
        }
    }

    /** Where the API is served over TCP; null if it is not. */
    public @Nullable String apiAddress() {
        return apiAddress;
    }

    private StatusView status(@Nullable String volume) {
        return status.view(volume);
    }

    private <T extends AutoCloseable> T add(T part) {
        parts.push(part);
        return part;
    }

    /** Answers what is in flight, flushes, and leaves nothing behind but the data. */
    @Override
    public synchronized void close() {
        RuntimeException first = null;
        while (!parts.isEmpty()) {
            try {
                parts.pop().close();
            } catch (Exception e) {
                RuntimeException failure = Stages.asBlockException(e);
                if (first == null) {
                    first = failure;
                } else {
                    first.addSuppressed(failure);
                }
            }
        }
        if (first != null) {
            throw first;
        }
    }
}
