package io.quoin.block;

import java.util.List;
import java.util.function.Consumer;

/**
 * Call-outs to several, of which one that throws doesn't keep the others from theirs.
 *
 * <p>Threading: thread-safe.
 */
public final class Each {
    private Each() {}

    /** Runs {@code action} for each item; what the last that failed threw comes out at the end. */
    public static <T> void run(List<T> items, Consumer<T> action) {
        int next = 0;
        try {
            while (next < items.size()) {
                action.accept(items.get(next++));
            }
        } finally {
            if (next < items.size()) {
                run(items.subList(next, items.size()), action);
            }
        }
    }
}
