package io.quoin.qcow2;

import io.quoin.qcow2.layout.BitmapDirectoryLayout;
import io.quoin.qcow2.layout.BitmapEntry;
import io.quoin.qcow2.layout.BitmapsExtension;
import io.quoin.qcow2.layout.Qcow2Header;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Map;
import java.util.TreeMap;

/**
 * The bitmaps of an image as its file has them, read without the code that serves them.
 *
 * <p>Threading: confined to the test.
 */
public final class BitmapsOnDisk {
    private BitmapsOnDisk() {}

    /**
     * One of them.
     *
     * <p>Threading: immutable.
     *
     * @param inUse whether it was open for changes when it was last stored: its bits mean nothing
     * @param bits one for each granule
     */
    public record Found(boolean enabled, boolean inUse, long granularityBytes, BitSet bits) {
        /** Whether the granule that has {@code guestOffset} is marked. */
        public boolean isMarked(long guestOffset) {
            return bits.get((int) (guestOffset / granularityBytes));
        }
    }

    /** By their names; none where the header says that they are stale. */
    public static Map<String, Found> read(byte[] file) {
        Map<String, Found> bitmaps = new TreeMap<>();
        Qcow2Header header = Qcow2Header.parse(ByteBuffer.wrap(file), file.length);
        BitmapsExtension extension = header.bitmaps();
        if (extension == null || !header.bitmapsConsistent()) {
            return bitmaps;
        }
        int cluster = header.clusterSizeBytes();
        ByteBuffer directory =
                ByteBuffer.wrap(
                                file,
                                (int) extension.directoryOffset(),
                                (int) extension.directorySizeBytes())
                        .slice();
        for (BitmapEntry entry :
                BitmapDirectoryLayout.parse(directory, extension, cluster, file.length)) {
            BitSet bits = entry.isInUse() ? new BitSet() : bits(file, entry, cluster);
            bitmaps.put(
                    entry.name(),
                    new Found(
                            entry.isAuto(), entry.isInUse(), 1L << entry.granularityBits(), bits));
        }
        return bitmaps;
    }

    private static BitSet bits(byte[] file, BitmapEntry entry, int cluster) {
        requireInside(file, entry.tableOffset(), 8L * entry.tableEntries());
        byte[] bits = new byte[entry.tableEntries() * cluster];
        for (int i = 0; i < entry.tableEntries(); i++) {
            long tableEntry = ByteBuffer.wrap(file).getLong((int) entry.tableOffset() + 8 * i);
            int hostOffset = (int) BitmapDirectoryLayout.dataHostOffset(tableEntry);
            if (hostOffset != 0) {
                requireInside(file, hostOffset, cluster);
                System.arraycopy(file, hostOffset, bits, i * cluster, cluster);
            } else if (tableEntry == BitmapDirectoryLayout.ALL_ONES) {
                Arrays.fill(bits, i * cluster, (i + 1) * cluster, (byte) 0xff);
            }
        }
        return BitSet.valueOf(bits);
    }

    private static void requireInside(byte[] file, long offset, long length) {
        if (offset + length > file.length) {
            throw new AssertionError("bitmap beyond the end of the file: offset=" + offset);
        }
    }
}
