package io.quoin.block.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.BlockStatus;
import io.quoin.block.Capabilities;
import io.quoin.block.Capability;
import io.quoin.block.Geometry;
import io.quoin.block.IoFlags;
import io.quoin.block.ScriptedDevice;
import io.quoin.block.ScriptedDevice.Seen;
import io.quoin.block.ScriptedDevice.Timing;
import io.quoin.block.ring.DiskRing;
import io.quoin.block.ring.RingOptions;
import io.quoin.block.ring.RingThread;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.agrona.ExpandableArrayBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class RingDiskTest {
    private static final int SIZE = 8 << 20;

    private final RingThread thread = RingThread.start("disk");
    private final ScriptedDevice device = new ScriptedDevice(SIZE, Timing.LATER, thread);
    private final AtomicInteger released = new AtomicInteger();

    @AfterEach
    void endThread() {
        thread.close();
    }

    private Disk disk() {
        return disk(RingOptions.defaults());
    }

    private Disk disk(RingOptions options) {
        DiskRing ring =
                DiskRing.create(device, thread, thread::inThread, thread.requests(), options);
        return Disk.over(
                "vm1",
                ring,
                () -> {
                    released.incrementAndGet();
                    return ring.close();
                });
    }

    private static ByteBuffer random(ByteBuffer buffer, long seed) {
        byte[] bytes = new byte[buffer.capacity()];
        new Random(seed).nextBytes(bytes);
        return buffer.put(0, bytes);
    }

    private List<String> seen() {
        // On the owner, which writes the list.
        return CompletableFuture.supplyAsync(
                        () -> device.seen().stream().map(Seen::toString).toList(), thread)
                .join();
    }

    @Test
    void shouldReadWhatWasWrittenWhenBuffersAreDirect() {
        try (Disk disk = disk()) {
            ByteBuffer source = random(ByteBuffer.allocateDirect(10_000), 1).position(100);
            disk.write(4000, source);
            assertThat(source.position()).as("not moved").isEqualTo(100);
            ByteBuffer target = ByteBuffer.allocateDirect(9_900);
            disk.read(4000, target);
            assertThat(target).isEqualTo(source);
            assertThat(seen()).containsExactly("WRITE 4000+9900", "READ 4000+9900");
            assertThat(disk.name()).isEqualTo("vm1");
            assertThat(disk.sizeBytes()).isEqualTo(SIZE);
        }
    }

    @Test
    void shouldReadWhatWasWrittenWhenBuffersAreSlices() {
        try (Disk disk = disk()) {
            ByteBuffer direct = random(ByteBuffer.allocateDirect(8192), 2);
            ByteBuffer slice = direct.slice(1000, 3000).position(7).asReadOnlyBuffer();
            disk.write(0, slice);
            ByteBuffer heap = ByteBuffer.allocate(5000).slice(500, 4000).limit(2993 + 11);
            disk.read(0, heap.position(11));
            assertThat(heap).isEqualTo(slice);
        }
    }

    @Test
    void shouldSplitAndCopyWhenHeapBuffersAreLong() {
        try (Disk disk = disk()) {
            ByteBuffer source = random(ByteBuffer.allocate((3 << 20) + 17), 3);
            disk.write(5, source.asReadOnlyBuffer());
            ByteBuffer target = ByteBuffer.allocate(source.capacity());
            disk.read(5, target);
            assertThat(target).isEqualTo(source);
            assertThat(device.content(5, source.capacity())).isEqualTo(source.array());
        }
    }

    @Test
    void shouldSplitWhenADirectBufferIsMoreThanTheDeviceTakes() {
        device.geometry(Geometry.ofSize(SIZE).blockSizes(1, 512).transferMax(65536));
        try (Disk disk = disk(RingOptions.defaults().withBytesMax(65536).withRequestsMax(2))) {
            ByteBuffer source = random(ByteBuffer.allocateDirect(1 << 20), 4);
            disk.write(0, source);
            ByteBuffer target = ByteBuffer.allocateDirect(1 << 20);
            disk.read(0, target);
            assertThat(target).isEqualTo(source);
        }
        assertThat(seen()).hasSize(33).allMatch(s -> s.endsWith("+65536") || s.equals("FLUSH"));
    }

    @Test
    void shouldTransferWhenBuffersAreAgronas() {
        try (Disk disk = disk()) {
            UnsafeBuffer direct = new UnsafeBuffer(random(ByteBuffer.allocateDirect(4096), 5));
            disk.write(0, direct, 96, 4000, IoFlags.FUA);
            ExpandableArrayBuffer heap = new ExpandableArrayBuffer(8192);
            disk.read(0, heap, 50, 4000);
            assertThat(new UnsafeBuffer(heap, 50, 4000))
                    .isEqualTo(new UnsafeBuffer(direct, 96, 4000));
            UnsafeBuffer view = new UnsafeBuffer(heap.byteArray(), 50, 4000);
            disk.write(8192, view, 10, 100, IoFlags.NONE);
            assertThat(ByteBuffer.wrap(device.content(8192, 100)))
                    .isEqualTo(ByteBuffer.wrap(heap.byteArray(), 60, 100));
            assertThat(seen()).startsWith("WRITE 0+4000 FUA");
        }
    }

    @Test
    void shouldZeroDiscardAndReportWhenAsked() {
        device.extentBytes(4096);
        try (Disk disk = disk()) {
            disk.write(0, random(ByteBuffer.allocateDirect(8192), 6));
            disk.zero(100, 1000);
            disk.discardAsync(4096, 4096, IoFlags.NONE).join();
            disk.flush();
            assertThat(device.content(100, 1000)).isEqualTo(new byte[1000]);
            assertThat(device.content(4096, 4096)).isEqualTo(new byte[4096]);
            int hole = BlockStatus.HOLE | BlockStatus.ZERO;
            assertThat(disk.blockStatus(1000, 8000))
                    .containsExactly(
                            new Extent(1000, 3096, BlockStatus.DATA),
                            new Extent(4096, 4096, hole),
                            new Extent(8192, 808, BlockStatus.DATA));
            assertThat(disk.blockStatus(1000, 0)).isEmpty();
            Extent second = disk.blockStatus(0, 8192).get(1);
            assertThat(second.isZero() && second.isHole()).isTrue();
        }
        assertThat(seen())
                .contains("WRITE_ZEROES 100+1000 MAY_UNMAP", "DISCARD 4096+4096", "FLUSH");
    }

    @Test
    void shouldAskAgainWhenThereAreMoreExtentsThanOneAnswerHolds() {
        device.extentBytes(1024);
        try (Disk disk = disk()) {
            List<Extent> extents = disk.blockStatus(0, SIZE);
            assertThat(extents).hasSize(SIZE / 1024);
            assertThat(extents.get(5000))
                    .isEqualTo(new Extent(5000 * 1024L, 1024, BlockStatus.DATA));
        }
    }

    @Test
    void shouldRefuseWhenTheRangeIsWrong() {
        device.geometry(Geometry.ofSize(SIZE).blockSizes(512, 4096).transferMax(1 << 20));
        try (Disk disk = disk()) {
            ByteBuffer block = ByteBuffer.allocateDirect(512);
            assertThatThrownBy(() -> disk.read(SIZE, block))
                    .isInstanceOfSatisfying(
                            BlockException.class,
                            e -> assertThat(e.error()).isEqualTo(BlockError.EINVAL))
                    .hasMessage(
                            "READ refused: disk=vm1, offsetBytes=8388608, lengthBytes=512,"
                                    + " expected=0..8388608");
            assertThatThrownBy(() -> disk.read(-512, block)).isInstanceOf(BlockException.class);
            assertThatThrownBy(() -> disk.zero(Long.MAX_VALUE - 511, 512))
                    .isInstanceOf(BlockException.class);
            assertThatThrownBy(() -> disk.blockStatus(0, SIZE + 512))
                    .isInstanceOf(BlockException.class);
            assertThatThrownBy(() -> disk.write(100, block))
                    .hasMessageContaining("expected=multiples of 512");
            assertThatThrownBy(() -> disk.write(0, block, IoFlags.FAST_ZERO))
                    .hasMessageContaining("FAST_ZERO");
            assertThatThrownBy(() -> disk.readAsync(0, block.asReadOnlyBuffer()))
                    .isInstanceOf(IllegalArgumentException.class);
            disk.read(SIZE, ByteBuffer.allocateDirect(0));
            assertThat(seen()).isEmpty();
        }
    }

    @Test
    void shouldPassTheErrorOnWhenTheDeviceFails() {
        try (Disk disk = disk()) {
            thread.execute(() -> device.failNext(BlockError.ENOSPC));
            assertThatThrownBy(() -> disk.write(4096, ByteBuffer.allocate(512)))
                    .isInstanceOfSatisfying(
                            BlockException.class,
                            e -> assertThat(e.error()).isEqualTo(BlockError.ENOSPC))
                    .hasMessage(
                            "WRITE failed: disk=vm1, offsetBytes=4096, lengthBytes=512,"
                                    + " error=no space left");
            thread.execute(() -> device.failNext(BlockError.EIO));
            CompletableFuture<Void> flush = disk.flushAsync();
            assertThatThrownBy(flush::join)
                    .isInstanceOf(CompletionException.class)
                    .hasCauseInstanceOf(BlockException.class);
            thread.execute(() -> device.failNext(BlockError.EIO));
            assertThatThrownBy(() -> disk.blockStatus(0, 512)).hasMessageContaining("BLOCK_STATUS");
            disk.flush();
        }
    }

    @Test
    void shouldRefuseWritesWhenTheDiskIsReadOnly() {
        device.capabilities(device.capabilities().readOnly());
        try (Disk disk = disk()) {
            assertThatThrownBy(() -> disk.write(0, ByteBuffer.allocate(512)))
                    .isInstanceOfSatisfying(
                            BlockException.class,
                            e -> assertThat(e.error()).isEqualTo(BlockError.EPERM));
            assertThatThrownBy(() -> disk.discard(0, 512)).hasMessageContaining("read-only");
        }
        assertThat(seen()).isEmpty();
    }

    @Test
    void shouldFlushAfterTheWriteWhenTheDeviceKnowsNoFua() {
        device.capabilities(Capabilities.of(Capability.WRITE, Capability.MULTI_CONN));
        try (Disk disk = disk()) {
            disk.write(0, ByteBuffer.allocate(512), IoFlags.FUA);
            assertThat(seen()).containsExactly("WRITE 0+512", "FLUSH");
            assertThatThrownBy(() -> disk.discard(0, 512))
                    .isInstanceOfSatisfying(
                            BlockException.class,
                            e -> assertThat(e.error()).isEqualTo(BlockError.ENOTSUP));
        }
    }

    @Test
    void shouldWaitForRoomWhenMuchIsInFlight() throws Exception {
        try (Disk disk = disk(RingOptions.defaults().withRequestsMax(4))) {
            List<CompletableFuture<Void>> futures = new ArrayList<>();
            for (int i = 0; i < 1000; i++) {
                ByteBuffer block = random(ByteBuffer.allocateDirect(512), i);
                futures.add(disk.writeAsync(i * 512L, block, IoFlags.NONE));
            }
            CompletableFuture.allOf(futures.toArray(CompletableFuture[]::new))
                    .get(30, TimeUnit.SECONDS);
            for (int i = 0; i < 1000; i++) {
                assertThat(device.content(i * 512, 512))
                        .isEqualTo(random(ByteBuffer.allocate(512), i).array());
            }
        }
    }

    @Test
    void shouldNotWaitWhenRequestsAreChainedOnTheOwner() throws Exception {
        try (Disk disk = disk(RingOptions.defaults().withRequestsMax(2))) {
            List<CompletableFuture<Void>> futures = new ArrayList<>();
            for (int chain = 0; chain < 8; chain++) {
                ByteBuffer block = ByteBuffer.allocateDirect(512);
                long offset = chain * 4096L;
                CompletableFuture<Void> future = disk.readAsync(offset, block);
                for (int i = 0; i < 50; i++) {
                    future = future.thenCompose(nothing -> disk.writeAsync(offset, block, 0));
                }
                futures.add(future);
            }
            CompletableFuture.allOf(futures.toArray(CompletableFuture[]::new))
                    .get(30, TimeUnit.SECONDS);
        }
    }

    @Test
    void shouldIterateWhenALongChainCompletesAtOnce() throws Exception {
        ScriptedDevice quick = new ScriptedDevice(SIZE, Timing.AT_ONCE, thread);
        quick.recording(false);
        RingOptions options = RingOptions.defaults();
        DiskRing ring =
                DiskRing.create(quick, thread, thread::inThread, thread.requests(), options);
        try (Disk disk = Disk.over("vm1", ring, ring::close)) {
            ByteBuffer block = ByteBuffer.allocateDirect(512);
            CompletableFuture<Integer> done = new CompletableFuture<>();
            // Begun outside of a drain, where a drain inside the call would recurse.
            thread.execute(() -> readNext(disk, block, 100_000, done));
            assertThat(done.get(30, TimeUnit.SECONDS)).isZero();
        }
    }

    private static void readNext(
            Disk disk, ByteBuffer block, int left, CompletableFuture<Integer> done) {
        if (left == 0) {
            done.complete(left);
            return;
        }
        var unused =
                disk.readAsync(0, block)
                        .thenRun(() -> readNext(disk, block, left - 1, done))
                        .whenComplete((nothing, failure) -> failIfNotNull(done, failure));
    }

    private static void failIfNotNull(CompletableFuture<Integer> done, Throwable failure) {
        if (failure != null) {
            done.completeExceptionally(failure);
        }
    }

    @Test
    void shouldRefuseToWaitWhenCalledOnTheOwner() {
        try (Disk disk = disk()) {
            ByteBuffer block = ByteBuffer.allocateDirect(512);
            CompletableFuture<Void> onOwner =
                    CompletableFuture.runAsync(() -> disk.read(0, block), thread);
            assertThatThrownBy(onOwner::join).hasCauseInstanceOf(IllegalStateException.class);
            CompletableFuture<Void> closing = CompletableFuture.runAsync(disk::close, thread);
            assertThatThrownBy(closing::join).hasCauseInstanceOf(IllegalStateException.class);
            disk.read(0, block);
        }
    }

    @Test
    void shouldAnswerFlushAndReleaseOnceWhenClosed() {
        Disk disk = disk();
        List<CompletableFuture<Void>> writes = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            writes.add(disk.writeAsync(i * 8192L, ByteBuffer.allocate(4096), IoFlags.NONE));
        }
        disk.close();
        assertThat(writes).allMatch(CompletableFuture::isDone);
        assertThat(seen()).hasSize(101).endsWith("FLUSH");
        disk.close();
        assertThat(released).hasValue(1);
        assertThatThrownBy(() -> disk.read(0, ByteBuffer.allocate(1)))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.ESHUTDOWN));
        assertThatThrownBy(() -> disk.blockStatus(0, 1)).hasMessageContaining("closed");
    }

    @Test
    void shouldReleaseWhenTheLastFlushFails() {
        Disk disk = disk();
        thread.execute(() -> device.failNext(BlockError.EIO));
        assertThatThrownBy(disk::close).isInstanceOf(BlockException.class);
        assertThat(released).hasValue(1);
    }

    @Test
    void shouldWorkOverADedicatedThreadWhenTheOptionsSaySo() {
        try (Disk disk = disk(RingOptions.defaults().withDedicatedThread("blocking"))) {
            ByteBuffer source = random(ByteBuffer.allocateDirect(4096), 9);
            disk.write(0, source);
            ByteBuffer target = ByteBuffer.allocateDirect(4096);
            disk.read(0, target);
            assertThat(target).isEqualTo(source);
        }
    }
}
