package io.quoin.stripe;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * A part of a striped file as its first bytes tell it, for those that put files together without a
 * graph.
 *
 * <p>Threading: immutable.
 *
 * @param fileId of the striped file; the same in all its parts
 * @param number of the part, from 0
 * @param count how many parts the file has
 * @param blockBytes of its blocks
 * @param resizeBytes what the file was being resized to; -1 if no resize is unfinished, as of all
 *     parts but the first
 */
public record StripedPart(UUID fileId, int number, int count, long blockBytes, long resizeBytes) {
    /** So many bytes from the start of a part tell what it is. */
    public static final int START_BYTES = PartHeaderLayout.READ_BYTES;

    /** What the first bytes tell; empty if they are not of a part. */
    public static Optional<StripedPart> find(ByteBuffer start) {
        return PartHeaderLayout.find(start)
                .map(
                        header ->
                                new StripedPart(
                                        header.fileId(),
                                        header.part(),
                                        header.count(),
                                        header.blockBytes(),
                                        header.part() == 0
                                                ? PartHeaderLayout.getResize(start)
                                                : PartHeaderLayout.NO_RESIZE));
    }

    /** Whether a name is that of parts without a file: never listed. */
    public static boolean isUnlinked(String name) {
        return UnlinkedNames.isOne(name);
    }

    private StripeMap map() {
        return new StripeMap(count, blockBytes);
    }

    /**
     * The size of the file.
     *
     * @param partBytes the size of each part, with its header
     */
    public long fileBytes(List<Long> partBytes) {
        if (resizeBytes != PartHeaderLayout.NO_RESIZE) {
            return resizeBytes;
        }
        long size = 0;
        for (int part = 0; part < partBytes.size(); part++) {
            long own = Math.max(0, partBytes.get(part) - PartHeaderLayout.DATA_OFFSET);
            size = Math.max(size, map().endBytes(part, own));
        }
        return size;
    }

    /** Which part has a byte of the file. */
    public int partOf(long offsetBytes) {
        return map().partOf(offsetBytes);
    }

    /** Where in its part a byte of the file is, header included. */
    public long offsetInPart(long offsetBytes) {
        return PartHeaderLayout.DATA_OFFSET
                + map().shareBytes(map().partOf(offsetBytes), offsetBytes);
    }

    /** First byte of the file behind the block that a byte lies in. */
    public long blockEndBytes(long offsetBytes) {
        return map().blockEndBytes(offsetBytes);
    }
}
