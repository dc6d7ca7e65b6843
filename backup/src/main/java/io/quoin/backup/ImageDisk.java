package io.quoin.backup;

import io.quoin.block.disk.Disk;
import io.quoin.block.ring.DiskRing;
import io.quoin.block.ring.RingOptions;
import io.quoin.tools.ImageFormat;
import io.quoin.tools.ImageSession;
import io.quoin.tools.LocalImage;
import io.quoin.tools.OpenedImage;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.OpenMode;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A qcow2 file of a repository that is open as a disk, with threads of its own.
 *
 * <p>Threading: confined to its thread.
 */
final class ImageDisk implements AutoCloseable {
    private final ImageSession session;
    private final Disk disk;

    private ImageDisk(ImageSession session, Disk disk) {
        this.session = session;
        this.disk = disk;
    }

    /** Opens the last link of a chain to be read. */
    static ImageDisk open(Path file) {
        return opened(session -> session.open(image(file), OpenMode.READ_ONLY));
    }

    /**
     * Makes a file and opens it to be written.
     *
     * @param parent name of the file that it stands on, in the same folder; null: none
     */
    static ImageDisk create(Path file, long sizeBytes, @Nullable String parent) {
        Map<String, String> options = new HashMap<>();
        options.put("cluster_size", String.valueOf(BlockCopy.UNIT_BYTES));
        if (parent != null) {
            options.put("backing_file", parent);
            options.put("backing_fmt", "qcow2");
        }
        return opened(
                session -> {
                    session.create(image(file), new CreateOptions(sizeBytes, options));
                    return session.open(image(file), OpenMode.READ_WRITE);
                });
    }

    private static LocalImage image(Path file) {
        return new LocalImage(file, ImageFormat.QCOW2);
    }

    /** What opens the image in a session. */
    private interface Opening {
        OpenedImage in(ImageSession session);
    }

    private static ImageDisk opened(Opening opening) {
        ImageSession session = new ImageSession();
        try {
            OpenedImage image = opening.in(session);
            DiskRing ring =
                    image.call(
                            file ->
                                    CompletableFuture.completedFuture(
                                            DiskRing.create(
                                                    file,
                                                    image.loop(),
                                                    image.loop()::inLoop,
                                                    image.loop().requests(),
                                                    RingOptions.defaults())));
            String name = image.location().text();
            return new ImageDisk(session, Disk.over(name, ring, () -> close(image, ring)));
        } catch (RuntimeException | Error e) {
            try {
                session.close();
            } catch (RuntimeException closing) {
                e.addSuppressed(closing);
            }
            throw e;
        }
    }

    private static CompletionStage<Void> close(OpenedImage image, DiskRing ring) {
        CompletableFuture<Void> closed = new CompletableFuture<>();
        image.loop()
                .execute(
                        () -> {
                            CompletionStage<Void> unused =
                                    ring.close()
                                            .whenComplete(
                                                    (none, failure) -> {
                                                        if (failure == null) {
                                                            closed.complete(null);
                                                        } else {
                                                            closed.completeExceptionally(failure);
                                                        }
                                                    });
                        });
        return closed;
    }

    Disk disk() {
        return disk;
    }

    /**
     * What was written is in the file.
     *
     * @throws io.quoin.block.BlockException if it may not be
     */
    @Override
    public void close() {
        try (session) {
            disk.close();
        }
    }
}
