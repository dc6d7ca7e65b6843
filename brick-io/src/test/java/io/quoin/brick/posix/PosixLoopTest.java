package io.quoin.brick.posix;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.testkit.FileDriver;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.OptionValues;
import io.quoin.xlator.graph.XlatorType;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.loop.NettyLoopGroup;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** On a real loop, made by the service loader as a graph does it. */
@Timeout(120)
class PosixLoopTest {
    private static final int MIB = 1 << 20;
    private static final int BLOCK = 4096;
    private static final int ADVISE_DONT_NEED = 4;

    @TempDir Path folder;

    private final NettyLoopGroup loops = new NettyLoopGroup(1);
    private final ExecutorService blocking = Executors.newSingleThreadExecutor();
    private final Loop loop = loops.next();
    private Xlator xlator;

    @BeforeEach
    void openBrick() {
        XlatorType type =
                ServiceLoader.load(XlatorType.class).stream()
                        .map(ServiceLoader.Provider::get)
                        .filter(found -> found.type().equals("storage/posix"))
                        .findFirst()
                        .orElseThrow();
        xlator =
                type.create(
                        "brick",
                        new OptionValues(type.options(), Map.of("directory", "relative/brick")),
                        List.of(),
                        new GraphContext(loops, blocking, folder));
    }

    @AfterEach
    void closeAll() {
        xlator.close().toCompletableFuture().join();
        loops.close();
        blocking.shutdown();
    }

    private XlatorFile open(String name, long sizeBytes) {
        xlator.create(name, CreateOptions.ofSize(sizeBytes)).toCompletableFuture().join();
        return reopen(name);
    }

    private XlatorFile reopen(String name) {
        return xlator.open(name, OpenOptions.READ_WRITE, loop).toCompletableFuture().join();
    }

    private void close(XlatorFile file) {
        CompletableFuture<Void> closed = new CompletableFuture<>();
        loop.execute(
                () ->
                        file.close()
                                .whenComplete(
                                        (done, failure) -> {
                                            if (failure == null && loop.inLoop()) {
                                                closed.complete(null);
                                            } else {
                                                closed.completeExceptionally(
                                                        new AssertionError("close", failure));
                                            }
                                        }));
        closed.join();
    }

    private CompletableFuture<BlockError> submit(XlatorFile file, IoRequest request) {
        CompletableFuture<BlockError> ended = new CompletableFuture<>();
        request.push(
                (completed, error) -> {
                    if (loop.inLoop()) {
                        ended.complete(error);
                    } else {
                        ended.completeExceptionally(new AssertionError("outside of the loop"));
                    }
                });
        loop.execute(() -> file.submit(request));
        return ended;
    }

    private static IoRequest read(long offset, UnsafeBuffer memory, int index, int length) {
        IoRequest request = new IoRequest().read(offset, length, IoFlags.NONE);
        request.memory().add(memory, index, length);
        return request;
    }

    private static IoRequest write(long offset, UnsafeBuffer memory, int index, int length) {
        IoRequest request = new IoRequest().write(offset, length, IoFlags.NONE);
        request.memory().add(memory, index, length);
        return request;
    }

    private void dropFromPageCache(String name) {
        byte[] path = TestLibC.text(folder.resolve("relative/brick").resolve(name).toString());
        int fd = SystemCalls.openat(SystemCalls.AT_FDCWD, path, SystemCalls.O_RDONLY, 0);
        assertThat(SystemCalls.fsync(fd)).isZero();
        assertThat(SystemCalls.fadvise(fd, 0, 0, ADVISE_DONT_NEED)).isZero();
        SystemCalls.close(fd);
    }

    private static UnsafeBuffer filled(int length) {
        UnsafeBuffer buffer = FileDriver.direct(length);
        buffer.putBytes(0, PosixFileTest.bytes(length));
        return buffer;
    }

