package io.quoin.management.operation;

import io.quoin.block.BlockException;
import io.quoin.management.job.JobControl;
import io.quoin.management.job.JobView;
import io.quoin.management.volume.DiskImages;
import io.quoin.tools.Convert;
import io.quoin.tools.ConvertOptions;
import io.quoin.tools.ConvertResult;
import io.quoin.tools.ImageLocation;
import io.quoin.tools.ImageSession;
import io.quoin.tools.LocalImage;
import io.quoin.tools.OpenedImage;
import io.quoin.xlator.OpenMode;
import org.jspecify.annotations.Nullable;

/**
 * {@code disk.import}: a job. The disk has its name when it is whole and durable, and is in no list
 * before.
 *
 * <p>Threading: immutable.
 */
public final class DiskImport implements JobOperation<DiskImport.Request, DiskImport.Result> {
    /** As clients see it. */
    public static final OperationType<Request, JobView> TYPE =
            OperationType.of(
                    "disk.import",
                    Kind.JOB,
                    "POST /v1/disks/{name}/import",
                    "Make a disk that is a copy of an image file of the service's machine, or of an"
                            + " NBD export. On the control socket alone.",
                    Request.class,
                    JobView.class);

    private static final long SECTOR_BYTES = 512;

    /**
     * What is copied.
     *
     * @param name of the new disk
     * @param source absolute path of a file, or an nbd:// or nbd+unix:// address
     * @param format of a file, qcow2 or raw; left out, by its suffix
     */
    public record Request(@InVolume String name, @Local String source, @Nullable String format) {}

    /**
     * What was made.
     *
     * @param name of the new disk
     * @param source as it was given
     * @param sizeBytes of the disk
     * @param storedBytes how much of it was written
     */
    public record Result(String name, String source, long sizeBytes, long storedBytes) {}

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
        if (source(request) instanceof LocalImage file) {
            file.existing();
        }
        volume.disks().images().requireAbsent(request.name());
    }

    private static ImageLocation source(Request request) {
        ImageLocation source =
                ImageLocation.of(request.source(), ImageFiles.format(request.format()), "--format");
        if (source instanceof LocalImage) {
            ImageFiles.requireAbsolute(request.source());
        }
        return source;
    }

    @Override
    public Result work(Request request, ManagedVolume volume, JobControl control) {
        ConvertResult copied;
        long sizeBytes;
        DiskImages.Unfinished disk = null;
        boolean published = false;
        try {
            try (ImageSession session = new ImageSession()) {
                OpenedImage source = session.open(source(request), OpenMode.READ_ONLY);
                long sourceBytes = source.geometry().sizeBytes();
                sizeBytes = (sourceBytes + SECTOR_BYTES - 1) / SECTOR_BYTES * SECTOR_BYTES;
                disk = volume.disks().images().make(request.name(), sizeBytes);
                DiskImages.Opened opened = disk.open();
                OpenedImage target = session.take(request.name(), opened.file(), opened.loop());
                copied =
                        new Convert(session, ConvertOptions.defaults(), new CopyProgress(control))
                                .run(source, target);
            }
            disk.publish();
            published = true;
        } catch (RuntimeException | Error e) {
            if (disk != null && !published) {
                discard(disk, e);
            }
            throw e;
        }
        volume.disks().refreshNames();
        return new Result(request.name(), request.source(), sizeBytes, copied.storedBytes());
    }

    private static void discard(DiskImages.Unfinished disk, Throwable failure) {
        try {
            disk.discard();
        } catch (BlockException e) {
            failure.addSuppressed(e);
        }
    }
}
