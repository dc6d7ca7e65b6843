package io.quoin.xlator.boundary;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.quoin.block.BlockError;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoFlags;
import io.quoin.block.IoRequest;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.sim.VirtualLoop;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileListener;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.OptionValues;
import io.quoin.xlator.graph.XlatorType;
import io.quoin.xlator.graph.XlatorTypes;
import io.quoin.xlator.loop.Loop;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What stays on in production costs no garbage: boundaries and counters on the way of a request.
 */
@Timeout(120)
class DataPathAllocationTest {
    private static final int REQUESTS = 20_000;

    private final VirtualLoopGroup loops = new VirtualLoopGroup(1);
    private final VirtualLoop loop = loops.loop(0);
    private final IoCompletion whenDone = this::onComplete;
    private int completed;

    @Test
    void shouldNotAllocateWhenRequestsPass() {
        XlatorFile top = new BoundaryFile(open(), loop, "node", FileListener.NONE, () -> {}, false);
        IoRequest request = new IoRequest();
        UnsafeBuffer memory = FileDriver.direct(4096);
        for (int i = 0; i < 5; i++) {
            loop.run(() -> run(top, request, memory));
        }
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long leastBytes = Long.MAX_VALUE;
        // What every request costs shows each time; what the JVM does once in a while does not.
        for (int i = 0; i < 5; i++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            loop.run(() -> run(top, request, memory));
            leastBytes = Math.min(leastBytes, threads.getCurrentThreadAllocatedBytes() - before);
        }
        long perRequest = leastBytes / REQUESTS;
        assertThat(completed).isEqualTo(10 * REQUESTS);
        assertThat(perRequest).isZero();
    }

    /** throttle, io-stats and a file that completes at once, with boundaries between them. */
    private XlatorFile open() {
        MemoryXlator memory = new MemoryXlator("memory");
        loops.await(memory.create("a", CreateOptions.ofSize(1 << 20)));
        Xlator sink = new Sink(memory);
        Xlator stats = new Guarded(filter("debug/io-stats", Map.of(), sink));
        Xlator limited =
                filter(
                        "features/throttle",
                        Map.of("iops-total", "1G", "iops-total-burst", "1G"),
                        stats);
        return loops.await(limited.open("a", OpenOptions.READ_WRITE, loop));
    }

    private Xlator filter(String typeName, Map<String, String> given, Xlator below) {
        XlatorType type = XlatorTypes.load().find(typeName).orElseThrow();
        GraphContext context = new GraphContext(loops, loops.blocking(), Path.of("."));
        return type.create(
                "node", new OptionValues(type.options(), given), List.of(below), context);
    }

    /** A boundary as in production, without the costly checks. */
    private static final class Guarded extends PassThroughXlator {
        Guarded(Xlator below) {
            super("guarded", "test/guarded", below);
        }

        @Override
        public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
            return subvolume()
                    .open(fileName, options, loop)
                    .thenApply(
                            file ->
                                    new BoundaryFile(
                                            file,
                                            loop,
                                            "node",
                                            FileListener.NONE,
                                            () -> {},
                                            false));
        }
    }

    private static final class Sink extends PassThroughXlator {
        Sink(Xlator below) {
            super("sink", "test/sink", below);
        }

        @Override
        public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
            return subvolume().open(fileName, options, loop).thenApply(SinkFile::new);
        }
    }

    private static final class SinkFile extends PassThroughFile {
        SinkFile(XlatorFile below) {
            super(below);
        }

        @Override
        public void submit(IoRequest request) {
            request.complete(BlockError.OK);
        }
    }

    private void run(XlatorFile device, IoRequest request, UnsafeBuffer memory) {
        for (int i = 0; i < REQUESTS; i++) {
            request.read(i % 100 * 4096L, 4096, IoFlags.NONE);
            request.memory().add(memory, 0, 4096);
            request.push(whenDone);
            device.submit(request);
        }
    }

    private void onComplete(IoRequest request, BlockError error) {
        if (error.isOk()) {
            completed++;
        }
    }
}
