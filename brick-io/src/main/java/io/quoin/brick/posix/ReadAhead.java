package io.quoin.brick.posix;

import java.util.Arrays;

/**
 * Finds sequential reads that miss the page cache and says what to fetch before it is asked for.
 * The kernel's own readahead is off for image files, since the large folios that it leaves make
 * every later small write slow (docs/adr/0006-posix-io.md).
 *
 * <p>It follows a few streams at once, forgives reads that arrive somewhat out of order, and leaves
 * streams alone that the page cache answers.
 *
 * <p>Threading: confined(loop).
 */
final class ReadAhead {
    private static final int STREAMS = 4;
    private static final int READS_MIN = 3;
    private static final long SLACK_BYTES = 256 * 1024;
    private static final long WINDOW_BYTES_MIN = 128 * 1024;

    private final long windowBytesMax;
    private final long[] nextOffsets = new long[STREAMS];
    private final long[] fetchedTo = new long[STREAMS];
    private final long[] runBytes = new long[STREAMS];
    private final int[] reads = new int[STREAMS];
    private final boolean[] cold = new boolean[STREAMS];
    private final long[] lastUsed = new long[STREAMS];
    private long clock;
    private long fetchOffset;

    /**
     * @param windowBytesMax how far ahead of a reader to be at most; 0 turns it off
     */
    ReadAhead(long windowBytesMax) {
        this.windowBytesMax = windowBytesMax;
        Arrays.fill(nextOffsets, Long.MIN_VALUE / 2);
    }

    /**
     * Takes note of a read.
     *
     * @param wasCold whether it missed the page cache
     * @return how many bytes to fetch from {@link #fetchOffset} on; 0 for none
     */
    long onRead(long offsetBytes, long lengthBytes, boolean wasCold, long sizeBytes) {
        if (windowBytesMax == 0) {
            return 0;
        }
        clock++;
        long end = offsetBytes + lengthBytes;
        int stream = find(offsetBytes);
        if (stream < 0) {
            begin(leastRecentlyUsed(), end, lengthBytes, wasCold);
            return 0;
        }
        lastUsed[stream] = clock;
        nextOffsets[stream] = Math.max(nextOffsets[stream], end);
        runBytes[stream] += lengthBytes;
        reads[stream]++;
        cold[stream] |= wasCold;
        return cold[stream] && reads[stream] >= READS_MIN ? advance(stream, sizeBytes) : 0;
    }

    /** Where to fetch from, after {@link #onRead} said so. */
    long fetchOffset() {
        return fetchOffset;
    }

    private long advance(int stream, long sizeBytes) {
        long window = Math.min(windowBytesMax, Math.max(WINDOW_BYTES_MIN, runBytes[stream]));
        long next = nextOffsets[stream];
        if (fetchedTo[stream] - next >= window / 2) {
            return 0;
        }
        long start = Math.max(fetchedTo[stream], next);
        long stop = Math.min(next + window, sizeBytes);
        if (stop <= start) {
            return 0;
        }
        fetchOffset = start;
        fetchedTo[stream] = stop;
        return stop - start;
    }

    private int find(long offsetBytes) {
        for (int i = 0; i < STREAMS; i++) {
            long distance = offsetBytes - nextOffsets[i];
            if (distance >= -SLACK_BYTES && distance <= SLACK_BYTES) {
                return i;
            }
        }
        return -1;
    }

    private int leastRecentlyUsed() {
        int oldest = 0;
        for (int i = 1; i < STREAMS; i++) {
            if (lastUsed[i] < lastUsed[oldest]) {
                oldest = i;
            }
        }
        return oldest;
    }

    private void begin(int stream, long end, long lengthBytes, boolean wasCold) {
        nextOffsets[stream] = end;
        fetchedTo[stream] = end;
        runBytes[stream] = lengthBytes;
        reads[stream] = 1;
        cold[stream] = wasCold;
        lastUsed[stream] = clock;
    }
}
