package io.quoin.qcow2.cache;

import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.L2Entry;
import org.agrona.UnsafeApi;

/** COPIED in the entries of tables. */
final class CopiedBits {
    private CopiedBits() {}

    /**
     * Takes it off all entries.
     *
     * @param words in the slice
     * @param entryWords 2 for extended entries, whose second word is a bitmap
     * @return whether there was one
     */
    static boolean clear(long address, int words, int entryWords) {
        boolean changed = false;
        for (int i = 0; i < words; i += entryWords) {
            long entry = Long.reverseBytes(UnsafeApi.getLong(address + 8L * i));
            if (L2Entry.isCopied(entry)) {
                UnsafeApi.putLong(address + 8L * i, Long.reverseBytes(entry & ~L2Entry.COPIED));
                changed = true;
            }
        }
        return changed;
    }

    /** Whether entries of an L1 table are those that were written, but for COPIED. */
    static boolean onlyDiffer(long[] now, long[] written) {
        for (int i = 0; i < now.length; i++) {
            if (((now[i] ^ written[i]) & ~L1Entry.COPIED) != 0) {
                return false;
            }
        }
        return true;
    }
}
