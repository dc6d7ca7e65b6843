package io.quoin.benchmarks.jmh;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.quoin.block.Capabilities;
import io.quoin.block.Geometry;
import io.quoin.block.ring.DiskRing;
import io.quoin.block.ring.RingOptions;
import io.quoin.nbd.export.Export;
import io.quoin.nbd.protocol.RequestLayout;
import io.quoin.nbd.protocol.TransmissionFlags;
import io.quoin.nbd.transmission.BufferPool;
import io.quoin.nbd.transmission.LoopShares;
import io.quoin.nbd.transmission.MemoryBudget;
import io.quoin.nbd.transmission.ReceiveSource;
import io.quoin.nbd.transmission.Session;
import io.quoin.nbd.transmission.TransmissionHandler;
import io.quoin.xlator.loop.Loop;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * A connection without sockets over a disk that does nothing: 32 requests of 4 KiB are received at
 * once, parsed, offered to the ring, drained and answered.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class NbdBenchmark {
    private static final int BATCH = 32;
    private static final int BLOCK = 4096;

    @Param({"simple", "structured"})
    public String replies = "simple";

    private final BenchLoop loop = new BenchLoop();
    private final NullXlator.NullFile file = new NullXlator.NullFile();
    private final DiskRing ring =
            DiskRing.create(file, loop, loop::inLoop, loop.requests(), RingOptions.defaults());
    private final BufferPool buffers = new BufferPool(1);
    private final ReceiveSource source = new ReceiveSource();

    // Channels ask for a type that is deprecated.
    @SuppressWarnings("deprecation")
    private final RecvByteBufAllocator.Handle receive = source.newHandle();

    private final ByteBuf reads = Unpooled.directBuffer(BATCH * RequestLayout.BYTES);
    private final ByteBuf writes = Unpooled.directBuffer(BATCH * (RequestLayout.BYTES + BLOCK));
    private final EmbeddedChannel channel = new EmbeddedChannel();
    private long cookie;

    /** The disk as a connection holds it. */
    private record BenchExport(NullXlator.NullFile file, DiskRing ring, Loop loop)
            implements Export {
        @Override
        public String name() {
            return "benchmark";
        }

        @Override
        public String description() {
            return "";
        }

        @Override
        public boolean readOnly() {
            return false;
        }

        @Override
        public Geometry geometry() {
            return file.geometry();
        }

        @Override
        public Capabilities capabilities() {
            return file.capabilities();
        }

        @Override
        public CompletionStage<Void> close() {
            return CompletableFuture.completedFuture(null);
        }
    }

    @Setup(Level.Trial)
    public void connect() {
        boolean isStructured = replies.equals("structured");
        Session session =
                new Session(
                        new BenchExport(file, ring, loop),
                        file.geometry().sizeBytes(),
                        TransmissionFlags.of(file.capabilities(), false, isStructured),
                        isStructured,
                        false,
                        null);
        channel.config().setAllocator(buffers.allocator());
        channel.pipeline()
                .addLast(
                        new TransmissionHandler(
                                session,
                                new MemoryBudget(256L << 20),
                                buffers,
                                new LoopShares(),
                                new TransmissionHandler.Limits(
                                        1024, 64L << 20, Duration.ofSeconds(20)),
                                source,
                                Unpooled.buffer(0),
                                () -> {}));
        for (int i = 0; i < BATCH; i++) {
            header(reads, RequestLayout.READ);
            header(writes, RequestLayout.WRITE);
            writes.writeZero(BLOCK);
        }
    }

    private void header(ByteBuf out, int type) {
        out.writeInt(RequestLayout.MAGIC).writeShort(0).writeShort(type);
        out.writeLong(cookie++).writeLong(2 * cookie * BLOCK).writeInt(BLOCK);
    }

    @Benchmark
    @OperationsPerInvocation(BATCH)
    public int reads() {
        return transfer(reads);
    }

    @Benchmark
    @OperationsPerInvocation(BATCH)
    public int writes() {
        return transfer(writes);
    }

    private int transfer(ByteBuf requests) {
        int at = requests.readerIndex();
        while (at < requests.writerIndex()) {
            ByteBuf slab = receive.allocate(channel.alloc());
            int part = Math.min(slab.writableBytes(), requests.writerIndex() - at);
            slab.writeBytes(requests, at, part);
            at += part;
            channel.pipeline().fireChannelRead(slab);
        }
        channel.pipeline().fireChannelReadComplete();
        loop.runTasks();
        channel.runPendingTasks();
        int answeredBytes = 0;
        while (true) {
            ByteBuf out = channel.readOutbound();
            if (out == null) {
                break;
            }
            answeredBytes += out.readableBytes();
            out.release();
        }
        if (answeredBytes < BATCH * 16) {
            throw new IllegalStateException("requests without a reply: " + answeredBytes);
        }
        return answeredBytes;
    }
}
