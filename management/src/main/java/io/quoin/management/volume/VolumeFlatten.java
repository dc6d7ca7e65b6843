package io.quoin.management.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.flatten.FlattenControl;
import io.quoin.qcow2.flatten.FlattenProgress;
import io.quoin.xlator.Stages;
import io.quoin.xlator.XlatorFile;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Makes disks independent of what they stand on, attached or not.
 *
 * <p>Threading: thread-safe.
 */
public final class VolumeFlatten {
    private final OpenDisks disks;

    VolumeFlatten(OpenDisks disks) {
        this.disks = disks;
    }

    /**
     * What was done.
     *
     * @param parent the disk, or snapshot of one, that it stood on; null: it stood on none
     * @param copiedBytes that it has got of its own
     */
    public record Flattened(@Nullable String parent, long copiedBytes) {}

    /**
     * Copies what a disk reads from the one that it stands on, and lets go of that. Guests go on.
     * What was copied stays when it ends early, and is not copied again.
     *
     * @param events {@code betweenPieces} is called on the caller's thread
     * @throws BlockException as {@link FlattenControl} fails; EROFS of a disk that others stand on,
     *     ESHUTDOWN if it was to end early
     */
    public Flattened run(String name, CheckEvents events) {
        AttachedDisk disk = Stages.awaitTheEnd(disks.attach(name));
        try {
            String why = disk.whyReadOnly();
            if (why != null) {
                throw new BlockException(
                        BlockError.EROFS, "disk is read-only: name=" + name + ", reason=" + why);
            }
            return run(disk, events);
        } finally {
            Stages.await(disk.close());
        }
    }

    private static Flattened run(AttachedDisk disk, CheckEvents events) {
        String parent =
                call(
                        disk,
                        control -> CompletableFuture.completedFuture(control.parent().orElse("")));
        if (parent.isEmpty()) {
            return new Flattened(null, 0);
        }
        call(disk, FlattenControl::begin);
        try {
            while (true) {
                FlattenProgress now = call(disk, FlattenControl::advance);
                boolean goesOn = events.progress(now.doneBytes(), now.totalBytes());
                if (now.flat()) {
                    return new Flattened(diskOf(parent), now.copiedBytes());
                }
                if (!goesOn) {
                    throw new BlockException(
                            BlockError.ESHUTDOWN,
                            "flatten was stopped; what is copied stays, and it can be begun again:"
                                    + " name="
                                    + disk.name());
                }
                events.betweenPieces();
            }
        } finally {
            disk.loop().execute(() -> control(disk.file(), disk.name()).end());
        }
    }

    /** A file's name as a disk's, or as a snapshot's of one. */
    private static String diskOf(String fileName) {
        return fileName.replaceFirst("\\.(qcow2|raw)(?=@|$)", "");
    }

    private static <T> T call(
            AttachedDisk disk, Function<FlattenControl, CompletionStage<T>> work) {
        return Stages.awaitTheEnd(
                CompletableFuture.supplyAsync(
                                () -> work.apply(control(disk.file(), disk.name())), disk.loop())
                        .thenCompose(Function.identity()));
    }

    private static FlattenControl control(XlatorFile file, String disk) {
        return FlattenControl.of(file)
                .orElseThrow(
                        () ->
                                new BlockException(
                                        BlockError.ENOTSUP,
                                        "disk cannot stand on another, as its image is not qcow2:"
                                                + " name="
                                                + disk));
    }
}
