package io.quoin.qcow2.info;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Joins neighbours that are alike into one extent, holding one at a time.
 *
 * <p>Threading: confined to its user.
 */
public final class ExtentJoiner {
    private final Consumer<MapExtent> consumer;
    private @Nullable MapExtent pending;

    /**
     * @param consumer takes the joined extents, in order
     */
    public ExtentJoiner(Consumer<MapExtent> consumer) {
        this.consumer = consumer;
    }

    /** Takes the extent that begins where the one before ended. */
    public void add(MapExtent extent) {
        MapExtent previous = pending;
        if (previous == null) {
            pending = extent;
        } else if (previous.isContinuedBy(extent)) {
            pending = previous.joined(extent);
        } else {
            consumer.accept(previous);
            pending = extent;
        }
    }

    /** Tells the last one. */
    public void end() {
        if (pending != null) {
            consumer.accept(pending);
            pending = null;
        }
    }
}
