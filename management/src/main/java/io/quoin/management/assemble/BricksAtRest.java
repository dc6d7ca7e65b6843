package io.quoin.management.assemble;

import io.quoin.brick.posix.PosixType;
import io.quoin.xlator.NameText;
import io.quoin.xlator.Stages;
import io.quoin.xlator.graph.Graph;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.Volfile;
import io.quoin.xlator.graph.VolumeSpec;
import io.quoin.xlator.graph.XlatorTypes;
import io.quoin.xlator.loop.NettyLoopGroup;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;

/**
 * Holds the locks of brick folders, so that no process uses them meanwhile. Nothing is made in
 * them.
 *
 * <p>Threading: confined to its thread; blocks.
 */
public final class BricksAtRest implements AutoCloseable {
    private final NettyLoopGroup loops = new NettyLoopGroup(1);
    private final Deque<Graph> held = new ArrayDeque<>();

    /**
     * @throws io.quoin.block.BlockException EBUSY if a process uses one of them, naming it
     */
    public BricksAtRest(List<Path> folders) {
        try {
            folders.forEach(folder -> held.push(hold(folder)));
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private Graph hold(Path folder) {
        VolumeSpec node =
                new VolumeSpec(
                        "brick",
                        "storage/posix",
                        Map.of("directory", NameText.of(folder), "brick", "off"),
                        List.of());
        return Graph.build(
                Volfile.of(List.of(node)),
                new GraphContext(loops, Runnable::run, folder),
                XlatorTypes.of(List.of(new PosixType())));
    }

    @Override
    public void close() {
        while (!held.isEmpty()) {
            Stages.await(held.pop().close());
        }
        loops.close();
    }
}
