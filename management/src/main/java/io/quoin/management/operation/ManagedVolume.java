package io.quoin.management.operation;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.job.JobWork;
import io.quoin.management.job.Jobs;
import io.quoin.management.job.StoredJob;
import io.quoin.management.schedule.Schedules;
import io.quoin.management.volume.DataFolder;
import io.quoin.management.volume.DiskVolume;
import io.quoin.xlator.NameText;
import java.nio.file.Files;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * A volume that operations work on: its disks, its jobs, and what its service tells of itself.
 *
 * <p>Threading: thread-safe.
 */
public final class ManagedVolume implements VolumeClient {
    private final DataFolder folder;
    private final DiskVolume disks;
    private final Jobs jobs;
    private final Schedules schedules;
    private final Supplier<NbdAddresses> addresses;
    private final Supplier<StatusView> status;

    /**
     * @param addresses where disks can be attached
     * @param status what {@code status} answers
     */
    public ManagedVolume(
            DataFolder folder,
            DiskVolume disks,
            Supplier<NbdAddresses> addresses,
            Supplier<StatusView> status) {
        this.folder = folder;
        this.disks = disks;
        this.jobs = new Jobs(folder.jobs(), this::resume);
        this.schedules =
                new Schedules(folder.schedules(), new ScheduledJobs(this), InstantSource.system());
        this.addresses = addresses;
        this.status = status;
    }

    /** One that no service has: its addresses are those that the service will have. */
    public static ManagedVolume unserved(DataFolder folder, DiskVolume disks) {
        NbdAddresses whenServed = new NbdAddresses(NameText.of(folder.nbdSocket()), null);
        return new ManagedVolume(folder, disks, () -> whenServed, ManagedVolume::noStatus);
    }

    private static StatusView noStatus() {
        throw new BlockException(BlockError.ESHUTDOWN, "no service runs on the volume");
    }

    DataFolder folder() {
        return folder;
    }

    public DiskVolume disks() {
        return disks;
    }

    public Jobs jobs() {
        return jobs;
    }

    public Schedules schedules() {
        return schedules;
    }

    /** Takes up jobs of an earlier process, on a thread of its own, if there are any. */
    public void takeUpJobs() {
        if (Files.isDirectory(folder.jobs())) {
            Thread thread = new Thread(jobs::load, "quoin-jobs");
            thread.setDaemon(true);
            thread.start();
        }
    }

    NbdAddresses addresses() {
        return addresses.get();
    }

    StatusView status() {
        return status.get();
    }

    @Override
    public <Q extends Record, R extends Record> R call(OperationType<Q, R> type, Q request) {
        return Operations.of(type).run(request, this);
    }

    private Optional<JobWork> resume(StoredJob stored) {
        return Operations.ALL.stream()
                .filter(operation -> operation.type().name().equals(stored.job().kind()))
                .filter(JobOperation.class::isInstance)
                .map(operation -> (JobOperation<?, ?>) operation)
                .findFirst()
                .flatMap(operation -> operation.resume(stored, this));
    }

    /** Ends its jobs; the disks are their owner's. */
    @Override
    public void close() {
        disks.stopChecks();
        jobs.close();
    }
}
