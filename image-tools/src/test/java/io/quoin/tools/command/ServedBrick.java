package io.quoin.tools.command;

import io.quoin.xlator.Stages;
import io.quoin.xlator.graph.Graph;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.Volfile;
import io.quoin.xlator.graph.VolumeSpec;
import io.quoin.xlator.loop.NettyLoopGroup;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A brick's folder as a volume has it open: made where it is missing, and locked. */
final class ServedBrick implements AutoCloseable {
    private final Path folder;
    private final NettyLoopGroup loops = new NettyLoopGroup(1);
    private final Graph graph;

    ServedBrick(Path folder) {
        this.folder = folder;
        VolumeSpec files =
                new VolumeSpec(
                        "files",
                        "storage/posix",
                        Map.of("directory", folder.toString()),
                        List.of());
        graph =
                Graph.build(
                        Volfile.of(List.of(files)), new GraphContext(loops, Runnable::run, folder));
    }

    Path folder() {
        return folder;
    }

    @Override
    public void close() {
        Stages.await(graph.close());
        loops.close();
    }
}
