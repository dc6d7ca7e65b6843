package io.quoin.qcow2.check;

import io.quoin.qcow2.hostile.MemoryImageFile;
import io.quoin.qcow2.hostile.SmallImage;
import io.quoin.qcow2.layout.L1Entry;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Locale;

/** Repairs an image in a virtual machine of its own, which has little memory for it. */
final class LittleMemoryRun {
    /** What asks for the memory. */
    enum Kind {
        /** A cluster in use in each of many pages of counts, and something to be found. */
        COUNTS,
        /** Many entries whose cluster is something else too. */
        OVERLAPS
    }

    private static final int L2_TABLES = 100;

    private LittleMemoryRun() {}

    /** Arguments: the kind, the bound for the memory of counts. */
    public static void main(String[] arguments) {
        byte[] bytes;
        long sizeBytes;
        if (Kind.valueOf(arguments[0]) == Kind.COUNTS) {
            bytes = SmallImage.plain().toArray();
            sizeBytes = scatter(bytes);
        } else {
            bytes = overlap();
            sizeBytes = bytes.length;
        }
        CheckResult result =
                Qcow2Check.check(
                        new MemoryImageFile(bytes, sizeBytes),
                        RepairMode.ALL,
                        CheckListener.SILENT,
                        Long.parseLong(arguments[1]),
                        2,
                        0);
        System.out.printf(Locale.ROOT, "exit=%d%n", result.exitCode());
    }

    /** The size of the file in which the data of the entries lie far from each other. */
    private static long scatter(byte[] bytes) {
        int pages = 460;
        ByteBuffer image = ByteBuffer.wrap(bytes);
        long cluster = 0;
        for (int i = 8; i < pages; i++) {
            cluster = ((long) i << CountPage.BITS) + 100;
            image.putLong((4 << 12) + 8 * i, cluster << 12);
        }
        // The last entry hides references: no refcounts are made anew for all of that.
        image.putLong((5 << 12) - 8, 1L << 50);
        return (cluster + 1) << 12;
    }

    /** Each entry of each table leads to the L1 table. */
    private static byte[] overlap() {
        int clusterBits = 16;
        byte[] small = SmallImage.plain(clusterBits).toArray();
        int first = small.length;
        byte[] bytes = Arrays.copyOf(small, first + (L2_TABLES << clusterBits));
        ByteBuffer image = ByteBuffer.wrap(bytes);
        long l1 = 3L << clusterBits;
        image.putLong(24, (long) L2_TABLES << 29).putInt(36, L2_TABLES);
        for (int i = 0; i < L2_TABLES; i++) {
            image.putLong((int) l1 + 8 * i, L1Entry.of(first + ((long) i << clusterBits), true));
        }
        for (int at = first; at < bytes.length; at += 8) {
            image.putLong(at, l1);
        }
        return bytes;
    }
}