    @Test
    void shouldReadTheSameWhenThePageCacheIsCold() {
        UnsafeBuffer data = filled(8 * MIB);
        XlatorFile file = open("disk.raw", 8 * MIB);
        assertThat(submit(file, write(0, data, 0, 8 * MIB)).join()).isEqualTo(BlockError.OK);
        close(file);
        dropFromPageCache("disk.raw");
        XlatorFile again = reopen("disk.raw");
        UnsafeBuffer back = FileDriver.direct(8 * MIB);
        List<CompletableFuture<BlockError>> ends = new ArrayList<>();
        for (int i = 0; i < 8 * MIB / BLOCK; i++) {
            int offset = Integer.reverse(i) >>> 21; // every block, scattered
            ends.add(submit(again, read((long) offset * BLOCK, back, offset * BLOCK, BLOCK)));
        }
        assertThat(ends).allSatisfy(end -> assertThat(end.join()).isEqualTo(BlockError.OK));
        assertThat(back.compareTo(data)).isZero();
        Map<String, Object> details = detailsOf(again);
        assertThat((Long) details.get("reads-pooled")).isPositive();
        close(again);
    }

    @Test
    void shouldFetchAheadWhenColdReadsAreSequential() {
        UnsafeBuffer data = filled(16 * MIB);
        XlatorFile file = open("disk.raw", 16 * MIB);
        assertThat(submit(file, write(0, data, 0, 16 * MIB)).join()).isEqualTo(BlockError.OK);
        close(file);
        dropFromPageCache("disk.raw");
        XlatorFile again = reopen("disk.raw");
        UnsafeBuffer back = FileDriver.direct(16 * MIB);
        for (int offset = 0; offset < 16 * MIB; offset += 64 * 1024) {
            assertThat(submit(again, read(offset, back, offset, 64 * 1024)).join())
                    .isEqualTo(BlockError.OK);
        }
        assertThat(back.compareTo(data)).isZero();
        Map<String, Object> details = detailsOf(again);
        assertThat((Long) details.get("prefetched-bytes")).isGreaterThan(8L * MIB);
        assertThat((Long) details.get("reads-inline")).isPositive();
        IoRequest hint = new IoRequest().prepare(IoOp.CACHE, 0, 16 * MIB, IoFlags.NONE);
        assertThat(submit(again, hint).join()).isEqualTo(BlockError.OK);
        close(again);
    }

    @Test
    void shouldMoveEverySegmentWhenThereAreMoreThanTheKernelTakes() {
        int segments = 5000;
        int length = 77;
        UnsafeBuffer data = filled(segments * (length + 3));
        IoRequest write = new IoRequest().write(12_345, (long) segments * length, IoFlags.FUA);
        UnsafeBuffer back = FileDriver.direct(data.capacity());
        IoRequest read = new IoRequest().read(12_345, (long) segments * length, IoFlags.NONE);
        for (int i = 0; i < segments; i++) {
            write.memory().add(data, i * (length + 3), length);
            read.memory().add(back, i * (length + 3), length);
        }
        XlatorFile file = open("disk.raw", 4096);
        assertThat(submit(file, write).join()).isEqualTo(BlockError.OK);
        assertThat(submit(file, read).join()).isEqualTo(BlockError.OK);
        for (int i = 0; i < segments; i++) {
            for (int j = 0; j < length + 3; j++) {
                int at = i * (length + 3) + j;
                assertThat(back.getByte(at)).isEqualTo(j < length ? data.getByte(at) : 0);
            }
        }
        close(file);
    }

    @Test
    void shouldBeReadBySomebodyElseWhenFlushed() throws Exception {
        UnsafeBuffer data = filled(100_000);
        XlatorFile file = open("disk.raw", 0);
        assertThat(submit(file, write((1L << 32) + 7, data, 0, 100_000)).join())
                .isEqualTo(BlockError.OK);
        assertThat(submit(file, new IoRequest().flush()).join()).isEqualTo(BlockError.OK);
        byte[] read = new byte[100_000];
        Path path = folder.resolve("relative/brick/disk.raw");
        try (RandomAccessFile other = new RandomAccessFile(path.toFile(), "r")) {
            other.seek((1L << 32) + 7);
            other.readFully(read);
        }
        assertThat(Arrays.equals(read, PosixFileTest.bytes(100_000))).isTrue();
        close(file);
    }

    private Map<String, Object> detailsOf(XlatorFile file) {
        return CompletableFuture.supplyAsync(file::details, loop).join();
    }
}
