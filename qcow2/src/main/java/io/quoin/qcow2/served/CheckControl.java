package io.quoin.qcow2.served;

import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.info.SpaceUsage;
import io.quoin.xlator.XlatorFile;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * Checks an open image while it is being read and written. What is found was on disk at one moment
 * soon after the call; docs/adr/0011 says why nothing of it is owed to what changes meanwhile.
 * Nothing waits for the check but clusters of metadata that would become free.
 *
 * <p>Findings are reported and nothing else: the image goes on as it is. What corrupt metadata the
 * data path meets ends in the way it always does.
 *
 * <p>Threading: confined(loop), the loop that the image was opened on; the stage completes there.
 */
public interface CheckControl {
    /** The checks of {@code file}, if that is an open image. */
    static Optional<CheckControl> of(XlatorFile file) {
        return file.extension(CheckedFile.class).map(CheckedFile::checks);
    }

    /**
     * Checks once. Fails with a {@code BlockException}: EBUSY while another check is running,
     * ESHUTDOWN if it was stopped, EOVERFLOW where more metadata changed than could be kept, ENOMEM
     * where the image has more clusters than there is memory for, EIO where it cannot be read.
     *
     * @param repairLeaks whether clusters are given back that are counted and that nothing refers
     *     to; with any corruption none is. EPERM of an image that is not writable
     * @param listener told on a thread of the check; a slow one makes the check slow
     */
    CompletionStage<OpenCheck> check(boolean repairLeaks, CheckListener listener);

    /**
     * Tells what the disk and its snapshots take of the image, at one moment soon after the call.
     * It waits for checks under way, of other images too. Fails as {@link #check} does.
     *
     * @param listener told of progress, on a thread of the count
     */
    CompletionStage<SpaceUsage> usage(CheckListener listener);

    /** Has what is running end soon with ESHUTDOWN and this message. */
    void stop(String reason);
}
