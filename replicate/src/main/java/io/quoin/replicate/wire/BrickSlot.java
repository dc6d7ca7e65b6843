package io.quoin.replicate.wire;

import io.quoin.replicate.Layout;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The place that a {@link BrickServer} serves: it has a brick, or none until one is claimed.
 *
 * <p>Threading: called on the server's loop. Stages may complete on any thread.
 */
public interface BrickSlot {
    /** The brick; null while there is none. Once there is one it stays. */
    @Nullable ServedBrick brick();

    /**
     * Makes a brick, durably, where there is none, not even one that is being made: of several
     * claims the first one counts.
     *
     * @param index one of the layout's voters
     * @return the brick that there is then, whichever claim has made it
     */
    CompletionStage<ServedBrick> claim(UUID volume, int index, Layout layout);

    /** A place that has a brick. */
    static BrickSlot of(ServedBrick brick) {
        return new BrickSlot() {
            @Override
            public ServedBrick brick() {
                return brick;
            }

            @Override
            public CompletionStage<ServedBrick> claim(UUID volume, int index, Layout layout) {
                return CompletableFuture.completedFuture(brick);
            }
        };
    }
}
