package io.quoin.management.e2e;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoRequest;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Stages;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.graph.Graph;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.Volfile;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.loop.NettyLoopGroup;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.UnsafeBuffer;

/** A file of a graph of its own, as a process with nothing else has it. */
final class GraphDisk implements AutoCloseable {
    static final int BLOCK_BYTES = 4096;

    private static final String NAME = "disk";

    private final NettyLoopGroup loops = new NettyLoopGroup(1);
    private final ExecutorService blocking = Executors.newCachedThreadPool();
    private final Loop loop = loops.next();
    private final Graph graph;
    private XlatorFile file;

    /** How a request ended, and with which bytes. */
    record Answer(BlockError error, long value) {}

    GraphDisk(String volfile, Path folder) {
        graph =
                Graph.build(
                        Volfile.parse(volfile, "test.vol"),
                        new GraphContext(loops, blocking, folder));
    }

    void create(long sizeBytes) {
        Stages.await(graph.top().create(NAME, CreateOptions.ofSize(sizeBytes)));
    }

    /** Fails as the graph does. */
    void open() {
        file = Stages.await(graph.top().open(NAME, OpenOptions.READ_WRITE, loop));
    }

    /** Fills a block with a value. */
    CompletableFuture<Answer> write(int block, long value) {
        UnsafeBuffer memory = new UnsafeBuffer(ByteBuffer.allocateDirect(BLOCK_BYTES));
        for (int at = 0; at < BLOCK_BYTES; at += Long.BYTES) {
            memory.putLong(at, value);
        }
        return submit(true, block, memory);
    }

    /** The value that the whole block has; -1 if it has several. */
    CompletableFuture<Answer> read(int block) {
        return submit(false, block, new UnsafeBuffer(ByteBuffer.allocateDirect(BLOCK_BYTES)));
    }

    private CompletableFuture<Answer> submit(boolean isWrite, int block, UnsafeBuffer memory) {
        CompletableFuture<Answer> done = new CompletableFuture<>();
        loop.execute(
                () -> {
                    IoRequest request = new IoRequest();
                    long offset = (long) block * BLOCK_BYTES;
                    if (isWrite) {
                        request.write(offset, BLOCK_BYTES, IoFlags.NONE);
                    } else {
                        request.read(offset, BLOCK_BYTES, IoFlags.NONE);
                    }
                    request.memory().add(memory, 0, BLOCK_BYTES);
                    request.push(
                            (completed, error) -> done.complete(new Answer(error, value(memory))));
                    file.submit(request);
                });
        return done;
    }

    private static long value(UnsafeBuffer memory) {
        long value = memory.getLong(0);
        for (int at = 0; at < BLOCK_BYTES; at += Long.BYTES) {
            if (memory.getLong(at) != value) {
                return -1;
            }
        }
        return value;
    }

    /** Gives the file back, so that another process can have it at once. */
    void closeFile() throws Exception {
        CompletableFuture<Void> closed = new CompletableFuture<>();
        loop.execute(
                () ->
                        file.close()
                                .whenComplete(
                                        (none, failure) -> {
                                            if (failure == null) {
                                                closed.complete(null);
                                            } else {
                                                closed.completeExceptionally(failure);
                                            }
                                        }));
        closed.get(1, TimeUnit.MINUTES);
        file = null;
    }

    /** Ends the process, so to speak; what is open stays so. */
    @Override
    public void close() {
        loops.close();
        blocking.shutdownNow();
    }

    /** Ends it in good order. */
    void closeGraph() {
        Stages.await(graph.close());
        close();
    }
}
