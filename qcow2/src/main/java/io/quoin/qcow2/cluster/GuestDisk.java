package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoFlags;
import io.quoin.block.IoRequest;
import io.quoin.block.IoRequestPool;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.xlator.XlatorFile;
import org.agrona.UnsafeApi;
import org.jspecify.annotations.Nullable;

/**
 * The disk that the guest sees, apart from what is where: its size, the files that have its bytes,
 * and what an unallocated cluster reads as.
 *
 * <p>Threading: confined(loop).
 */
final class GuestDisk {
    /** The file that has the guest's data: the image's own, or an external one. */
    final XlatorFile data;

    /** Whether the data are in a file of their own, at the guest's offsets. */
    final boolean isExternal;

    /** Whether the data file alone must read as the guest does. */
    final boolean isRaw;

    /** What unallocated clusters read as; null: zeros. */
    @Nullable XlatorFile backing;

    /** The largest child request. */
    final int transferBytesMax;

    private final ImageIo io;
    private final int version;
    private final IoRequestPool pool;
    private final IoCompletion whenBackingRead = this::onBackingRead;
    private boolean otherBackingExpected;
    private boolean zerosAllocated;
    private long sizeBytes;

    GuestDisk(ImageIo io, Qcow2Header header, @Nullable XlatorFile backing) {
        this.io = io;
        this.data = io.data();
        this.isExternal = header.hasExternalDataFile();
        this.isRaw = header.isRawExternalData();
        this.backing = backing;
        this.version = header.version();
        this.pool = io.loop().requests();
        this.sizeBytes = header.sizeBytes();
        int own =
                Math.min(
                        io.file().geometry().transferBytesMax(),
                        data.geometry().transferBytesMax());
        this.transferBytesMax =
                backing == null ? own : Math.min(own, backing.geometry().transferBytesMax());
    }

    /** The virtual size. */
    long sizeBytes() {
        return sizeBytes;
    }

    void sizeBytes(long newSizeBytes) {
        sizeBytes = newSizeBytes;
    }

    /** Whether an unallocated cluster at {@code guestOffset} reads as zeros. */
    boolean isBehindBacking(long guestOffset) {
        XlatorFile file = backing;
        return file == null || guestOffset >= file.geometry().sizeBytes();
    }

    /** Whether zeros need nothing of the image's own where nothing is allocated. */
    boolean isZeroUnallocated(long guestOffset) {
        return !otherBackingExpected && isBehindBacking(guestOffset);
    }

    /** Version 2 has no zero flag: above a backing file zeros have to be written. */
    boolean needsZeroData() {
        return version < 3 && (backing != null || otherBackingExpected);
    }

    /** From now on nothing lies behind: each cluster reads as it did, from the image alone. */
    void leaveBacking() {
        backing = null;
    }

    /** Zeros are stored also where nothing lies behind: something else will, once it is closed. */
    void expectOtherBacking() {
        otherBackingExpected = true;
    }

    /** Whether WRITE_ZEROES allocates every cluster, and makes its zeros there. */
    boolean areZerosAllocated() {
        return zerosAllocated;
    }

    /** Zeros are allocated: they keep the places of the data that will come. */
    void allocateZeros() {
        zerosAllocated = true;
    }

    /** Bytes of the backing file from {@code guestOffset} on, up to {@code lengthBytes}. */
    long backedBytes(long guestOffset, long lengthBytes) {
        XlatorFile file = backing;
        return file == null
                ? 0
                : Math.max(0, Math.min(lengthBytes, file.geometry().sizeBytes() - guestOffset));
    }

    /** Reads from the backing file; zeros behind its end. */
    void readBacking(long guestOffset, long address, int lengthBytes, Outcome outcome) {
        int backed = (int) backedBytes(guestOffset, lengthBytes);
        XlatorFile file = backing;
        if (backed < lengthBytes) {
            UnsafeApi.setMemory(address + backed, lengthBytes - backed, (byte) 0);
        }
        if (backed == 0 || file == null) {
            outcome.done(BlockError.OK);
            return;
        }
        IoRequest request = pool.acquire().read(guestOffset, backed, IoFlags.NONE);
        request.memory().add(address, backed);
        request.attachment(outcome);
        request.push(whenBackingRead);
        file.submit(request);
    }

    private void onBackingRead(IoRequest request, BlockError error) {
        Outcome outcome = (Outcome) request.attachment();
        pool.release(request);
        if (outcome != null) {
            outcome.done(error);
        }
    }

    /**
     * Makes an external data file as long as the image is going to be. What a raw one has behind
     * the old end becomes visible and must read as zeros.
     */
    void growData(long newSizeBytes, Outcome outcome) {
        long behind = Math.min(newSizeBytes, io.dataSizeBytes()) - sizeBytes;
        Outcome zeroed = outcome.ifOk(() -> lengthenData(newSizeBytes, outcome));
        if (isRaw && behind > 0) {
            io.zeroData(sizeBytes, behind, zeroed);
        } else {
            zeroed.done(BlockError.OK);
        }
    }

    private void lengthenData(long newSizeBytes, Outcome outcome) {
        if (isExternal && !io.dataReaches(newSizeBytes)) {
            io.resizeData(newSizeBytes, outcome);
        } else {
            outcome.done(BlockError.OK);
        }
    }

    /** Cuts an external data file off behind the new end, where the volume can do that. */
    void shortenData(long newSizeBytes, Outcome outcome) {
        if (isExternal && io.dataSizeBytes() > newSizeBytes) {
            io.shortenData(
                    newSizeBytes,
                    error -> outcome.done(error == BlockError.ENOTSUP ? BlockError.OK : error));
        } else {
            outcome.done(BlockError.OK);
        }
    }
}
