package io.quoin.management.operation;

import io.quoin.management.job.JobControl;
import io.quoin.management.job.JobView;
import io.quoin.management.volume.SnapshotView;
import io.quoin.snapshot.SnapshotName;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * {@code snapshot.create}: a job.
 *
 * <p>Threading: immutable.
 */
public final class SnapshotCreate implements JobOperation<SnapshotCreate.Request, SnapshotView> {
    /** As clients see it. */
    public static final OperationType<Request, JobView> TYPE =
            OperationType.of(
                    "snapshot.create",
                    Kind.JOB,
                    "POST /v1/disks/{name}/snapshots",
                    "Make a snapshot of a disk while guests use it.",
                    Request.class,
                    JobView.class);

    private static final DateTimeFormatter BY_TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HHmmss'Z'", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);

    /**
     * What is made.
     *
     * @param name of the disk
     * @param snapshot name of the new snapshot; left out, by date and time
     */
    public record Request(@InVolume String name, @Nullable String snapshot) {}

    /** The name of a snapshot that is given none, as in 2026-12-31T235959Z. */
    public static String nameAt(Instant time) {
        return BY_TIME.format(time);
    }

    @Override
    public OperationType<Request, JobView> type() {
        return TYPE;
    }

    @Override
    public String subject(Request request) {
        return request.snapshot() == null
                ? request.name()
                : request.name() + '@' + request.snapshot();
    }

    @Override
    public String unit() {
        return SnapshotJob.UNIT;
    }

    @Override
    public boolean isPausable() {
        return false;
    }

    @Override
    public void check(Request request, ManagedVolume volume) {
        BackupSnapshots.requireUnreserved(name(request).snapshot());
    }

    private static SnapshotName name(Request request) {
        String given = request.snapshot();
        return new SnapshotName(request.name(), given == null ? nameAt(Instant.now()) : given);
    }

    @Override
    public SnapshotView work(Request request, ManagedVolume volume, JobControl control) {
        SnapshotView made =
                volume.disks().snapshots().create(name(request), new SnapshotJob(control));
        volume.disks().refreshNames();
        return made;
    }
}
