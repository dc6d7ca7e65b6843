package io.quoin.management.daemon;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Uncaught;
import io.quoin.management.http.HttpApi;
import io.quoin.management.http.TokenCheck;
import io.quoin.management.operation.ManagedVolume;
import io.quoin.management.operation.MemoryView;
import io.quoin.management.operation.NbdAddresses;
import io.quoin.management.operation.StatusView;
import io.quoin.management.operation.VolumeRegistry;
import io.quoin.management.volume.DiskView;
import io.quoin.management.volume.DiskVolume;
import io.quoin.management.volume.LocalVolume;
import io.quoin.nbd.UnixSocketFile;
import io.quoin.xlator.NameText;
import io.quoin.xlator.Stages;
import io.quoin.xlator.StorageSpace;
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
 * The service of one data folder: volume, NBD server, API. Started in that order, so that a client
 * that gets an answer can use everything; closed in the other, so that no command meets half a
 * service, every request is answered, and every disk is flushed before its lock is let go.
 *
 * <p>Threading: thread-safe.
 */
public final class Daemon implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Daemon.class);

    private final DaemonOptions options;
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private final ProcessMemory memory;
    private final LocalVolume volume;
    private final NbdListeners nbd;
    private final long startedNanos;
    private @Nullable String apiAddress;

    private Daemon(DaemonOptions options) {
        this.options = options;
        try {
            SocketPath.check(
                    options.socket(),
                    UnixSocketFile.ASIDE_BYTES,
                    "choose a shorter one with --socket");
            memory = new ProcessMemory(options.memoryBytes());
            volume =
                    add(
                            LocalVolume.open(
                                    options.folder(),
                                    options.volfile(),
                                    options.loopCount(),
                                    memory));
            options.disks().forEach(this::ensureDisk);
            nbd = add(NbdListeners.start(options, volume, memory));
            ManagedVolume managed =
                    new ManagedVolume(
                            options.folder(), volume.disks(), nbd::addresses, this::status);
            VolumeRegistry volumes = new VolumeRegistry();
            volumes.add(VolumeRegistry.ONLY, managed);
            serveApi(new HttpApi(volumes));
            // Ends its jobs, and with that the wait of those that follow them, before the server.
            add(managed);
            managed.takeUpJobs();
            add(TrashTimer.start(volume.disks().trash()));
            add(ScheduleTimer.start(managed.schedules()));
            startedNanos = System.nanoTime();
        } catch (RuntimeException | Error e) {
            try {
                close();
            } catch (RuntimeException closing) {
                e.addSuppressed(closing);
            }
            throw e;
        }
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

    /** Where disks can be attached. */
    public NbdAddresses addresses() {
        return nbd.addresses();
    }

    /** The disks, sorted by name. */
    public List<DiskView> disks() {
        return volume.disks().list();
    }

    private void ensureDisk(DiskSpec wanted) {
        DiskVolume disks = volume.disks();
        Optional<DiskView> present =
                disks.list().stream().filter(disk -> disk.name().equals(wanted.name())).findFirst();
        if (present.isEmpty()) {
            disks.create(wanted.name(), wanted.sizeBytes(), Map.of());
            LOG.info("Disk made: name={}, sizeBytes={}", wanted.name(), wanted.sizeBytes());
        } else if (present.get().sizeBytes() != wanted.sizeBytes()) {
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

    private StatusView status() {
        return new StatusView(
                options.version(),
                ProcessHandle.current().pid(),
                (System.nanoTime() - startedNanos) / 1_000_000_000L,
                options.folder().text(),
                addresses(),
                space(),
                MemoryView.of(memory),
                Bricks.of(volume),
                Uncaught.count(),
                disks(),
                volume.disks().graph().statistics());
    }

    /** A brick that is gone is no reason to tell nothing. */
    private @Nullable StorageSpace space() {
        try {
            return volume.disks().space();
        } catch (BlockException e) {
            LOG.debug("Space is not known: {}", e.getMessage());
            return null;
        }
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
