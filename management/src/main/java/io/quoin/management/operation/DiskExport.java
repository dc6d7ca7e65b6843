package io.quoin.management.operation;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.job.JobControl;
import io.quoin.management.job.JobView;
import io.quoin.management.volume.DiskImages;
import io.quoin.snapshot.SnapshotName;
import io.quoin.tools.Convert;
import io.quoin.tools.ConvertOptions;
import io.quoin.tools.ConvertResult;
import io.quoin.tools.ImageFormat;
import io.quoin.tools.ImageSession;
import io.quoin.tools.LocalImage;
import io.quoin.tools.OpenedImage;
import io.quoin.xlator.NameText;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import org.jspecify.annotations.Nullable;

/**
 * {@code disk.export}: a job. The file is written under another name and takes its own when it is
 * whole and durable.
 *
 * <p>Threading: immutable.
 */
public final class DiskExport implements JobOperation<DiskExport.Request, DiskExport.Result> {
    /** As clients see it. */
    public static final OperationType<Request, JobView> TYPE =
            OperationType.of(
                    "disk.export",
                    Kind.JOB,
                    "POST /v1/disks/{name}/export",
                    "Copy a disk that nothing writes, or a snapshot, into a file of the service's"
                            + " machine that stands on nothing. On the control socket alone.",
                    Request.class,
                    JobView.class);

    /**
     * What is copied where.
     *
     * @param name of the disk, or DISK@SNAPSHOT
     * @param file absolute path of the file
     * @param format qcow2 or raw; left out, by the suffix of the file
     * @param compress whether the clusters of a qcow2 file are compressed; left out, no
     * @param force whether a file that is there is replaced; left out, no
     */
    public record Request(
            @InVolume String name,
            @Local String file,
            @Nullable String format,
            @Nullable Boolean compress,
            @Nullable Boolean force) {}

    /**
     * What was made.
     *
     * @param name as it was given
     * @param file as it was given
     * @param format of the file
     * @param sizeBytes what a guest sees
     * @param storedBytes how much of it was written, before compression
     */
    public record Result(
            String name, String file, String format, long sizeBytes, long storedBytes) {}

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
        return CopyProgress.UNIT;
    }

    @Override
    public boolean isPausable() {
        return false;
    }

    @Override
    public void check(Request request, ManagedVolume volume) {
        LocalImage target = target(request);
        if (isCompressed(request) && target.format() == ImageFormat.RAW) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "raw images cannot be compressed: target="
                            + target.text()
                            + ", expected=qcow2");
        }
        if (!isReplacing(request) && Files.exists(target.path(), LinkOption.NOFOLLOW_LINKS)) {
            throw new BlockException(
                    BlockError.EEXIST,
                    "file exists already, and is not replaced without force: path="
                            + target.text());
        }
        if (SnapshotName.isOne(request.name())) {
            volume.disks().snapshots().info(SnapshotName.of(request.name()));
        } else {
            volume.disks().images().requireStill(request.name());
        }
    }

    private static LocalImage target(Request request) {
        ImageFiles.requireAbsolute(request.file());
        return new LocalImage(
                NameText.path(request.file()),
                ImageFormat.choose(ImageFiles.format(request.format()), request.file()));
    }

    private static boolean isCompressed(Request request) {
        return Boolean.TRUE.equals(request.compress());
    }

    private static boolean isReplacing(Request request) {
        return Boolean.TRUE.equals(request.force());
    }

    @Override
    public Result work(Request request, ManagedVolume volume, JobControl control) {
        LocalImage target = target(request);
        ConvertOptions options =
                isCompressed(request)
                        ? ConvertOptions.defaults().withCompression()
                        : ConvertOptions.defaults();
        try (ImageSession session = new ImageSession()) {
            DiskImages.Opened disk = volume.disks().images().openStill(request.name());
            OpenedImage source = session.take(request.name(), disk.file(), disk.loop());
            ConvertResult result =
                    new Convert(session, options, new CopyProgress(control))
                            .run(source, target, isReplacing(request));
            return new Result(
                    request.name(),
                    request.file(),
                    target.format().text(),
                    result.sizeBytes(),
                    result.storedBytes());
        }
    }
}
