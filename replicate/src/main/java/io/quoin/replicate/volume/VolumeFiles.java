package io.quoin.replicate.volume;

import io.quoin.xlator.FileInfo;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.StorageSpace;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/**
 * The files of a volume by their ids, without names. An id is given once and never again.
 *
 * <p>Threading: thread-safe. Stages complete on any thread, those that give a file on its loop.
 */
public interface VolumeFiles {
    /**
     * Opens the file that holds the names; it comes into being, empty, with the volume. Fails with
     * EBUSY while another process has it. From then on this process alone changes the volume, until
     * another takes over, which ends this one's requests in EBADE.
     *
     * @param whenLost is told, on the loop, if every brick may have lost what was not flushed: the
     *     file fails what it is asked from then on, and opened anew has what was flushed
     */
    CompletionStage<XlatorFile> openCatalogue(Loop loop, Consumer<XlatorFile> whenLost);

    /** Makes a file that reads as zeros, durable when the stage completes. */
    CompletionStage<Void> create(UUID file, long sizeBytes);

    /**
     * Opens a file; the loop owns it from then on. Fails with ENOENT if there is none.
     *
     * @param fileName what it calls itself
     */
    CompletionStage<XlatorFile> open(UUID file, String fileName, OpenOptions options, Loop loop);

    /** Size and space of a file, open or not; ENOENT if there is none. */
    CompletionStage<FileInfo> stat(UUID file, String fileName);

    /** Deletes a file, which is not open, wherever it can be reached; done if there is none. */
    CompletionStage<Void> delete(UUID file);

    /** Every file but the catalogue, on whichever brick there is a part of it. */
    CompletionStage<List<UUID>> list();

    /** The space that a file can be written to. */
    CompletionStage<StorageSpace> space();

    /** Lets go of everything. Every file is closed before. */
    CompletionStage<Void> close();
}
