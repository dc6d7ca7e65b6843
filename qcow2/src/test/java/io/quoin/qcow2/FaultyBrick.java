package io.quoin.qcow2;

import io.quoin.block.BlockError;
import io.quoin.block.IoRequest;
import io.quoin.testkit.MemoryXlator;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.ArrayDeque;
import java.util.concurrent.CompletionStage;
import java.util.function.BiPredicate;

/**
 * A brick of which a test says what requests fail, and what others wait until it lets them go.
 *
 * <p>Threading: confined to the test.
 */
final class FaultyBrick extends PassThroughXlator {
    BiPredicate<String, IoRequest> failing = (file, request) -> false;
    BiPredicate<String, IoRequest> held = (file, request) -> false;
    BlockError error = BlockError.EIO;
    private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();

    FaultyBrick(MemoryXlator below) {
        super("faulty", "testkit/faulty", below);
    }

    int heldCount() {
        return waiting.size();
    }

    /** Passes on what was held first; the others wait on. */
    void letGoFirst() {
        waiting.remove().run();
    }

    /** Passes on what was held, on its loop; from now on nothing is. */
    void letGo() {
        held = (file, request) -> false;
        while (!waiting.isEmpty()) {
            waiting.remove().run();
        }
    }

    @Override
    public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
        return subvolume().open(fileName, options, loop).thenApply(file -> new Faulty(file, loop));
    }

    private final class Faulty extends PassThroughFile {
        private final Loop loop;

        Faulty(XlatorFile below, Loop loop) {
            super(below);
            this.loop = loop;
        }

        @Override
        public void submit(IoRequest request) {
            if (failing.test(fileName(), request)) {
                request.complete(error);
            } else if (held.test(fileName(), request)) {
                waiting.add(() -> loop.execute(() -> below().submit(request)));
            } else {
                below().submit(request);
            }
        }
    }
}
