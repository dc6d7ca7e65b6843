package io.quoin.management.brick;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.brick.posix.PosixType;
import io.quoin.xlator.NameText;
import io.quoin.xlator.Stages;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.graph.Graph;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.Volfile;
import io.quoin.xlator.graph.VolumeSpec;
import io.quoin.xlator.graph.XlatorTypes;
import io.quoin.xlator.loop.NettyLoop;
import io.quoin.xlator.loop.NettyLoopGroup;
import io.quoin.xlator.memory.ProcessMemory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The folder of a brick behind storage/posix, which holds its lock, with the one loop that the
 * brick lives on.
 *
 * <p>Threading: thread-safe; {@link #close} blocks.
 */
final class BrickFolder implements AutoCloseable {
    /** Work on names, one after the other as the brick asks for it. */
    private static final int BLOCKING_THREADS = 2;

    private static final long END_SECONDS = 30;
    private static final String NODE = "brick";

    private final NettyLoopGroup loops;
    private final ExecutorService blocking;
    private final Graph graph;

    private BrickFolder(NettyLoopGroup loops, ExecutorService blocking, Graph graph) {
        this.loops = loops;
        this.blocking = blocking;
        this.graph = graph;
    }

    /**
     * Opens and locks a folder, and makes it first if it is missing.
     *
     * @param whenTaskFails hears of errors of the program: what the brick has in memory cannot be
     *     relied on any more
     * @throws BlockException EBUSY if a process has it
     */
    static BrickFolder open(Path folder, Consumer<Throwable> whenTaskFails) {
        NettyLoopGroup loops = new NettyLoopGroup(1, whenTaskFails);
        ExecutorService blocking =
                Executors.newFixedThreadPool(
                        BLOCKING_THREADS,
                        task -> {
                            Thread thread = new Thread(task, "quoin-blocking");
                            thread.setDaemon(true);
                            return thread;
                        });
        boolean isOpen = false;
        try {
            Path absolute = NameText.absolute(folder);
            VolumeSpec node =
                    new VolumeSpec(
                            NODE,
                            "storage/posix",
                            Map.of("directory", NameText.of(absolute)),
                            List.of());
            Graph graph =
                    Graph.build(
                            Volfile.of(List.of(node)),
                            new GraphContext(
                                    loops,
                                    blocking,
                                    absolute,
                                    new ProcessMemory(ProcessMemory.BYTES_MIN)),
                            XlatorTypes.of(List.of(new PosixType())));
            isOpen = true;
            return new BrickFolder(loops, blocking, graph);
        } finally {
            if (!isOpen) {
                blocking.shutdown();
                loops.close();
            }
        }
    }

    /**
     * That a folder is there. It is not made: where a file system is not mounted there is a folder
     * too few, or an empty one.
     *
     * @throws BlockException ENOENT if it is missing, EINVAL if it is no folder
     */
    static void requireThere(Path folder) {
        String path = NameText.of(folder);
        if (!Files.exists(folder)) {
            throw new BlockException(
                    BlockError.ENOENT,
                    "folder of the brick is missing: path="
                            + path
                            + "; is its file system mounted? A new one is made by mkdir");
        }
        try (Stream<Path> content = Files.list(folder)) {
            Optional<Path> unused = content.findFirst();
        } catch (IOException e) {
            throw Reason.failure("folder of the brick cannot be used", path, e);
        }
    }

    NettyLoop loop() {
        return (NettyLoop) loops.loops().get(0);
    }

    Xlator xlator() {
        return graph.top();
    }

    @Override
    public void close() {
        try {
            Stages.await(graph.close());
            blocking.shutdown();
            if (!blocking.awaitTermination(END_SECONDS, TimeUnit.SECONDS)) {
                blocking.shutdownNow();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            loops.close();
        }
    }
}
