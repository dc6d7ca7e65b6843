package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.block.IoRequest;
import java.util.function.Consumer;

/**
 * Keeps all requests waiting until it is let go.
 *
 * <p>Threading: confined(loop).
 */
final class HoldOp extends WholeImageOp {
    private final Consumer<Runnable> held;
    private boolean started;

    /**
     * @param held told when nothing is under way, with what lets go
     */
    HoldOp(MappedImage image, Consumer<IoRequest> changes, Consumer<Runnable> held) {
        super(image, changes);
        this.held = held;
    }

    @Override
    protected void walk() {
        if (started || !lock()) {
            return;
        }
        started = true;
        waiting = true;
        // Not from inside of the walk, which goes on behind it.
        image.io.loop().execute(() -> held.accept(this::letGo));
    }

    private void letGo() {
        position = end;
        waiting = false;
        resume();
    }

    @Override
    protected void left(BlockError outcome) {
        // The holder knows.
    }
}
