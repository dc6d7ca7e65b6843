package io.quoin.qcow2.fuzz;

import io.quoin.block.BlockException;
import io.quoin.qcow2.layout.HeaderLayout;
import io.quoin.qcow2.layout.Qcow2Header;
import java.nio.ByteBuffer;

/** Header and extensions: a refusal, or a header that stays the same written and read again. */
public final class HeaderFuzz {
    private HeaderFuzz() {}

    public static void fuzzerTestOneInput(byte[] data) {
        if (data.length == 0) {
            return;
        }
        // The first byte says how long the file is, in powers of two; the rest is its start.
        long fileSize = Math.max(data.length - 1L, 1L << (data[0] & 63));
        if (fileSize < 0) {
            return;
        }
        try {
            ByteBuffer start = ByteBuffer.wrap(data, 1, data.length - 1).slice();
            int cluster = HeaderLayout.clusterSizeBytes(start);
            byte[] first = new byte[(int) Math.min(cluster, fileSize)];
            System.arraycopy(data, 1, first, 0, Math.min(first.length, data.length - 1));
            Qcow2Header header = Qcow2Header.parse(ByteBuffer.wrap(first), fileSize);
            check(header, fileSize);
        } catch (BlockException e) {
            Messages.check(e);
        }
    }

    private static void check(Qcow2Header header, long fileSize) {
        ByteBuffer encoded = header.encode();
        Qcow2Header again = Qcow2Header.parse(encoded.duplicate(), Math.max(fileSize, 4096));
        if (!again.encode().equals(encoded)) {
            throw new AssertionError("header changes when it is written and read again");
        }
        header.requireServable(false, fileSize);
        header.requireServable(true, fileSize);
    }
}
