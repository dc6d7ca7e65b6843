package io.quoin.qcow2.bitmap;

import io.quoin.xlator.XlatorFile;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * The persistent dirty bitmaps of an open image. Changes are made in memory and stored when the
 * image is closed, whose stage fails if that fails; after a crash a bitmap that was changed is
 * inconsistent, or as it was before.
 *
 * <p>Stages fail with a {@code BlockException}: ENOENT without such a bitmap, EEXIST for a name
 * that is taken, EPERM of an image that is open read-only, EINVAL for a bad name or granularity or
 * an inconsistent bitmap, ENOTSUP of a version 2 image, ENOSPC where bitmaps would take too much
 * memory.
 *
 * <p>Threading: confined(loop), the loop that the image was opened on; stages complete there.
 */
public interface BitmapControl {
    /** The granularity that {@link #add} chooses by the cluster size. */
    long GRANULARITY_DEFAULT = 0;

    /** The bitmaps of {@code file}, if that is an open image that can have some. */
    static Optional<BitmapControl> of(XlatorFile file) {
        return file.extension(BitmappedFile.class).map(BitmappedFile::bitmaps);
    }

    /**
     * All of them, in the order of the image. Fails where they could not be read when the image was
     * opened: none is not told for unknown.
     */
    CompletionStage<List<BitmapInfo>> list();

    /**
     * Whether there are bitmaps that {@link #list} does not tell, since a program that knows none
     * has changed the image after them, or a crash met a change of their directory.
     */
    boolean hasStale();

    /**
     * Ends well if bitmaps of these names and granularities can be made, all of them; fails as
     * {@link #add} would. Nothing is changed.
     */
    CompletionStage<Void> requireRoomFor(List<BitmapInfo> wanted);

    /**
     * Makes a bitmap without a mark.
     *
     * @param name 1 to 1023 bytes of UTF-8
     * @param granularityBytes a power of two from 512 to 2 GiB, or {@link #GRANULARITY_DEFAULT}
     * @param enabled whether it records changes
     */
    CompletionStage<Void> add(String name, long granularityBytes, boolean enabled);

    /** Removes a bitmap, also an inconsistent one. */
    CompletionStage<Void> remove(String name);

    /** Takes all marks away. */
    CompletionStage<Void> clear(String name);

    /** Has changes recorded from now on. */
    CompletionStage<Void> enable(String name);

    /** Has no changes recorded from now on. */
    CompletionStage<Void> disable(String name);

    /**
     * Marks in {@code target} what is marked in {@code sourceName} of {@code source}, which is this
     * or an image of the same size that is open on the same loop.
     */
    CompletionStage<Void> merge(String target, BitmapControl source, String sourceName);
}
