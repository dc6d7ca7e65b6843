package io.quoin.qcow2.layout;

import io.quoin.block.BlockException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * The other files that the header of an image names, also where the image itself cannot be opened:
 * what it stands on is kept for the day when it is repaired. A name that is longer than any that
 * QEMU takes for a backing file is no file's, and left out.
 *
 * <p>Threading: immutable.
 *
 * @param backingFile as it is written there; null: none
 * @param dataFile as it is written there; null: none
 */
public record HeaderReferences(@Nullable String backingFile, @Nullable String dataFile) {
    /** Of a file that is no image. */
    public static final HeaderReferences NONE = new HeaderReferences(null, null);

    private static final String WHAT = "qcow2 header";
    private static final int VERSION_OFFSET = 4;
    private static final int CLUSTER_BITS_OFFSET = 20;
    private static final int HEADER_LENGTH_OFFSET = 100;

    /** Answers of {@link #findDataFile}. */
    private static final long BEFORE_END = 0;

    private static final long BEYOND = -1;

    /**
     * How many bytes of the file {@link #parse} has to be given to see all.
     *
     * @param bytes from 0 to the limit, the first of the file, at least 72 or all
     */
    public static int bytesNeeded(ByteBuffer bytes) {
        if (!isImage(bytes)) {
            return 0;
        }
        ByteBuffer in = bytes.duplicate().order(ByteOrder.BIG_ENDIAN);
        long nameEnd = in.getLong(HeaderLayout.BACKING_OFFSET_OFFSET) + nameBytes(in);
        if (nameEnd <= in.limit() && findDataFile(in) >= BEFORE_END) {
            return in.limit();
        }
        int bits = in.getInt(CLUSTER_BITS_OFFSET);
        boolean known =
                bits >= HeaderLayout.CLUSTER_BITS_MIN && bits <= HeaderLayout.CLUSTER_BITS_MAX;
        return 1 << (known ? bits : HeaderLayout.CLUSTER_BITS_MAX);
    }

    /**
     * What can be made out; never fails.
     *
     * @param bytes from 0 to the limit, the first of the file: {@link #bytesNeeded} or all
     */
    public static HeaderReferences parse(ByteBuffer bytes) {
        if (!isImage(bytes)) {
            return NONE;
        }
        ByteBuffer in = bytes.duplicate().order(ByteOrder.BIG_ENDIAN);
        long nameOffset = in.getLong(HeaderLayout.BACKING_OFFSET_OFFSET);
        String backingFile = nameOffset > 0 ? text(in, nameOffset, nameBytes(in)) : null;
        long at = findDataFile(in);
        String dataFile =
                at <= BEFORE_END
                        ? null
                        : text(
                                in,
                                at + HeaderExtension.HEADER_BYTES,
                                in.getInt((int) at + 4) & 0xffff_ffffL);
        return new HeaderReferences(backingFile, dataFile);
    }

    private static long nameBytes(ByteBuffer in) {
        return in.getInt(HeaderLayout.BACKING_SIZE_OFFSET) & 0xffff_ffffL;
    }

    private static boolean isImage(ByteBuffer bytes) {
        return bytes.limit() >= HeaderLayout.VERSION_2_BYTES
                && bytes.duplicate().order(ByteOrder.BIG_ENDIAN).getInt(0) == HeaderLayout.MAGIC;
    }

    /**
     * Where the extension begins that has the data file's name; {@link #BEFORE_END} if there is
     * none, {@link #BEYOND} if it may come behind the limit.
     */
    private static long findDataFile(ByteBuffer in) {
        if (in.getInt(VERSION_OFFSET) < 3) {
            return BEFORE_END;
        }
        if (in.limit() < HeaderLayout.VERSION_3_BYTES_MIN) {
            return BEYOND;
        }
        long at = in.getInt(HEADER_LENGTH_OFFSET) & 0xffff_ffffL;
        while (at + HeaderExtension.HEADER_BYTES <= in.limit()) {
            int type = in.getInt((int) at);
            if (type == HeaderExtension.END) {
                return BEFORE_END;
            }
            long lengthBytes = in.getInt((int) at + 4) & 0xffff_ffffL;
            long next = at + HeaderExtension.HEADER_BYTES + (lengthBytes + 7 & ~7L);
            if (type == HeaderExtension.DATA_FILE) {
                return next <= in.limit() ? at : BEYOND;
            }
            at = next;
        }
        return BEYOND;
    }

    /** Null for what lies outside of the bytes, and for what can be no name. */
    private static @Nullable String text(ByteBuffer in, long offset, long lengthBytes) {
        if (lengthBytes == 0
                || lengthBytes > HeaderLayout.BACKING_NAME_BYTES_MAX
                || offset > in.limit()
                || lengthBytes > in.limit() - offset) {
            return null;
        }
        try {
            return Refusal.name(WHAT, "file name", in, (int) offset, (int) lengthBytes);
        } catch (BlockException e) {
            return null;
        }
    }
}
