package io.quoin.management.operation;

import io.quoin.backup.BackupEvents;
import io.quoin.backup.stream.DiffExport;
import io.quoin.management.backup.DiffStreams;
import io.quoin.management.backup.VolumeDisk;
import io.quoin.management.job.JobControl;
import io.quoin.management.job.JobView;
import io.quoin.snapshot.SnapshotName;
import io.quoin.xlator.NameText;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * {@code backup.export}: a job. A file has its name when it is whole and durable.
 *
 * <p>Threading: immutable.
 */
public final class BackupExport implements JobOperation<BackupExport.Request, BackupExport.Result> {
    /** As clients see it. */
    public static final OperationType<Request, JobView> TYPE =
            OperationType.of(
                    "backup.export",
                    Kind.JOB,
                    "POST /v1/disks/{name}/export-diff",
                    "Write what differs between two snapshots of a disk, or all of one, as a stream"
                            + " for a disk of another volume. On the control socket alone.",
                    Request.class,
                    JobView.class);

    /**
     * What is written where.
     *
     * @param name of the disk
     * @param from name of the older snapshot; left out, all of the newer one is written
     * @param to name of the newer snapshot
     * @param stream absolute path of the file, or of a unix socket that the client listens on
     * @param force whether a file that is there is replaced; left out, no
     */
    public record Request(
            @InVolume String name,
            @Nullable String from,
            String to,
            @Local String stream,
            @Nullable Boolean force) {}

    /**
     * What was written.
     *
     * @param name of the disk
     * @param from name of the older snapshot; null: none
     * @param to name of the newer one
     * @param toUuid of that
     * @param sizeBytes of the disk
     * @param dataBytes of the disk that are in the stream
     * @param zeroBytes of the disk that have become zeros
     * @param streamBytes length of the stream
     */
    public record Result(
            String name,
            @Nullable String from,
            String to,
            String toUuid,
            long sizeBytes,
            long dataBytes,
            long zeroBytes,
            long streamBytes) {}

    @Override
    public OperationType<Request, JobView> type() {
        return TYPE;
    }

    @Override
    public String subject(Request request) {
        return request.name() + '@' + request.to();
    }

    @Override
    public String unit() {
        return BackupJob.UNIT;
    }

    @Override
    public void check(Request request, ManagedVolume volume) {
        ImageFiles.requireAbsolute(request.stream());
        DiffStreams.requireWritable(NameText.path(request.stream()), isReplacing(request));
        name(request, request.from(), volume);
        name(request, request.to(), volume);
    }

    /** Of a snapshot that is given by its name or its id; null for none. */
    private static @Nullable String name(
            Request request, @Nullable String snapshot, ManagedVolume volume) {
        return snapshot == null
                ? null
                : volume.disks()
                        .snapshots()
                        .info(new SnapshotName(request.name(), snapshot))
                        .name();
    }

    private static boolean isReplacing(Request request) {
        return Boolean.TRUE.equals(request.force());
    }

    @Override
    public Result work(Request request, ManagedVolume volume, JobControl control) {
        BackupEvents events = new BackupJob(control);
        Path stream = NameText.path(request.stream());
        String from = name(request, request.from(), volume);
        String to = String.valueOf(name(request, request.to(), volume));
        DiffExport.Result written =
                DiffStreams.write(
                        stream,
                        isReplacing(request),
                        events,
                        out ->
                                DiffExport.write(
                                        VolumeDisk.of(volume.disks(), request.name()),
                                        from,
                                        to,
                                        out,
                                        request.stream(),
                                        events));
        return new Result(
                request.name(),
                from,
                to,
                written.header().to().uuid().toString(),
                written.header().sizeBytes(),
                written.dataBytes(),
                written.zeroBytes(),
                written.streamBytes());
    }
}
