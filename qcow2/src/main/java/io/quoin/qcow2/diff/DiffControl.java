package io.quoin.qcow2.diff;

import io.quoin.xlator.XlatorFile;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Compares an open image, or one of its snapshots, with another state of it.
 *
 * <p>Threading: confined(loop), the loop that the file was opened on; stages complete there.
 */
public interface DiffControl {
    /** The comparisons of {@code file}, if that is an open image or snapshot. */
    static Optional<DiffControl> of(XlatorFile file) {
        return file.extension(DiffedFile.class).map(DiffedFile::diffs);
    }

    /**
     * Tells {@code consumer} what may differ, as {@link StateDiff#diff} does. Both files must stay
     * open until the stage is complete. Fails with a {@code BlockException}: EINVAL for files of
     * two images, EBUSY of one that is open for writing, since its mapping changes, EIO for a
     * mapping that cannot be read.
     *
     * @param older open on the same loop; null: tell all that is mapped
     * @param startBytes where to begin: an extent that was told may end there
     * @param endBytes where to end at the latest
     * @param consumer says whether it wants more; called on a thread of the comparison
     */
    CompletionStage<Void> since(
            @Nullable XlatorFile older,
            long startBytes,
            long endBytes,
            Predicate<DiffExtent> consumer);
}
