package io.quoin.qcow2.catalogue;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.layout.HeaderReferences;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.layout.SnapshotEntry;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the header of an image says, and the snapshot table that it leads to.
 *
 * @param references the files that it names, also where it breaks a rule
 * @param sizeBytes the virtual size; 0 where it breaks one
 * @param hasSnapshots whether there are any
 * @param snapshots those that are remembered: all or none
 * @param refusal which rule that is, with the file's name; null: none
 *     <p>Threading: immutable.
 */
record ImageHeader(
        HeaderReferences references,
        long sizeBytes,
        boolean hasSnapshots,
        List<SnapshotEntry> snapshots,
        @Nullable Refusal refusal) {
    /** Before anything was read. */
    static final ImageHeader UNKNOWN =
            new ImageHeader(HeaderReferences.NONE, 0, false, List.of(), null);

    /** An error that can be thrown more than once. */
    record Refusal(BlockError error, String message) {
        BlockException exception() {
            return new BlockException(error, message);
        }
    }

    /**
     * Never fails.
     *
     * @param bytes the first ones of the file, as many as {@code HeaderLayout.bytesNeeded} and
     *     {@link HeaderReferences#bytesNeeded} ask for, or all
     */
    static ImageHeader parse(String fileName, ByteBuffer bytes, long fileSizeBytes) {
        HeaderReferences references = HeaderReferences.parse(bytes);
        try {
            if (fileSizeBytes == 0) {
                throw new BlockException(BlockError.EINVAL, "image is empty");
            }
            Qcow2Header header = Qcow2Header.parse(bytes, fileSizeBytes);
            boolean hasSnapshots = header.snapshotCount() > 0;
            return new ImageHeader(references, header.sizeBytes(), hasSnapshots, List.of(), null);
        } catch (BlockException e) {
            BlockException named = e.about(fileName);
            return new ImageHeader(
                    references,
                    0,
                    false,
                    List.of(),
                    new Refusal(named.error(), String.valueOf(named.getMessage())));
        }
    }

    ImageHeader withSnapshots(List<SnapshotEntry> found) {
        return new ImageHeader(references, sizeBytes, hasSnapshots, found, refusal);
    }

    /**
     * The virtual size.
     *
     * @throws BlockException as {@link Qcow2Header#parse}
     */
    long requireSizeBytes() {
        if (refusal != null) {
            throw refusal.exception();
        }
        return sizeBytes;
    }
}
