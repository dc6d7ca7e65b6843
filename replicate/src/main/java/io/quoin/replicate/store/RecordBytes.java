package io.quoin.replicate.store;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.BitSet;

/**
 * Bytes of a record. A count takes 7 bits a byte, lowest first. Bits are runs or words, what is
 * shorter: a byte, then the number of runs and of each its distance from the one before and its
 * length, all counts; or the number of words and the words.
 *
 * <p>Threading: confined to its caller.
 */
final class RecordBytes {
    private static final int RUNS = 0;
    private static final int WORDS = 1;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    RecordBytes putByte(int value) {
        bytes.write(value);
        return this;
    }

    RecordBytes putLong(long value) {
        bytes.writeBytes(ByteBuffer.allocate(Long.BYTES).putLong(value).array());
        return this;
    }

    RecordBytes putCount(int value) {
        int left = value;
        while (left > 0x7F) {
            bytes.write((left & 0x7F) | 0x80);
            left >>>= 7;
        }
        bytes.write(left);
        return this;
    }

    RecordBytes putBits(BitSet bits) {
        byte[] runs = runs(bits);
        long[] words = bits.toLongArray();
        if (runs.length <= Long.BYTES * words.length) {
            putByte(RUNS);
            bytes.writeBytes(runs);
        } else {
            putByte(WORDS).putCount(words.length);
            for (long word : words) {
                putLong(word);
            }
        }
        return this;
    }

    private static byte[] runs(BitSet bits) {
        RecordBytes runs = new RecordBytes();
        int count = 0;
        int end = 0;
        for (int at = bits.nextSetBit(0); at >= 0; at = bits.nextSetBit(end)) {
            runs.putCount(at - end);
            end = bits.nextClearBit(at);
            runs.putCount(end - at);
            count++;
        }
        RecordBytes all = new RecordBytes().putCount(count);
        all.bytes.writeBytes(runs.done());
        return all.done();
    }

    byte[] done() {
        return bytes.toByteArray();
    }

    static int count(ByteBuffer from) {
        int value = 0;
        int shift = 0;
        int part;
        do {
            part = from.get();
            value |= (part & 0x7F) << shift;
            shift += 7;
        } while (part < 0);
        return value;
    }

    static BitSet bits(ByteBuffer from) {
        BitSet bits = new BitSet();
        if (from.get() == WORDS) {
            long[] words = new long[count(from)];
            for (int i = 0; i < words.length; i++) {
                words[i] = from.getLong();
            }
            return BitSet.valueOf(words);
        }
        int end = 0;
        for (int left = count(from); left > 0; left--) {
            int start = end + count(from);
            end = start + count(from);
            bits.set(start, end);
        }
        return bits;
    }
}
