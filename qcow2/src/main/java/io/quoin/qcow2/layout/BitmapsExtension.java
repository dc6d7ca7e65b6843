package io.quoin.qcow2.layout;

import static io.quoin.qcow2.layout.Refusal.require;

import java.nio.ByteBuffer;

/**
 * The extension that says where the bitmap directory is.
 *
 * <pre>
 *    0 +-------------------------------+-------------------------------+
 *      | nb_bitmaps                    | reserved, 0                   |
 *    8 +-------------------------------+-------------------------------+
 *      | bitmap_directory_size                                         |
 *   16 +---------------------------------------------------------------+
 *      | bitmap_directory_offset                                       |
 *   24 +---------------------------------------------------------------+
 * </pre>
 *
 * <p>Threading: immutable.
 */
public record BitmapsExtension(int count, long directorySizeBytes, long directoryOffset) {
    public static final int BITMAPS_MAX = 65_535;

    /** QEMU's limit is 64 MiB; the largest number of bitmaps with usual names takes 3 MiB. */
    public static final long DIRECTORY_BYTES_MAX = 16 << 20;

    private static final int DATA_BYTES = 24;
    private static final String WHAT = "qcow2 bitmaps extension";

    static BitmapsExtension parse(
            HeaderExtension extension, int clusterSizeBytes, long fileSizeBytes) {
        ByteBuffer data = extension.data().toBuffer();
        require(data.limit() == DATA_BYTES, WHAT, "length", data.limit(), "24");
        long count = data.getInt(0) & 0xffff_ffffL;
        require(count >= 1 && count <= BITMAPS_MAX, WHAT, "nb_bitmaps", count, "1..65535");
        require(data.getInt(4) == 0, WHAT, "reserved field", data.getInt(4), "0");
        long size = data.getLong(8);
        long offset = data.getLong(16);
        require(
                size > 0 && size <= DIRECTORY_BYTES_MAX,
                WHAT,
                "bitmap_directory_size",
                size,
                "1.." + DIRECTORY_BYTES_MAX);
        Refusal.requireTable(
                WHAT, "bitmap_directory_offset", offset, size, clusterSizeBytes, fileSizeBytes);
        return new BitmapsExtension((int) count, size, offset);
    }

    /** The extension for the header. */
    public HeaderExtension toExtension() {
        ByteBuffer data = ByteBuffer.allocate(DATA_BYTES);
        data.putInt(count).putInt(0).putLong(directorySizeBytes).putLong(directoryOffset);
        return new HeaderExtension(HeaderExtension.BITMAPS, OpaqueBytes.copyOf(data.array()));
    }
}
