package io.quoin.qcow2.bitmap;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The bits of a bitmap in memory. Bit n stands for the guest bytes from {@code n <<
 * granularityBits} on; as on disk, the lowest bit of a byte comes first. Bits behind the end are 0.
 *
 * <p>Threading: confined(loop).
 */
final class DirtyBits {
    /** What the bits of a cluster of them are. */
    enum Kind {
        ZEROS,
        ONES,
        MIXED
    }

    private static final int WORD_BITS_LOG = 6;

    private final int granularityBits;
    private long sizeBytes;
    private long[] words;
    private boolean changed;

    DirtyBits(long sizeBytes, int granularityBits) {
        this.granularityBits = granularityBits;
        this.sizeBytes = sizeBytes;
        this.words = new long[Math.toIntExact(wordsFor(sizeBytes, granularityBits))];
    }

    /** Memory for the bits of {@code sizeBytes} guest bytes. */
    static long memoryBytes(long sizeBytes, int granularityBits) {
        return wordsFor(sizeBytes, granularityBits) * Long.BYTES;
    }

    private static long wordsFor(long sizeBytes, int granularityBits) {
        return sizeBytes == 0 ? 0 : ((sizeBytes - 1) >>> (granularityBits + WORD_BITS_LOG)) + 1;
    }

    /** How many entries a bitmap table for {@code sizeBytes} guest bytes has. */
    static long tableEntries(long sizeBytes, int granularityBits, int clusterBits) {
        return sizeBytes == 0 ? 0 : ((sizeBytes - 1) >>> (granularityBits + clusterBits + 3)) + 1;
    }

    int granularityBits() {
        return granularityBits;
    }

    long sizeBytes() {
        return sizeBytes;
    }

    /** Whether bits have changed since the last {@link #stored}. */
    boolean isChanged() {
        return changed;
    }

    /** Memory and disk are the same. */
    void stored() {
        changed = false;
    }

    /** Marks the guest bytes from {@code from} to before {@code to}, which is larger. */
    void set(long from, long to) {
        changed = true;
        long first = from >>> granularityBits;
        long last = (to - 1) >>> granularityBits;
        int word = (int) (first >>> WORD_BITS_LOG);
        int lastWord = (int) (last >>> WORD_BITS_LOG);
        long firstMask = -1L << first;
        long lastMask = -1L >>> ~last;
        if (word == lastWord) {
            words[word] |= firstMask & lastMask;
            return;
        }
        words[word] |= firstMask;
        Arrays.fill(words, word + 1, lastWord, -1L);
        words[lastWord] |= lastMask;
    }

    void clear() {
        changed = true;
        Arrays.fill(words, 0);
    }

    /** Marks what is marked in {@code other}, of the same size, perhaps another granularity. */
    void merge(DirtyBits other) {
        changed = true;
        if (other.granularityBits == granularityBits) {
            for (int i = 0; i < words.length; i++) {
                words[i] |= other.words[i];
            }
            return;
        }
        long bits = other.words.length * (long) Long.SIZE;
        long from = other.next(0, 0L);
        while (from < bits) {
            long to = other.next(from, -1L);
            set(from << other.granularityBits, end(to << other.granularityBits));
            from = other.next(to, 0L);
        }
    }

    private long end(long guestOffset) {
        return guestOffset < 0 || guestOffset > sizeBytes ? sizeBytes : guestOffset;
    }

    /** The first bit from {@code bit} on that is none of {@code flip}: 0 finds ones, -1 zeros. */
    private long next(long bit, long flip) {
        long at = bit;
        while (at >>> WORD_BITS_LOG < words.length) {
            long rest = (words[(int) (at >>> WORD_BITS_LOG)] ^ flip) >>> at;
            if (rest != 0) {
                return at + Long.numberOfTrailingZeros(rest);
            }
            at = (at | (Long.SIZE - 1)) + 1;
        }
        return words.length * (long) Long.SIZE;
    }

    /** Guest bytes that are marked, by whole granules, of the last one what is there. */
    long dirtyBytes() {
        long bits = 0;
        for (long word : words) {
            bits += Long.bitCount(word);
        }
        long last = (sizeBytes - 1) >>> granularityBits;
        boolean isLastDirty =
                sizeBytes > 0 && (words[(int) (last >>> WORD_BITS_LOG)] >>> last & 1) != 0;
        long missing = isLastDirty ? ((last + 1) << granularityBits) - sizeBytes : 0;
        return (bits << granularityBits) - missing;
    }

    /** Covers another size; what is new is clean. */
    void resize(long newSizeBytes) {
        changed = true;
        words = Arrays.copyOf(words, Math.toIntExact(wordsFor(newSizeBytes, granularityBits)));
        sizeBytes = newSizeBytes;
        cutTail();
    }

    private void cutTail() {
        if (sizeBytes > 0) {
            long last = (sizeBytes - 1) >>> granularityBits;
            words[words.length - 1] &= -1L >>> ~last;
        }
    }

    /** What the cluster number {@code index} of bits, of {@code clusterBytes}, holds. */
    Kind kind(int index, int clusterBytes) {
        int from = index * (clusterBytes / Long.BYTES);
        int to = Math.min(words.length, from + clusterBytes / Long.BYTES);
        long ones = -1L;
        long any = 0;
        for (int i = from; i < to; i++) {
            ones &= words[i];
            any |= words[i];
        }
        if (any == 0) {
            return Kind.ZEROS;
        }
        return ones == -1L && to - from == clusterBytes / Long.BYTES ? Kind.ONES : Kind.MIXED;
    }

    /** Puts the cluster number {@code index} of bits, filled up with zeros. */
    void encode(int index, int clusterBytes, ByteBuffer target) {
        ByteBuffer out = target.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        int from = index * (clusterBytes / Long.BYTES);
        for (int i = from; i < from + clusterBytes / Long.BYTES; i++) {
            out.putLong(i < words.length ? words[i] : 0);
        }
        target.position(out.position());
    }

    /** Takes the cluster number {@code index} of bits over. */
    void decode(int index, int clusterBytes, ByteBuffer source) {
        ByteBuffer in = source.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        int from = index * (clusterBytes / Long.BYTES);
        int to = Math.min(words.length, from + clusterBytes / Long.BYTES);
        for (int i = from; i < to; i++) {
            words[i] = in.getLong();
        }
        source.position(source.position() + clusterBytes);
        cutTail();
    }

    /** Marks the whole cluster number {@code index} of bits. */
    void fill(int index, int clusterBytes) {
        int from = index * (clusterBytes / Long.BYTES);
        Arrays.fill(words, from, Math.min(words.length, from + clusterBytes / Long.BYTES), -1L);
        cutTail();
    }
}
