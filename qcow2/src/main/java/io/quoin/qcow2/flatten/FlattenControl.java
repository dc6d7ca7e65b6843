package io.quoin.qcow2.flatten;

import io.quoin.xlator.XlatorFile;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * Makes an open image independent of its backing file: copies what it reads from there, and then
 * takes the name out of its header. Guests go on meanwhile, and read what they read before. A crash
 * leaves an image that stands on its backing file as before, or one without, with the same content.
 *
 * <pre>
 *  begin -> advance, until it says flat -> end;   end may come at any time: what is copied stays
 * </pre>
 *
 * <p>Stages fail with a {@code BlockException}: EINVAL of an image without backing file, ENOTSUP of
 * one with internal snapshots, which would still read the backing file, EBUSY while it is flattened
 * already, EPERM of one that is open read-only, ENOSPC on a full disk, EIO.
 *
 * <p>Threading: confined(loop), the loop that the image was opened on; stages complete there.
 */
public interface FlattenControl {
    /** The flattening of {@code file}, if that is an open image. */
    static Optional<FlattenControl> of(XlatorFile file) {
        return file.extension(FlattenedFile.class).map(FlattenedFile::flatten);
    }

    /** The name of the backing file; empty: there is none. */
    Optional<String> parent();

    /** Begins from the start of the disk. Until {@link #end} the image takes no snapshot. */
    CompletionStage<Void> begin();

    /**
     * Goes on for some megabytes, at most some seconds. Where the end of the backing file is
     * reached, the image is flat when the stage completes, and the backing file is closed.
     */
    CompletionStage<FlattenProgress> advance();

    /** Ends it, between two calls of {@link #advance}. */
    void end();
}
