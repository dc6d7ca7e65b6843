package io.quoin.qcow2.layout;

import static io.quoin.qcow2.layout.Refusal.require;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A header extension as it lies on disk; unknown ones are kept as they are.
 *
 * <pre>
 *    0 +-------------------------------+-------------------------------+
 *      | type                          | length                        |
 *    8 +-------------------------------+-------------------------------+
 *      | data, padded with zeros to a multiple of 8                    |
 *      +---------------------------------------------------------------+
 *  type 0 ends the list; so does the end of the area.
 * </pre>
 *
 * <p>Threading: immutable.
 *
 * @param type one of the constants, or unknown
 * @param data without the padding
 */
public record HeaderExtension(int type, OpaqueBytes data) {
    public static final int HEADER_BYTES = 8;
    public static final int END = 0;
    public static final int BACKING_FORMAT = 0xe2792aca;
    public static final int FEATURE_NAMES = 0x6803f857;
    public static final int BITMAPS = 0x23852875;
    public static final int CRYPTO = 0x0537be77;
    public static final int DATA_FILE = 0x44415441;

    /** "QJMP", ours: says nothing, but the next extension is where its data end. */
    public static final int JUMP = 0x514a4d50;

    /**
     * "QLKS", ours, without data: clusters may be counted to which nothing refers, see {@link
     * Qcow2Header#mayHaveLeaks}.
     */
    public static final int LEAKS = 0x514c4b53;

    private static final String WHAT = "qcow2 header extension";

    int sizeOnDiskBytes() {
        return HEADER_BYTES + padded(data.lengthBytes());
    }

    void encode(ByteBuffer target) {
        int end = target.position() + sizeOnDiskBytes();
        target.putInt(type).putInt(data.lengthBytes());
        data.putInto(target);
        target.position(end);
    }

    /**
     * Reads the list.
     *
     * @param anyBackingFormat whether several backing formats are let pass, as none of them counts
     */
    static List<HeaderExtension> parseAll(
            ByteBuffer in, int start, int end, boolean anyBackingFormat) {
        List<HeaderExtension> extensions = new ArrayList<>();
        Set<Integer> seen = new HashSet<>();
        int at = start;
        while (end - at >= HEADER_BYTES) {
            int type = in.getInt(at);
            if (type == END) {
                break;
            }
            String field = String.format("length of 0x%08x at host offset %d", type, at);
            long length = in.getInt(at + 4) & 0xffff_ffffL;
            at += HEADER_BYTES;
            require(
                    length <= end - at,
                    WHAT,
                    field,
                    length,
                    "at most the " + (end - at) + " bytes that are left");
            boolean letPass = anyBackingFormat && type == BACKING_FORMAT;
            if (isKnown(type) && !seen.add(type) && !letPass) {
                throw Refusal.invalid(
                        WHAT,
                        "type",
                        String.format("0x%08x", type),
                        "each type at most once"
                                + (type == BACKING_FORMAT
                                        ? "; to write the backing format anew see quoin image"
                                                + " rebase -u"
                                        : ""));
            }
            extensions.add(new HeaderExtension(type, OpaqueBytes.copyOf(in, at, (int) length)));
            at = Math.min(end, at + padded((int) length));
        }
        return extensions;
    }

    /**
     * Where the list ends that {@link #parseAll} reads; if that is not seen, a place beyond the
     * limit of {@code in}.
     */
    static long listEnd(ByteBuffer in, long start, long end) {
        long at = start;
        while (end - at >= HEADER_BYTES) {
            if (at + HEADER_BYTES > in.limit()) {
                return end;
            }
            if (in.getInt((int) at) == END) {
                return at + HEADER_BYTES;
            }
            long length = in.getInt((int) at + 4) & 0xffff_ffffL;
            at += HEADER_BYTES + (length + 7 & ~7L);
        }
        return at;
    }

    private static boolean isKnown(int type) {
        return switch (type) {
            case BACKING_FORMAT, FEATURE_NAMES, BITMAPS, CRYPTO, DATA_FILE -> true;
            default -> false;
        };
    }

    private static int padded(int length) {
        return length + 7 & ~7;
    }
}
