package io.quoin.nbd.client;

import io.quoin.block.BlockError;
import io.quoin.block.ExtentList;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.loop.NettyLoopGroup;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * An export that is open, behind a face that waits. A request that ends twice fails by itself.
 *
 * <p>Threading: confined to the test.
 */
final class ClientDriver implements AutoCloseable {
    private static final int EXTENTS_MAX = 16;
    private static final byte STALE = 0x5A;

    private final NettyLoopGroup loops = new NettyLoopGroup(1);
    private final Loop loop = loops.loops().get(0);
    final XlatorFile file;

    ClientDriver(ScriptedServer server) throws Exception {
        file =
                NbdClient.open(server.uri(), OpenMode.READ_WRITE, loop, Runnable::run)
                        .toCompletableFuture()
                        .get(20, TimeUnit.SECONDS);
    }

    CompletableFuture<BlockError> start(IoRequest request) {
        CompletableFuture<BlockError> ended = new CompletableFuture<>();
        request.push((same, error) -> ended.complete(error));
        loop.execute(() -> file.submit(request));
        return ended;
    }

    BlockError perform(IoRequest request) throws Exception {
        return start(request).get(20, TimeUnit.SECONDS);
    }

    /** Memory that a READ fills; until then it has what no server sent. */
    static UnsafeBuffer memory(int lengthBytes) {
        UnsafeBuffer memory = new UnsafeBuffer(BufferUtil.allocateDirectAligned(lengthBytes, 4096));
        memory.setMemory(0, lengthBytes, STALE);
        return memory;
    }

    static IoRequest read(long offset, UnsafeBuffer memory) {
        IoRequest request = new IoRequest().read(offset, memory.capacity(), IoFlags.NONE);
        request.memory().add(memory, 0, memory.capacity());
        return request;
    }

    static IoRequest write(long offset, UnsafeBuffer memory, int flags) {
        IoRequest request = new IoRequest().write(offset, memory.capacity(), flags);
        request.memory().add(memory, 0, memory.capacity());
        return request;
    }

    static IoRequest status(long offset, long length) {
        return new IoRequest()
                .prepare(IoOp.BLOCK_STATUS, offset, length, IoFlags.NONE)
                .extents(new ExtentList(EXTENTS_MAX));
    }

    /** Why the file fails everything. */
    String failure() throws Exception {
        return CompletableFuture.supplyAsync(
                        () -> String.valueOf(file.details().get("failure")), loop)
                .get(20, TimeUnit.SECONDS);
    }

    void abort(BlockError error) {
        loop.execute(() -> file.abort(error));
    }

    void closeFile() {
        CompletableFuture.supplyAsync(file::close, loop)
                .thenCompose(Function.identity())
                .handle((closed, failure) -> failure) // the server may be gone
                .orTimeout(20, TimeUnit.SECONDS)
                .join();
    }

    @Override
    public void close() {
        closeFile();
        loops.close();
    }
}
