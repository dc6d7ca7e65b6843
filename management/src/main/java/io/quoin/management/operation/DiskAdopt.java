package io.quoin.management.operation;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.brick.posix.DurableFile;
import io.quoin.management.job.JobControl;
import io.quoin.management.job.JobView;
import io.quoin.management.volume.DiskImages;
import io.quoin.snapshot.DiskName;
import io.quoin.tools.ImageFormat;
import io.quoin.tools.ImageSession;
import io.quoin.tools.LocalImage;
import io.quoin.tools.MovableChain;
import io.quoin.xlator.NameText;
import io.quoin.xlator.OpenMode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code disk.adopt}: a job. Files get a second name in the volume, what an image stands on before
 * it, and lose their first one when all are disks; so a failure or a crash leaves every file where
 * it was, and at worst in the volume too.
 *
 * <p>Threading: immutable.
 */
public final class DiskAdopt implements JobOperation<DiskAdopt.Request, DiskAdopt.Result> {
    /** As clients see it. */
    public static final OperationType<Request, JobView> TYPE =
            OperationType.of(
                    "disk.adopt",
                    Kind.JOB,
                    "POST /v1/disks/{name}/adopt",
                    "Move a qcow2 file of the service's machine, with its backing files and"
                            + " snapshots, into the volume. On the control socket alone.",
                    Request.class,
                    JobView.class);

    private static final int SECTOR_BYTES = 512;
    private static final String SUFFIX = ".qcow2";

    /**
     * What is moved.
     *
     * @param name of the new disk
     * @param source absolute path of a qcow2 file
     */
    public record Request(@InVolume String name, @Local String source) {}

    /**
     * What was moved.
     *
     * @param name of the new disk
     * @param source as it was given
     * @param sizeBytes of the disk
     * @param disks that were made, what others stand on first
     */
    public record Result(String name, String source, long sizeBytes, List<String> disks) {}

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
        files(request, volume.disks().images());
    }

    /** Of each disk that is to be, what others stand on first. */
    private static Map<String, Path> files(Request request, DiskImages images) {
        ImageFiles.requireAbsolute(request.source());
        Path top = image(request).existing();
        Map<String, Path> files = new LinkedHashMap<>();
        for (Path file : MovableChain.of(top)) {
            String fileName = NameText.lastOf(file);
            String disk =
                    file.equals(top)
                            ? request.name()
                            : fileName.substring(0, fileName.length() - SUFFIX.length());
            images.requireAbsent(DiskName.check(disk));
            if (files.put(disk, file) != null) {
                throw new BlockException(
                        BlockError.EINVAL,
                        "disk would have the name of a file that it stands on: name=" + disk);
            }
        }
        return files;
    }

    private static LocalImage image(Request request) {
        return new LocalImage(NameText.path(request.source()), ImageFormat.QCOW2);
    }

    @Override
    public Result work(Request request, ManagedVolume volume, JobControl control) {
        DiskImages images = volume.disks().images();
        Map<String, Path> files = files(request, images);
        List<DiskImages.Unfinished> unnamed = new ArrayList<>();
        List<String> named = new ArrayList<>();
        long sizeBytes;
        try (ImageSession session = new ImageSession()) {
            // Open for writing, so that no other program has any of them until they are disks.
            sizeBytes = session.open(image(request), OpenMode.READ_WRITE).geometry().sizeBytes();
            requireSectors(request, sizeBytes);
            files.forEach((disk, file) -> unnamed.add(images.adopt(disk, file)));
            for (String disk : files.keySet()) {
                unnamed.get(0).publish();
                unnamed.remove(0);
                named.add(disk);
            }
        } catch (RuntimeException | Error e) {
            undo(volume, unnamed, named, e);
            throw e;
        }
        volume.disks().refreshNames();
        List<Path> old = new ArrayList<>(files.values());
        for (int i = old.size() - 1; i >= 0; i--) {
            DurableFile.remove(old.get(i));
        }
        return new Result(request.name(), request.source(), sizeBytes, List.copyOf(named));
    }

    private static void requireSectors(Request request, long sizeBytes) {
        if (sizeBytes % SECTOR_BYTES != 0) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "size is no multiple of "
                            + SECTOR_BYTES
                            + " bytes, import copies it: path="
                            + request.source()
                            + ", size="
                            + sizeBytes);
        }
    }

    /** Takes the second names away again, of an image before what it stands on. */
    private static void undo(
            ManagedVolume volume,
            List<DiskImages.Unfinished> unnamed,
            List<String> named,
            Throwable failure) {
        List<Runnable> steps = new ArrayList<>();
        unnamed.forEach(file -> steps.add(file::discard));
        for (int i = named.size() - 1; i >= 0; i--) {
            String disk = named.get(i);
            steps.add(() -> volume.disks().remove(disk));
        }
        for (Runnable step : steps) {
            try {
                step.run();
            } catch (BlockException e) {
                failure.addSuppressed(e);
            }
        }
    }
}
