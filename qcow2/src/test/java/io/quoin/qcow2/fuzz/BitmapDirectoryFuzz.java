package io.quoin.qcow2.fuzz;

import io.quoin.block.BlockException;
import io.quoin.qcow2.layout.BitmapDirectoryLayout;
import io.quoin.qcow2.layout.BitmapsExtension;
import java.nio.ByteBuffer;

/** The bitmap directory: the first byte has the number of entries. */
public final class BitmapDirectoryFuzz {
    private static final int CLUSTER_BITS = 12;
    private static final long FILE_BYTES = 1 << 20;

    private BitmapDirectoryFuzz() {}

    public static void fuzzerTestOneInput(byte[] data) {
        if (data.length == 0) {
            return;
        }
        BitmapsExtension extension =
                new BitmapsExtension(1 + (data[0] & 15), data.length - 1, 1 << CLUSTER_BITS);
        ByteBuffer directory = ByteBuffer.wrap(data, 1, data.length - 1).slice();
        try {
            int count =
                    BitmapDirectoryLayout.parse(directory, extension, 1 << CLUSTER_BITS, FILE_BYTES)
                            .size();
            if (count != extension.count()) {
                throw new AssertionError("bitmaps: " + count);
            }
        } catch (BlockException e) {
            Messages.check(e);
        }
        for (int at = 0; at + 8 <= directory.limit(); at += 8) {
            BitmapDirectoryLayout.tableFault(directory.getLong(at), CLUSTER_BITS, FILE_BYTES);
        }
    }
}
