package io.quoin.benchmarks.jmh;

import io.quoin.block.BlockError;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoFlags;
import io.quoin.block.IoRequest;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.debug.IoStatsType;
import io.quoin.xlator.graph.Graph;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.Volfile;
import io.quoin.xlator.graph.XlatorTypes;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.UnsafeBuffer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** A read through a graph that does nothing: what nodes and their checked boundaries cost. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class GraphBenchmark implements IoCompletion {
    private static final String BOTTOM =
            "volume n0\n    type " + NullXlator.TYPE + "\nend-volume\n";
    private static final String STATISTICS =
            "volume n1\n    type debug/io-stats\n    subvolumes n0\nend-volume\n";

    /** The file itself; behind one boundary; io-stats above it, with two boundaries. */
    @Param({"file", "boundary", "io-stats"})
    public String graph = "file";

    private final BenchLoop loop = new BenchLoop();
    private final IoRequest request = new IoRequest();
    private final UnsafeBuffer memory = new UnsafeBuffer(ByteBuffer.allocateDirect(4096));
    private XlatorFile file = new NullXlator.NullFile();
    private long answered;

    @Setup(Level.Trial)
    public void open() {
        if (graph.equals("file")) {
            return;
        }
        String text = graph.equals("boundary") ? BOTTOM : BOTTOM + STATISTICS;
        Graph built =
                Graph.build(
                        Volfile.parse(text, "GraphBenchmark"),
                        new GraphContext(loop.group(), Runnable::run, Path.of("")),
                        XlatorTypes.of(List.of(new NullXlator.Type(), new IoStatsType())));
        file = loop.await(built.top().open("null", OpenOptions.READ_WRITE, loop));
    }

    @Override
    public void onComplete(IoRequest done, BlockError error) {
        answered++;
    }

    @Benchmark
    public long read() {
        request.read(4096, 4096, IoFlags.NONE).memory().add(memory, 0, 4096);
        request.push(this);
        file.submit(request);
        return answered;
    }
}
