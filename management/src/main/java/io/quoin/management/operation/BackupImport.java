package io.quoin.management.operation;

import io.quoin.backup.BackupEvents;
import io.quoin.backup.stream.DiffApply;
import io.quoin.backup.stream.DiffHeader;
import io.quoin.backup.stream.DiffStreamReader;
import io.quoin.management.backup.DiffImport;
import io.quoin.management.backup.DiffStreams;
import io.quoin.management.job.JobControl;
import io.quoin.management.job.JobView;
import io.quoin.snapshot.DiskName;
import io.quoin.xlator.NameText;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * {@code backup.import}: a job. One that is interrupted goes on when the stream is given again.
 *
 * <p>Threading: immutable.
 */
public final class BackupImport implements JobOperation<BackupImport.Request, BackupImport.Result> {
    /** As clients see it. */
    public static final OperationType<Request, JobView> TYPE =
            OperationType.of(
                    "backup.import",
                    Kind.JOB,
                    "POST /v1/disks/{name}/import-diff",
                    "Apply a stream of differences to a disk that is at its older snapshot, and make"
                            + " the newer one there. On the control socket alone.",
                    Request.class,
                    JobView.class);

    /**
     * What is read.
     *
     * @param name of the disk; a new one for a stream of a whole disk
     * @param stream absolute path of the file, or of a unix socket that the client listens on
     */
    public record Request(@InVolume String name, @Local String stream) {}

    /**
     * What was done.
     *
     * @param name of the disk
     * @param from name of the older snapshot where the stream was made; null: none
     * @param snapshot the newer one
     * @param uuid of that, here and there
     * @param sizeBytes of the disk
     * @param writtenBytes of the disk
     * @param keptBytes of the disk that an earlier try had written
     * @param already whether the disk had the snapshot before
     */
    public record Result(
            String name,
            @Nullable String from,
            String snapshot,
            String uuid,
            long sizeBytes,
            long writtenBytes,
            long keptBytes,
            boolean already) {}

    @Override
    public OperationType<Request, JobView> type() {
        return TYPE;
    }

    @Override
    public String subject(Request request) {
        return request.name();
    }

    @Override
    public String unit() {
        return BackupJob.UNIT;
    }

    @Override
    public void check(Request request, ManagedVolume volume) {
        DiskName.check(request.name());
        ImageFiles.requireAbsolute(request.stream());
        DiffStreams.requireReadable(NameText.path(request.stream()));
    }

    @Override
    public Result work(Request request, ManagedVolume volume, JobControl control) {
        BackupEvents events = new BackupJob(control);
        Path stream = NameText.path(request.stream());
        if (DiffStreams.isFile(stream)) {
            verify(stream, request, events);
        }
        DiffImport.Outcome done =
                DiffStreams.read(
                        stream,
                        events,
                        in ->
                                new DiffImport(volume.disks(), volume.folder().imports(), events)
                                        .run(
                                                new DiffStreamReader(in, request.stream()),
                                                request.name()));
        DiffApply.Result applied = done.applied();
        DiffHeader header = done.header();
        DiffHeader.Point from = header.from();
        return new Result(
                request.name(),
                from == null ? null : from.name(),
                header.to().name(),
                header.to().uuid().toString(),
                header.sizeBytes(),
                applied == null ? 0 : applied.writtenBytes(),
                applied == null ? 0 : applied.keptBytes(),
                applied == null);
    }

    /** What can be read twice is refused before anything is written, if it is damaged. */
    private static void verify(Path stream, Request request, BackupEvents events) {
        events.message("verifying " + request.stream());
        boolean unused =
                DiffStreams.read(
                        stream,
                        events,
                        in -> {
                            new DiffStreamReader(in, request.stream()).verify(events);
                            return true;
                        });
    }
}
