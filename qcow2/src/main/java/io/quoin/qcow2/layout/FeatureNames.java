package io.quoin.qcow2.layout;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The feature name table: what feature bits are called, for messages about bits that this writer
 * does not know.
 *
 * <pre>
 *  each entry, 48 bytes:
 *    0 +------+------+-------------------------------------------------+
 *      | type | bit  | name, 46 bytes, filled up with NUL              |
 *      +------+------+-------------------------------------------------+
 *  type 0 incompatible, 1 compatible, 2 autoclear
 * </pre>
 *
 * <p>Threading: immutable.
 */
public final class FeatureNames {
    public static final int INCOMPATIBLE = 0;
    public static final int COMPATIBLE = 1;
    public static final int AUTOCLEAR = 2;

    private static final int ENTRY_BYTES = 48;
    private static final int NAME_OFFSET = 2;
    private static final int NAME_BYTES = 46;
    private static final Object[][] KNOWN = {
        {INCOMPATIBLE, 0, "dirty bit"},
        {INCOMPATIBLE, 1, "corrupt bit"},
        {INCOMPATIBLE, 2, "external data file"},
        {INCOMPATIBLE, 3, "compression type"},
        {INCOMPATIBLE, 4, "extended L2 entries"},
        {COMPATIBLE, 0, "lazy refcounts"},
        {AUTOCLEAR, 0, "bitmaps"},
        {AUTOCLEAR, 1, "raw external data"},
    };

    private FeatureNames() {}

    /** The extension with the names of all features that are known here. */
    public static HeaderExtension extension() {
        ByteBuffer data = ByteBuffer.allocate(KNOWN.length * ENTRY_BYTES);
        for (int i = 0; i < KNOWN.length; i++) {
            data.position(i * ENTRY_BYTES);
            data.put(((Integer) KNOWN[i][0]).byteValue()).put(((Integer) KNOWN[i][1]).byteValue());
            data.put(((String) KNOWN[i][2]).getBytes(StandardCharsets.US_ASCII));
        }
        return new HeaderExtension(HeaderExtension.FEATURE_NAMES, OpaqueBytes.copyOf(data.array()));
    }

    /**
     * What the image calls bit {@code bit} of {@code type}, in printable characters; null: it has
     * no name for it.
     */
    public static @Nullable String find(@Nullable HeaderExtension table, int type, int bit) {
        if (table == null) {
            return null;
        }
        ByteBuffer data = table.data().toBuffer();
        for (int at = 0; at + ENTRY_BYTES <= data.limit(); at += ENTRY_BYTES) {
            if (data.get(at) == type && data.get(at + 1) == bit) {
                return printable(data, at + NAME_OFFSET);
            }
        }
        return null;
    }

    private static String printable(ByteBuffer data, int start) {
        StringBuilder name = new StringBuilder(NAME_BYTES);
        for (int i = start; i < start + NAME_BYTES && data.get(i) != 0; i++) {
            char c = (char) (data.get(i) & 0xff);
            name.append(c >= ' ' && c < 0x7f ? c : '?');
        }
        return name.toString();
    }
}
