package io.quoin.backup;

/**
 * Adds up how far the parts of some work are.
 *
 * <p>Threading: confined to the thread of the work.
 */
final class PartedEvents {
    private final BackupEvents events;
    private final long[] done;
    private final long[] total;

    /**
     * @param totalBytes of each part, until it tells better
     */
    PartedEvents(BackupEvents events, long[] totalBytes) {
        this.events = events;
        this.done = new long[totalBytes.length];
        this.total = totalBytes.clone();
    }

    /** What one part tells. */
    BackupEvents part(int index) {
        return new BackupEvents() {
            @Override
            public void progress(long doneBytes, long totalBytes) {
                done[index] = doneBytes;
                total[index] = totalBytes;
                events.progress(sum(done), sum(total));
            }

            @Override
            public void message(String text) {
                events.message(text);
            }

            @Override
            public boolean isEnding() {
                return events.isEnding();
            }

            @Override
            public boolean proceed() {
                return events.proceed();
            }
        };
    }

    private static long sum(long[] values) {
        long sum = 0;
        for (long value : values) {
            sum += value;
        }
        return sum;
    }
}
