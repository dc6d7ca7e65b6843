package io.quoin.nbd.transmission;

import io.quoin.nbd.export.DirtyBitmap;
import io.quoin.nbd.export.Export;
import org.jspecify.annotations.Nullable;

/**
 * What a client and the server agreed on in the handshake.
 *
 * <p>Threading: immutable.
 *
 * @param export open for this connection, which closes it at its end
 * @param sizeBytes the size that the client was told; it stays for the connection
 * @param transmissionFlags the flags that the client was told
 * @param structuredReplies READ and BLOCK_STATUS are answered in chunks
 * @param baseAllocation the context {@code base:allocation} was selected
 * @param dirtyBitmap the dirty bitmap of the export, if that was selected
 */
public record Session(
        Export export,
        long sizeBytes,
        int transmissionFlags,
        boolean structuredReplies,
        boolean baseAllocation,
        @Nullable DirtyBitmap dirtyBitmap) {}
