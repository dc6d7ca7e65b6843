package io.quoin.block.ring;

import static io.quoin.block.ring.Submitter.filled;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockDevice;
import io.quoin.block.BlockError;
import io.quoin.block.Capabilities;
import io.quoin.block.Capability;
import io.quoin.block.Geometry;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoFlags;
import io.quoin.block.IoRequest;
import io.quoin.block.IoRequestPool;
import io.quoin.block.ManualOwner;
import io.quoin.block.MemoryLease;
import io.quoin.block.ScriptedDevice;
import io.quoin.block.ScriptedDevice.Seen;
import io.quoin.block.ScriptedDevice.Timing;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class DiskRingTest {
    private static final int SIZE = 1 << 20;

    private final ManualOwner owner = new ManualOwner();
    private ScriptedDevice device = new ScriptedDevice(SIZE, Timing.HELD, owner);

    private DiskRing ring(RingOptions options) {
        return DiskRing.create(device, owner, owner::inOwner, new IoRequestPool(), options);
    }

    private List<String> seen() {
        return device.seen().stream().map(Seen::toString).toList();
    }

    @Test
    void shouldJoinWritesWhenTheyFollowOneAnother() {
        DiskRing ring = ring(RingOptions.defaults());
        Submitter submitter = new Submitter(ring);
        submitter.write(0, 4096, 1);
        submitter.write(4096, 512, 2);
        submitter.write(4608, 4096, 3);
        submitter.write(16384, 512, 4);
        assertThat(seen()).isEmpty();

        ring.drain();
        assertThat(seen()).containsExactly("WRITE 0+8704", "WRITE 16384+512");
        device.endAll();

        assertThat(submitter.answers())
                .containsExactly(
                        "WRITE 0+4096 OK",
                        "WRITE 4096+512 OK",
                        "WRITE 4608+4096 OK",
                        "WRITE 16384+512 OK");
        assertThat(device.content(0, 4096)).isEqualTo(filled(4096, 1));
        assertThat(device.content(4096, 512)).isEqualTo(filled(512, 2));
        assertThat(device.content(4608, 4096)).isEqualTo(filled(4096, 3));
        assertThat(ring.statistics().coalesced()).isEqualTo(2);
        assertThat(ring.statistics().batches()).isEqualTo(1);
        assertThat(ring.statistics().published()).isEqualTo(4);
        assertThat(ring.statistics().depthMax()).isEqualTo(4);
    }

    @Test
    void shouldKeepTheMemoryOfAllPartsWhenAJoinedWriteIsLeased() {
        DiskRing ring = ring(RingOptions.defaults());
        Submitter submitter = new Submitter(ring);
        CountedLease first = new CountedLease();
        CountedLease second = new CountedLease();
        for (int round = 0; round < 3; round++) {
            submitter.lease = first;
            submitter.write(0, 512, 1);
            submitter.lease = second;
            submitter.write(512, 512, 2);
            ring.drain();
            MemoryLease joined = device.held().get(0).memory().lease();
            assertThat(joined).isNotNull();
            joined.retain();
            joined.retain();
            device.endAll();
            assertThat(List.of(first.leases, second.leases)).containsExactly(1, 1);
            joined.release();
            assertThat(List.of(first.leases, second.leases)).containsExactly(1, 1);
            joined.release();
            assertThat(List.of(first.leases, second.leases)).containsExactly(0, 0);
        }
    }

    @Test
    void shouldNotLeaseAJoinedWriteOfWhichAPartIsNot() {
        DiskRing ring = ring(RingOptions.defaults());
        Submitter submitter = new Submitter(ring);
        submitter.lease = new CountedLease();
        submitter.write(0, 512, 1);
        submitter.lease = null;
        submitter.write(512, 512, 2);
        ring.drain();
        assertThat(device.held().get(0).memory().lease()).isNull();
        device.endAll();
    }

    private static final class CountedLease implements MemoryLease {
        private int leases;

        @Override
        public void retain() {
            leases++;
        }

        @Override
        public void release() {
            leases--;
        }
    }

    @Test
    void shouldNotJoinWritesWhenFlagsDifferOrTheyOverlapOrRunBackwards() {
        DiskRing ring = ring(RingOptions.defaults());
        Submitter submitter = new Submitter(ring);
        submitter.write(0, 512, 1);
        submitter.write(512, 512, 1, IoFlags.FUA);
        submitter.write(1024, 512, 1, IoFlags.FUA);
        submitter.write(1024, 512, 1, IoFlags.FUA);
        submitter.write(512, 512, 1, IoFlags.FUA);
        ring.drain();
        assertThat(seen())
                .containsExactly(
                        "WRITE 0+512",
                        "WRITE 512+1024 FUA",
                        "WRITE 1024+512 FUA",
                        "WRITE 512+512 FUA");
    }

    @Test
    void shouldJoinUpToTheLimitWhenMoreFollow() {
        device.geometry(Geometry.ofSize(SIZE).blockSizes(1, 512).transferMax(1536));
        DiskRing ring = ring(RingOptions.defaults());
        Submitter submitter = new Submitter(ring);
        for (int i = 0; i < 7; i++) {
            submitter.write(i * 512L, 512, i);
        }
        ring.drain();
        assertThat(seen()).containsExactly("WRITE 0+1536", "WRITE 1536+1536", "WRITE 3072+512");
    }

    @Test
    void shouldJoinNothingWhenToldSo() {
        DiskRing ring = ring(RingOptions.defaults().withCoalesceBytesMax(0));
        Submitter submitter = new Submitter(ring);
        submitter.write(0, 512, 1);
        submitter.write(512, 512, 1);
        ring.drain();
        assertThat(seen()).containsExactly("WRITE 0+512", "WRITE 512+512");
    }

    @Test
    void shouldLetReadsPassWhenWritesAreBeingJoined() {
        DiskRing ring = ring(RingOptions.defaults());
        Submitter submitter = new Submitter(ring);
        submitter.write(0, 512, 1);
        submitter.read(8192, 512);
        submitter.write(512, 512, 1);
        ring.drain();
        assertThat(seen()).containsExactly("READ 8192+512", "WRITE 0+1024");
    }

    @Test
    void shouldPartWritesWhenZeroesOrAFlushLieBetween() {
        DiskRing ring = ring(RingOptions.defaults());
        Submitter submitter = new Submitter(ring);
        submitter.write(0, 512, 1);
        submitter.zero(65536, 512);
        submitter.write(512, 512, 1);
        submitter.flush();
        submitter.write(1024, 512, 1);
        ring.drain();
        assertThat(seen())
                .containsExactly(
                        "WRITE 0+512", "WRITE_ZEROES 65536+512", "WRITE 512+512", "WRITE 1024+512");
    }

    @Test
    void shouldGiveTheErrorToEachWhenAJoinedWriteFails() {
        DiskRing ring = ring(RingOptions.defaults());
        Submitter submitter = new Submitter(ring);
        submitter.write(0, 512, 1);
        submitter.write(512, 512, 1);
        ring.drain();
        device.failNext(BlockError.ENOSPC);
        device.endAll();
        assertThat(submitter.answers())
                .containsExactly("WRITE 0+512 ENOSPC", "WRITE 512+512 ENOSPC");
    }

    @Test
    void shouldHoldAFlushWhenAnEarlierWriteIsInFlight() {
        DiskRing ring = ring(RingOptions.defaults());
        Submitter submitter = new Submitter(ring);
        submitter.write(0, 512, 1);
        submitter.zero(1024, 512);
        submitter.flush();
        submitter.write(65536, 512, 1);
        ring.drain();
        assertThat(seen())
                .containsExactly("WRITE 0+512", "WRITE_ZEROES 1024+512", "WRITE 65536+512");
        device.end(0);
        assertThat(seen()).hasSize(3);
        device.end(0);
        assertThat(seen()).hasSize(4).endsWith("FLUSH");
        device.end(1);
        assertThat(submitter.answers())
                .containsExactly("WRITE 0+512 OK", "WRITE_ZEROES 1024+512 OK", "FLUSH OK");
    }

    @Test
    void shouldFlushAtOnceWhenOnlyReadsAreInFlight() {
        DiskRing ring = ring(RingOptions.defaults());
        Submitter submitter = new Submitter(ring);
        submitter.read(0, 512);
        submitter.flush();
        ring.drain();
        assertThat(seen()).containsExactly("READ 0+512", "FLUSH");
    }

    @Test
    void shouldGroupFlushesWhenTheyWaitTogether() {
        DiskRing ring = ring(RingOptions.defaults());
        Submitter submitter = new Submitter(ring);
        submitter.flush();
        submitter.flush();
        submitter.flush();
        ring.drain();
        assertThat(seen()).containsExactly("FLUSH");
        submitter.flush();
        submitter.write(0, 512, 1);
        submitter.flush();
        ring.drain();
        assertThat(seen()).containsExactly("FLUSH", "WRITE 0+512");
        device.end(1);
        assertThat(seen()).hasSize(2);
        device.failNext(BlockError.EIO);
        device.end(0);
        assertThat(seen()).containsExactly("FLUSH", "WRITE 0+512", "FLUSH");
        device.endAll();
        assertThat(submitter.answers())
                .containsExactly(
                        "WRITE 0+512 OK",
                        "FLUSH EIO",
                        "FLUSH EIO",
                        "FLUSH EIO",
                        "FLUSH OK",
                        "FLUSH OK");
        assertThat(ring.statistics().flushesGrouped()).isEqualTo(3);
    }

    @Test
    void shouldRefuseAndCallBackWhenRequestsAreUsedUp() {
        DiskRing ring = ring(RingOptions.defaults().withRequestsMax(4));
        Submitter submitter = new Submitter(ring);
        for (int i = 0; i < 4; i++) {
            assertThat(submitter.read(0, 512)).isTrue();
        }
        assertThat(submitter.read(0, 512)).isFalse();
        assertThat(ring.statistics().refused()).isEqualTo(1);
        List<String> called = new ArrayList<>();
        ring.whenRoom(() -> called.add("first"));
        ring.whenRoom(() -> called.add("second"));
        owner.runTasks();
        assertThat(called).isEmpty();

        ring.drain();
        device.end(0);
        owner.runTasks();
        assertThat(called).as("a quarter is free").isEmpty();
        device.end(0);
        assertThat(called).as("later, not inside the completion").isEmpty();
        owner.runTasks();
        assertThat(called).containsExactly("first", "second");
        assertThat(submitter.read(0, 512)).isTrue();
    }

    @Test
    void shouldRefuseAndCallBackWhenBytesAreUsedUp() {
        DiskRing ring = ring(RingOptions.defaults().withBytesMax(8192));
        Submitter submitter = new Submitter(ring);
        assertThat(submitter.write(0, 4096, 1)).isTrue();
        assertThat(submitter.write(65536, 4096, 1)).isTrue();
        assertThat(submitter.write(8192, 1, 1)).isFalse();
        assertThat(submitter.flush()).as("a flush carries nothing").isTrue();
        List<String> called = new ArrayList<>();
        ring.whenRoom(() -> called.add("room"));
        ring.drain();
        device.end(0);
        owner.runTasks();
        assertThat(called).containsExactly("room");
    }

    @Test
    void shouldAdmitARequestBeyondTheLimitWhenItIsAlone() {
        DiskRing ring = ring(RingOptions.defaults().withBytesMax(8192));
        Submitter submitter = new Submitter(ring);
        assertThat(submitter.write(0, 512, 1)).isTrue();
        assertThat(submitter.write(0, 65536, 1)).isFalse();
        ring.drain();
        device.endAll();
        assertThat(submitter.write(0, 65536, 1)).isTrue();
        assertThat(submitter.write(0, 512, 1)).isFalse();
        ring.drain();
        device.endAll();
        assertThat(submitter.answers()).containsExactly("WRITE 0+512 OK", "WRITE 0+65536 OK");
    }

    @Test
    void shouldCallBackAtOnceWhenRoomCameBeforeTheCall() {
        DiskRing ring = ring(RingOptions.defaults().withRequestsMax(2));
        Submitter submitter = new Submitter(ring);
        submitter.read(0, 512);
        submitter.read(0, 512);
        assertThat(submitter.read(0, 512)).isFalse();
        ring.drain();
        device.end(0);
        List<String> called = new ArrayList<>();
        ring.whenRoom(() -> called.add("one is free"));
        owner.runTasks();
        assertThat(called).hasSize(1);
        ring.whenRoom(() -> called.add("nothing has changed"));
        owner.runTasks();
        assertThat(called).as("asking again is paid for by an answer").hasSize(1);
        device.endAll();
        owner.runTasks();
        assertThat(called).hasSize(2);
        ring.whenRoom(() -> called.add("idle"));
        owner.runTasks();
        assertThat(called).hasSize(3);
    }

    @Test
    void shouldAnswerEverythingAcceptedWhenClosed() {
        DiskRing ring = ring(RingOptions.defaults());
        Submitter submitter = new Submitter(ring);
        submitter.write(0, 512, 1);
        submitter.flush();
        ring.drain();
        submitter.read(0, 512);
        CompletableFuture<Void> closed = ring.close().toCompletableFuture();
        assertThat(submitter.write(512, 512, 1)).isTrue();
        owner.runTasks();
        assertThat(seen()).containsExactly("WRITE 0+512", "READ 0+512");
        assertThat(submitter.answers()).containsExactly("WRITE 512+512 ESHUTDOWN");

        device.end(0);
        device.end(0);
        assertThat(closed).isNotDone();
        assertThat(seen()).endsWith("FLUSH");
        device.end(0);
        owner.runTasks();
        assertThat(closed).isCompleted();
        assertThat(submitter.answers())
                .containsExactly(
                        "WRITE 512+512 ESHUTDOWN", "WRITE 0+512 OK", "READ 0+512 OK", "FLUSH OK");
        assertThat(ring.close().toCompletableFuture()).isCompleted();
    }

    @Test
    void shouldCompleteCloseAndCallWaitersWhenNothingIsInFlight() {
        DiskRing ring = ring(RingOptions.defaults());
        CompletableFuture<Void> closed = ring.close().toCompletableFuture();
        List<String> called = new ArrayList<>();
        ring.whenRoom(() -> called.add("closed"));
        owner.runTasks();
        assertThat(closed).isCompleted();
        assertThat(called).containsExactly("closed");
    }

    @Test
    void shouldWakeTheOwnerOnceWhenAnotherThreadOffersMuch() throws Exception {
        DiskRing ring = ring(RingOptions.defaults());
        Submitter submitter = new Submitter(ring);
        Thread other =
                new Thread(
                        () -> {
                            for (int i = 0; i < 10; i++) {
                                submitter.read(i * 512L, 512);
                            }
                        });
        other.start();
        other.join();
        assertThat(owner.taskCount()).isEqualTo(1);
        owner.runTasks();
        assertThat(seen()).hasSize(10);
        other = new Thread(submitter::flush);
        other.start();
        other.join();
        owner.runTasks();
        assertThat(seen()).hasSize(11);
    }

    @Test
    void shouldIterateWhenCompletionsSubmitTheNext() {
        device = new ScriptedDevice(SIZE, Timing.AT_ONCE, owner);
        device.recording(false);
        DiskRing ring = ring(RingOptions.defaults().withRequestsMax(8));
        int rounds = 100_000;
        int[] done = {0};
        IoCompletion[] chain = new IoCompletion[1];
        chain[0] =
                (request, error) -> {
                    done[0]++;
                    if (done[0] < rounds) {
                        // Flushes and writes in turn: both ways through the ring.
                        IoRequest next =
                                done[0] % 2 == 0
                                        ? request.flush()
                                        : request.prepare(
                                                io.quoin.block.IoOp.WRITE_ZEROES, 0, 512, 0);
                        next.push(chain[0]);
                        assertThat(ring.offer(next)).isTrue();
                        ring.drain();
                    }
                };
        IoRequest first = new IoRequest().flush();
        first.push(chain[0]);
        ring.offer(first);
        ring.drain();
        owner.runTasks();
        assertThat(done[0]).isEqualTo(rounds);
    }

    @Test
    void shouldPassOnTheRequestsBehindWhenTheDeviceThrows() {
        boolean[] throwing = {true};
        BlockDevice broken =
                new BlockDevice() {
                    @Override
                    public Geometry geometry() {
                        return device.geometry();
                    }

                    @Override
                    public Capabilities capabilities() {
                        return device.capabilities();
                    }

                    @Override
                    public void submit(IoRequest request) {
                        if (throwing[0]) {
                            throwing[0] = false;
                            throw new IllegalStateException("an error of the program");
                        }
                        device.submit(request);
                    }
                };
        DiskRing ring =
                DiskRing.create(
                        broken, owner, owner::inOwner, new IoRequestPool(), RingOptions.defaults());
        Submitter submitter = new Submitter(ring);
        submitter.write(0, 512, 1);
        submitter.write(512, 512, 1);
        submitter.write(8192, 512, 2);
        assertThatThrownBy(ring::drain).hasMessage("an error of the program");
        submitter.read(16384, 512);
        ring.drain();
        device.endAll();
        assertThat(submitter.answers()).containsExactly("WRITE 8192+512 OK", "READ 16384+512 OK");
    }

    @Test
    void shouldRefuseOptionsWhenTheyAreOutOfRange() {
        assertThatThrownBy(() -> RingOptions.defaults().withRequestsMax(0))
                .hasMessage("ring option: requestsMax=0, expected=1..65536");
        assertThatThrownBy(() -> RingOptions.defaults().withDedicatedThread("lazy"))
                .hasMessageContaining("waitStrategy=lazy")
                .hasMessageContaining("busy-spin");
        assertThatThrownBy(() -> ring(RingOptions.defaults().withDedicatedThread("yielding")))
                .hasMessageContaining("RingThread");
    }

    @Test
    void shouldServeAReadOnlyDeviceWhenItRefusesWrites() {
        device.capabilities(Capabilities.of(Capability.MULTI_CONN));
        DiskRing ring = ring(RingOptions.defaults());
        Submitter submitter = new Submitter(ring);
        submitter.write(0, 512, 1);
        ring.drain();
        device.failNext(BlockError.EPERM);
        device.endAll();
        assertThat(submitter.answers()).containsExactly("WRITE 0+512 EPERM");
    }
}
