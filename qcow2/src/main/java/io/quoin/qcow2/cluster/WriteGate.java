package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.block.Each;
import io.quoin.qcow2.io.Outcome;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * What has to be on disk before the first change of an open image: steps in the order of {@link
 * Stage}, each durable before the next begins. Until then changes wait here; afterwards it costs a
 * look at {@link #isOpen}. An image that is not changed is not written at all.
 *
 * <p>A step that fails fails those that wait; the next change tries it again.
 *
 * <p>Threading: confined(loop).
 */
public final class WriteGate {
    /** In the order in which they run. */
    public enum Stage {
        /** Bits of features that this writer does not keep are cleared. */
        AUTOCLEAR,
        /** The mark that clusters are counted ahead, which leak if the writer is killed. */
        RESERVATION,
        /** Bitmaps that are in memory only are marked on disk as in use. */
        BITMAPS,
        /** The dirty bit of lazy refcounts. */
        DIRTY_BIT
    }

    private final Map<Stage, Consumer<Outcome>> steps = new EnumMap<>(Stage.class);
    private List<Outcome> waiters = new ArrayList<>();
    private boolean running;
    private boolean open = true;

    /** Closes the gate until {@code step} has run; before the image is used. */
    public void add(Stage stage, Consumer<Outcome> step) {
        steps.put(stage, step);
        open = false;
    }

    /** Whether changes may go ahead. */
    public boolean isOpen() {
        return open;
    }

    /** Runs the steps; {@code outcome} is told when changes may go ahead, or why not. */
    public void pass(Outcome outcome) {
        if (open) {
            outcome.done(BlockError.OK);
            return;
        }
        waiters.add(outcome);
        if (!running) {
            running = true;
            next();
        }
    }

    /**
     * Runs {@code then} when no step is under way, maybe at once. A close that looked before would
     * miss a mark that it has to take off again.
     */
    public void whenSettled(Runnable then) {
        if (running) {
            waiters.add(error -> then.run());
        } else {
            then.run();
        }
    }

    private void next() {
        if (steps.isEmpty()) {
            answer(BlockError.OK);
            return;
        }
        Stage stage = steps.keySet().iterator().next();
        Consumer<Outcome> step = steps.get(stage);
        if (step == null) {
            throw new AssertionError("stage without a step");
        }
        step.accept(
                error -> {
                    if (error.isOk()) {
                        steps.remove(stage);
                        next();
                    } else {
                        answer(error);
                    }
                });
    }

    private void answer(BlockError error) {
        running = false;
        open = error.isOk();
        List<Outcome> all = waiters;
        waiters = new ArrayList<>();
        Each.run(all, waiter -> waiter.done(error));
    }
}
