package io.quoin.testkit;

import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.graph.Graph;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.Volfile;
import java.nio.file.Path;

/** Graphs on virtual loops. */
public final class GraphBed {
    private GraphBed() {}

    /** A memory brick named {@code brick} with the given volumes above it. */
    public static Graph build(VirtualLoopGroup loops, String volumesAbove) {
        return buildAll(loops, "volume brick\n type testkit/memory\nend-volume\n" + volumesAbove);
    }

    public static Graph buildAll(VirtualLoopGroup loops, String volfile) {
        return Graph.build(
                Volfile.parse(volfile, "test.vol"),
                new GraphContext(loops, loops.blocking(), Path.of(".")));
    }
}
