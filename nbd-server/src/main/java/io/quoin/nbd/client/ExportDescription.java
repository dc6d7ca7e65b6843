package io.quoin.nbd.client;

import io.quoin.nbd.protocol.TransmissionFlags;

/**
 * What the negotiation ended with.
 *
 * <p>Threading: immutable.
 *
 * @param sizeBytes of the export
 * @param flags {@link TransmissionFlags}
 * @param isStructured whether READ and BLOCK_STATUS are answered in chunks
 * @param allocationId the id of base:allocation, or {@link #NO_CONTEXT}
 * @param blockSizeMin what requests are multiples of
 * @param blockSizePreferred what is served best
 * @param payloadBytesMax the largest READ or WRITE
 */
record ExportDescription(
        long sizeBytes,
        int flags,
        boolean isStructured,
        long allocationId,
        int blockSizeMin,
        int blockSizePreferred,
        int payloadBytesMax) {
    /** No id, which are numbers of 32 bits without a sign. */
    static final long NO_CONTEXT = -1;

    boolean has(int flag) {
        return (flags & flag) != 0;
    }

    boolean isReadOnly() {
        return has(TransmissionFlags.READ_ONLY);
    }
}
