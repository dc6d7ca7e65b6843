package io.quoin.benchmarks.jmh;

import io.quoin.block.BlockError;
import io.quoin.block.Invariant;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoFlags;
import io.quoin.block.IoRequest;
import io.quoin.brick.posix.LibC;
import io.quoin.brick.posix.PosixType;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.OptionValues;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import jnr.ffi.LibraryLoader;
import org.agrona.concurrent.UnsafeBuffer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * 4 KiB at random places of a file of 64 MiB that the page cache holds: the system call alone
 * through jnr-ffi, the JDK's FileChannel beside it, and storage/posix with all it does.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class PosixBenchmark implements IoCompletion {
    private static final int BLOCK = 4096;
    private static final int BLOCKS = 16_384;
    private static final int AT_FDCWD = -100;
    private static final int O_RDWR = 2;
    private static final String NAME = "benchmark.raw";

    private final BenchLoop loop = new BenchLoop();
    private final ExecutorService blocking = Executors.newSingleThreadExecutor();
    private final LibC libC = LibraryLoader.create(LibC.class).load("c");
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BLOCK);
    private final UnsafeBuffer memory = new UnsafeBuffer(buffer);
    private final IoRequest request = new IoRequest();
    private final Open open = new Open(loop, blocking);
    private final int fd = libC.openat(AT_FDCWD, cString(open.path), O_RDWR, 0);
    private int random = 1;
    private boolean isDone;

    /** The same file, opened by the JDK and by the brick. */
    private static final class Open {
        private final BenchFolder folder = BenchFolder.make();
        private final Path path;
        private final FileChannel channel;
        private final Xlator brick;
        private final XlatorFile file;

        Open(BenchLoop loop, ExecutorService blocking) {
            try {
                PosixType type = new PosixType();
                brick =
                        type.create(
                                "brick",
                                new OptionValues(
                                        type.options(),
                                        Map.of("directory", folder.path().toString())),
                                List.of(),
                                new GraphContext(loop.group(), blocking, folder.path()));
                loop.await(brick.create(NAME, CreateOptions.ofSize((long) BLOCK * BLOCKS)));
                file = loop.await(brick.open(NAME, OpenOptions.READ_WRITE, loop));
                path = folder.path().resolve(NAME);
                channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
            } catch (IOException e) {
                throw new UncheckedIOException("cannot make the file to measure with", e);
            }
        }
    }

    /** Every block by a write of one block, which is the history of a disk's image. */
    @Setup(Level.Trial)
    public void fill() throws IOException {
        for (int block = 0; block < BLOCKS; block++) {
            open.channel.write(buffer.clear(), (long) block * BLOCK);
        }
    }

    @TearDown(Level.Trial)
    public void close() throws IOException {
        libC.close(fd);
        open.channel.close();
        loop.await(open.file.close());
        loop.await(open.brick.remove(NAME));
        loop.await(open.brick.close());
        blocking.shutdown();
        open.folder.remove();
    }

    private static byte[] cString(Path path) {
        return (path + "\0").getBytes(StandardCharsets.UTF_8);
    }

    private long nextOffset() {
        random = random * 1_103_515_245 + 12_345;
        return (long) (random >>> 18) * BLOCK;
    }

    @Benchmark
    public long preadByJnr() {
        return libC.pread(fd, memory.addressOffset(), BLOCK, nextOffset());
    }

    @Benchmark
    public long pwriteByJnr() {
        return libC.pwrite(fd, memory.addressOffset(), BLOCK, nextOffset());
    }

    @Benchmark
    public int readByChannel() throws IOException {
        return open.channel.read(buffer.clear(), nextOffset());
    }

    @Benchmark
    public int writeByChannel() throws IOException {
        return open.channel.write(buffer.clear(), nextOffset());
    }

    @Benchmark
    public boolean readByBrick() {
        return run(request.read(nextOffset(), BLOCK, IoFlags.NONE));
    }

    @Benchmark
    public boolean writeByBrick() {
        return run(request.write(nextOffset(), BLOCK, IoFlags.NONE));
    }

    private boolean run(IoRequest prepared) {
        prepared.memory().add(memory, 0, BLOCK);
        prepared.push(this);
        isDone = false;
        open.file.submit(prepared);
        while (!isDone) {
            if (!loop.runTasks()) {
                Thread.onSpinWait();
            }
        }
        return true;
    }

    @Override
    public void onComplete(IoRequest done, BlockError error) {
        Invariant.check(error.isOk(), "a benchmark's request failed");
        isDone = true;
    }
}
