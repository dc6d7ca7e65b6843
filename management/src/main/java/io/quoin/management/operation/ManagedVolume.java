package io.quoin.management.operation;

import io.quoin.management.definition.VolumeName;
import io.quoin.management.job.JobView;
import io.quoin.management.job.JobWork;
import io.quoin.management.job.Jobs;
import io.quoin.management.job.StoredJob;
import io.quoin.management.schedule.Schedules;
import io.quoin.management.volume.DataFolder;
import io.quoin.management.volume.DiskVolume;
import io.quoin.xlator.NameText;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;

/**
 * A volume that operations work on: its disks, its jobs, and what its service tells of itself.
 *
 * <p>Threading: thread-safe.
 */
public final class ManagedVolume implements VolumeClient {
    private final String name;
    private final DataFolder folder;
    private final DiskVolume disks;
    private final Jobs jobs;
    private final Schedules schedules;
    private final Attachments attachments;

    /**
     * @param attachments of the service
     */
    public ManagedVolume(
            String name, DataFolder folder, DiskVolume disks, Attachments attachments) {
        this.name = name;
        this.folder = folder;
        this.disks = disks;
        this.jobs = new Jobs(folder.jobs(), this::resume);
        this.schedules =
                new Schedules(folder.schedules(), new ScheduledJobs(this), InstantSource.system());
        this.attachments = attachments;
    }

    /** The default volume of a folder that no service has. */
    public static ManagedVolume unserved(DataFolder folder, DiskVolume disks) {
        return unserved(VolumeName.DEFAULT, folder, folder, disks);
    }

    /**
     * One that no service has: its addresses are those that the service will have.
     *
     * @param service the folder of that
     */
    public static ManagedVolume unserved(
            String name, DataFolder folder, DataFolder service, DiskVolume disks) {
        NbdAddresses whenServed = new NbdAddresses(NameText.of(service.nbdSocket()), null);
        return new ManagedVolume(name, folder, disks, Attachments.none(whenServed));
    }

    /** Its job as clients see it: by a name that says in which volume it is. */
    JobView shown(JobView job) {
        String prefix = DiskAddress.prefix(name);
        return prefix.isEmpty()
                ? job
                : new JobView(
                        prefix + job.id(),
                        job.kind(),
                        job.subject(),
                        job.state(),
                        job.progress(),
                        job.createdAt(),
                        job.startedAt(),
                        job.endedAt(),
                        job.failure(),
                        job.result());
    }

    /** The folders at the bottom of its graph. */
    List<Path> bricks() {
        return disks.graph().volfile().volumes().stream()
                .filter(node -> node.type().equals("storage/posix"))
                .map(node -> NameText.path(String.valueOf(node.options().get("directory"))))
                .map(directory -> folder.path().resolve(directory).normalize())
                .toList();
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
        return attachments.addresses();
    }

    Attachments attachments() {
        return attachments;
    }

    /** A disk of this volume as it is called where all volumes meet. */
    String export(String disk) {
        return DiskAddress.prefix(name) + disk;
    }

    /** An operation on one volume, on this one. */
    @Override
    public <Q extends Record, R extends Record> R call(OperationType<Q, R> type, Q request) {
        if (Operations.of(type) instanceof Operation<Q, R> operation) {
            return operation.run(request, this);
        }
        throw new IllegalArgumentException("no operation on one volume: " + type.name());
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
