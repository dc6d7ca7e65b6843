package io.quoin.qcow2.catalogue;

import io.quoin.xlator.FileInfo;
import org.jspecify.annotations.Nullable;

/**
 * What is remembered of an image, and how long it holds: while the file is what it was, or while
 * this process keeps all others from changing it.
 *
 * @param header as it was read last
 * @param fileId of the file when it was listed
 * @param changeStamp of the file when it was listed, before it was read; 0: it says nothing
 * @param hold the number of the hold under which it was read; 0: none
 * @param failure why it could not be read, then the header is that of before; or null
 *     <p>Threading: immutable.
 */
record Entry(
        ImageHeader header, long fileId, long changeStamp, long hold, @Nullable String failure) {
    static Entry read(ImageHeader header, FileInfo file, long hold) {
        return new Entry(header, file.fileId(), file.changeStamp(), hold, null);
    }

    /** One that is read again each time. */
    static Entry unreadable(@Nullable Entry before, FileInfo file, String failure) {
        ImageHeader kept = before == null ? ImageHeader.UNKNOWN : before.header();
        return new Entry(kept, file.fileId(), 0, 0, failure);
    }

    /**
     * Whether it is what the file of its name says.
     *
     * @param holdNow the number of the hold on that file; 0: none
     */
    boolean isOf(FileInfo file, long holdNow) {
        boolean isHeldSince = hold != 0 && hold == holdNow;
        boolean isUnchanged = changeStamp != 0 && changeStamp == file.changeStamp();
        return fileId == file.fileId() && (isHeldSince || isUnchanged);
    }

    /** The virtual size to be listed; 0 where there is none. */
    long listedBytes() {
        return failure == null ? header.sizeBytes() : 0;
    }

    /** Whether the same images stand on the same files by it. */
    boolean tellsTheSameAs(@Nullable Entry other) {
        return other != null
                && header.references().equals(other.header.references())
                && (failure == null) == (other.failure == null);
    }
}
