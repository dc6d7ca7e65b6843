package io.quoin.xlator.debug;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The last operations, in a ring.
 *
 * <p>Threading: thread-safe.
 */
final class TraceHistory {
    private final @Nullable TraceEntry[] ring;
    private long next;

    TraceHistory(int size) {
        ring = new TraceEntry[size];
    }

    synchronized void add(TraceEntry entry) {
        ring[(int) (next++ % ring.length)] = entry;
    }

    /** From the oldest to the newest. */
    synchronized List<TraceEntry> entries() {
        List<TraceEntry> entries = new ArrayList<>();
        for (long i = Math.max(0, next - ring.length); i < next; i++) {
            TraceEntry entry = ring[(int) (i % ring.length)];
            if (entry != null) {
                entries.add(entry);
            }
        }
        return entries;
    }
}
