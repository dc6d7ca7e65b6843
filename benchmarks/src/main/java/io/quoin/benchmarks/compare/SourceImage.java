package io.quoin.benchmarks.compare;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.SplittableRandom;

/**
 * A raw image to convert: every other MiB is a hole, and of four that are not one does not compress
 * and three are text. The same seed gives the same image.
 *
 * <p>Threading: confined to the comparison's thread.
 */
final class SourceImage {
    private static final int PIECE_BYTES = 1 << 20;
    private static final int KINDS = 4;
    private static final int WORDS = 4096;
    private static final int WORD_BYTES_MIN = 3;
    private static final int WORD_BYTES_MAX = 10;

    private final SplittableRandom random;
    private final byte[][] words = new byte[WORDS][];

    private SourceImage(long seed) {
        random = new SplittableRandom(seed);
        for (int i = 0; i < WORDS; i++) {
            byte[] word = new byte[random.nextInt(WORD_BYTES_MIN, WORD_BYTES_MAX)];
            for (int at = 0; at < word.length - 1; at++) {
                word[at] = (byte) random.nextInt('a', 'z' + 1);
            }
            word[word.length - 1] = ' ';
            words[i] = word;
        }
    }

    /** Makes the file, durable. */
    static void create(Path file, long sizeBytes, long seed) throws IOException {
        SourceImage image = new SourceImage(seed);
        byte[] piece = new byte[PIECE_BYTES];
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            int kind = 0;
            for (long at = 0; at < sizeBytes; at += 2L * PIECE_BYTES) {
                if (++kind % KINDS == 0) {
                    image.random.nextBytes(piece);
                } else {
                    image.text(piece);
                }
                ByteBuffer left =
                        ByteBuffer.wrap(piece, 0, (int) Math.min(PIECE_BYTES, sizeBytes - at));
                while (left.hasRemaining()) {
                    channel.write(left, at + left.position());
                }
            }
            if (channel.size() < sizeBytes) {
                channel.write(ByteBuffer.allocate(1), sizeBytes - 1);
            }
            channel.force(true);
        }
    }

    private void text(byte[] piece) {
        int at = 0;
        while (at < piece.length) {
            byte[] word = words[random.nextInt(WORDS)];
            int length = Math.min(word.length, piece.length - at);
            System.arraycopy(word, 0, piece, at, length);
            at += length;
        }
    }
}
