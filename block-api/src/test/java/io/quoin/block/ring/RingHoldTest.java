package io.quoin.block.ring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.block.IoRequestPool;
import io.quoin.block.ManualOwner;
import io.quoin.block.ScriptedDevice;
import io.quoin.block.ScriptedDevice.Seen;
import io.quoin.block.ScriptedDevice.Timing;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class RingHoldTest {
    private static final long LIMIT = TimeUnit.SECONDS.toNanos(1);

    private final ManualOwner owner = new ManualOwner();
    private final ManualTimers timers = new ManualTimers();
    private final ScriptedDevice device = new ScriptedDevice(1 << 20, Timing.HELD, owner);
    private final List<String> told = new ArrayList<>();

    private DiskRing ring(RingOptions options) {
        return DiskRing.create(device, owner, owner::inOwner, new IoRequestPool(), options);
    }

    private RingHold hold(DiskRing ring) {
        return ring.hold(timers, LIMIT, listener("hold"));
    }

    private HoldListener listener(String name) {
        return new HoldListener() {
            @Override
            public void reached() {
                assertThat(device.held()).isEmpty();
                told.add(name + " reached");
            }

            @Override
            public void failed(BlockException cause) {
                told.add(name + " " + cause.error() + " " + cause.getMessage());
            }
        };
    }

    private List<String> seen() {
        return device.seen().stream().map(Seen::toString).toList();
    }

    @Test
    void shouldBeReachedAtOnceWhenNothingIsInFlight() {
        DiskRing ring = ring(RingOptions.defaults());
        hold(ring);
        assertThat(told).as("a task of the owner").isEmpty();
        owner.runTasks();
        assertThat(told).containsExactly("hold reached");
    }

    @Test
    void shouldWaitForWhatWasPublishedBeforeWhenHeld() {
        DiskRing ring = ring(RingOptions.defaults());
        Submitter submitter = new Submitter(ring);
        submitter.write(0, 512, 1);
        submitter.read(8192, 512);
        ring.drain();
        submitter.write(65536, 512, 2);
        submitter.flush();
        hold(ring);
        owner.runTasks();
        assertThat(seen()).containsExactly("READ 8192+512", "WRITE 0+512", "WRITE 65536+512");

        device.end(1);
        device.end(1);
        owner.runTasks();
        assertThat(seen()).as("both writes are done").endsWith("FLUSH");
        device.end(0);
        owner.runTasks();
        assertThat(told).as("the flush is in flight").isEmpty();
        device.end(0);
        assertThat(told).as("not inside the answer").isEmpty();
        owner.runTasks();
        assertThat(told).containsExactly("hold reached");
    }

    @Test
    void shouldKeepInOrderWhatComesBehindWhenHeld() {
        DiskRing ring = ring(RingOptions.defaults());
        Submitter submitter = new Submitter(ring);
        submitter.write(0, 512, 1);
        RingHold hold = hold(ring);
        owner.runTasks();
        submitter.write(512, 512, 2);
        submitter.write(1024, 512, 2, IoFlags.FUA);
        submitter.flush();
        submitter.read(8192, 512);
        submitter.zero(65536, 512);
        ring.drain();
        ring.drainLater();
        owner.runTasks();
        assertThat(seen()).containsExactly("WRITE 0+512");
        device.endAll();
        owner.runTasks();
        ring.drain();
        assertThat(told).containsExactly("hold reached");
        assertThat(seen()).containsExactly("WRITE 0+512");

        hold.release();
        assertThat(seen()).as("not inside the release").hasSize(1);
        owner.runTasks();
        assertThat(seen())
                .containsExactly(
                        "WRITE 0+512",
                        "WRITE 512+512",
                        "WRITE 1024+512 FUA",
                        "READ 8192+512",
                        "WRITE_ZEROES 65536+512");
        device.endAll();
        assertThat(submitter.answers())
                .containsExactly(
                        "WRITE 0+512 OK",
                        "WRITE 512+512 OK",
                        "WRITE 1024+512 OK",
                        "READ 8192+512 OK",
                        "WRITE_ZEROES 65536+512 OK",
                        "FLUSH OK");
        timers.advance(2 * LIMIT);
        owner.runTasks();
        assertThat(told).as("nothing after a release").containsExactly("hold reached");
    }

    @Test
    void shouldNotTakeACountAmidABatchForQuietWhenTheDeviceEndsAtOnce() {
        ScriptedDevice slow = new ScriptedDevice(1 << 20, Timing.HELD, owner);
        boolean[] isFirst = {true};
        DiskRing ring =
                DiskRing.create(
                        new ForwardingDevice(
                                slow,
                                request -> {
                                    if (isFirst[0]) {
                                        isFirst[0] = false;
                                        slow.submit(request);
                                    } else {
                                        request.complete(BlockError.OK);
                                    }
                                }),
                        owner,
                        owner::inOwner,
                        new IoRequestPool(),
                        RingOptions.defaults());
        Submitter submitter = new Submitter(ring);
        submitter.read(0, 512);
        ring.drain();
        submitter.read(512, 512);
        submitter.read(1024, 512);
        submitter.read(2048, 512);
        hold(ring);
        owner.runTasks();
        assertThat(submitter.answers()).hasSize(3);
        assertThat(told).isEmpty();
        slow.endAll();
        owner.runTasks();
        assertThat(told).containsExactly("hold reached");
    }

    @Test
    void shouldMakeWritersWaitForRoomWhenTheRingFills() {
        DiskRing ring = ring(RingOptions.defaults().withRequestsMax(4));
        Submitter submitter = new Submitter(ring);
        RingHold hold = hold(ring);
        owner.runTasks();
        for (int i = 0; i < 4; i++) {
            assertThat(submitter.write(i * 4096L, 512, i)).isTrue();
        }
        assertThat(submitter.write(65536, 512, 9)).isFalse();
        ring.whenRoom(() -> assertThat(submitter.write(65536, 512, 9)).isTrue());
        owner.runTasks();
        assertThat(seen()).isEmpty();
        hold.release();
        owner.runTasks();
        device.endAll();
        owner.runTasks();
        ring.drain();
        assertThat(seen())
                .containsExactly(
                        "WRITE 0+512",
                        "WRITE 4096+512",
                        "WRITE 8192+512",
                        "WRITE 12288+512",
                        "WRITE 65536+512");
    }

    @Test
    void shouldGoOnByItselfWhenTheDiskDoesNotComeToRest() {
        DiskRing ring = ring(RingOptions.defaults());
        Submitter submitter = new Submitter(ring);
        submitter.write(0, 512, 1);
        hold(ring);
        owner.runTasks();
        submitter.read(512, 512);
        timers.advance(LIMIT - 1);
        owner.runTasks();
        assertThat(told).isEmpty();
        timers.advance(1);
        assertThat(told)
                .containsExactly(
                        "hold EBUSY disk did not come to rest in time: limitMillis=1000,"
                                + " requestsInFlight=1");
        assertThat(seen()).as("the holder is told first").hasSize(1);
        owner.runTasks();
        assertThat(seen()).containsExactly("WRITE 0+512", "READ 512+512");
        device.endAll();
        owner.runTasks();
        assertThat(told).hasSize(1);
    }

    @Test
    void shouldGoOnByItselfWhenTheHolderDoesNotComeBack() {
        DiskRing ring = ring(RingOptions.defaults());
        Submitter submitter = new Submitter(ring);
        RingHold hold = hold(ring);
        owner.runTasks();
        submitter.write(0, 512, 1);
        timers.advance(LIMIT);
        owner.runTasks();
        assertThat(told)
                .containsExactly(
                        "hold reached",
                        "hold EBUSY ring was held for too long: limitMillis=1000,"
                                + " requestsInFlight=0");
        assertThat(seen()).containsExactly("WRITE 0+512");
        hold.release();
        owner.runTasks();
        assertThat(told).hasSize(2);
    }

    @Test
    void shouldRefuseASecondWhenHeld() {
        DiskRing ring = ring(RingOptions.defaults());
        RingHold first = ring.hold(timers, LIMIT, listener("first"));
        RingHold second = ring.hold(timers, LIMIT, listener("second"));
        owner.runTasks();
        second.release();
        owner.runTasks();
        new Submitter(ring).read(0, 512);
        ring.drain();
        assertThat(seen()).as("the first still holds").isEmpty();
        first.release();
        ring.hold(timers, LIMIT, listener("third"));
        owner.runTasks();
        device.endAll();
        owner.runTasks();
        assertThat(told)
                .containsExactly(
                        "second EBUSY ring can't be held: it is held already",
                        "first reached",
                        "third reached");
    }

    @Test
    void shouldHoldNothingWhenReleasedBeforeItBegan() {
        DiskRing ring = ring(RingOptions.defaults());
        hold(ring).release();
        owner.runTasks();
        new Submitter(ring).read(0, 512);
        ring.drain();
        assertThat(seen()).containsExactly("READ 0+512");
        assertThat(told).isEmpty();
        assertThat(timers.count()).isZero();
    }

    @Test
    void shouldTellNothingWhenReleasedBetweenRestAndReached() {
        DiskRing ring = ring(RingOptions.defaults());
        RingHold[] hold = new RingHold[1];
        hold[0] = hold(ring);
        owner.execute(() -> hold[0].release());
        owner.runTasks();
        assertThat(told).isEmpty();
    }

    @Test
    void shouldAnswerWhatWaitsWhenClosed() {
        DiskRing ring = ring(RingOptions.defaults());
        Submitter submitter = new Submitter(ring);
        submitter.write(0, 512, 1);
        hold(ring);
        owner.runTasks();
        submitter.write(4096, 512, 2);
        CompletableFuture<Void> closed = ring.close().toCompletableFuture();
        owner.runTasks();
        assertThat(told).containsExactly("hold ESHUTDOWN ring was closed while it was held");
        assertThat(seen()).containsExactly("WRITE 0+512", "WRITE 4096+512");
        device.endAll();
        owner.runTasks();
        assertThat(closed).isCompleted();
        hold(ring);
        owner.runTasks();
        assertThat(told).endsWith("hold ESHUTDOWN ring can't be held: it is closed");
    }

    @Test
    void shouldBeReachedWhenAFencedDiskAnswersWithErrors() {
        DiskRing ring = ring(RingOptions.defaults());
        Submitter submitter = new Submitter(ring);
        submitter.write(0, 512, 1);
        submitter.write(512, 512, 1);
        hold(ring);
        owner.runTasks();
        device.failNext(BlockError.EIO);
        device.endAll();
        owner.runTasks();
        assertThat(told).containsExactly("hold reached");
        assertThat(submitter.answers()).containsExactly("WRITE 0+512 EIO", "WRITE 512+512 EIO");
    }

    @Test
    void shouldEndAtItsLimitWhenARequestIsNeverAnswered() {
        DiskRing ring =
                DiskRing.create(
                        new ForwardingDevice(
                                device,
                                request -> {
                                    throw new IllegalStateException("an error of the program");
                                }),
                        owner,
                        owner::inOwner,
                        new IoRequestPool(),
                        RingOptions.defaults());
        new Submitter(ring).write(0, 512, 1);
        hold(ring);
        assertThatThrownBy(owner::runTasks).hasMessage("an error of the program");
        owner.runTasks();
        timers.advance(LIMIT);
        assertThat(told).hasSize(1).first().asString().contains("did not come to rest");
    }

    @Test
    void shouldHoldFromOtherThreadsWhenAsked() throws Exception {
        DiskRing ring = ring(RingOptions.defaults());
        CompletableFuture<RingHold> made = CompletableFuture.supplyAsync(() -> hold(ring));
        RingHold hold = made.get(10, TimeUnit.SECONDS);
        owner.runTasks();
        assertThat(told).containsExactly("hold reached");
        new Submitter(ring).read(0, 512);
        CompletableFuture.runAsync(hold::release).get(10, TimeUnit.SECONDS);
        assertThat(seen()).isEmpty();
        owner.runTasks();
        assertThat(seen()).containsExactly("READ 0+512");
    }

    @Test
    void shouldGiveADedicatedThreadNothingToWaitForWhenHeld() {
        DiskRing ring = ring(RingOptions.defaults());
        Submitter submitter = new Submitter(ring);
        RingHold hold = hold(ring);
        owner.runTasks();
        submitter.read(0, 512);
        assertThat(ring.nextSequence()).as("it would spin").isEqualTo(Long.MAX_VALUE);
        hold.release();
        assertThat(ring.nextSequence()).isZero();
    }

    @Test
    void shouldRefuseALimitWhenItIsOutOfRange() {
        DiskRing ring = ring(RingOptions.defaults());
        assertThatThrownBy(() -> ring.hold(timers, 0, listener("hold")))
                .hasMessage("hold of a ring: limitNanos=0, expected=1..10000000000");
        assertThatThrownBy(() -> ring.hold(timers, RingHold.LIMIT_NANOS_MAX + 1, listener("hold")))
                .isInstanceOf(BlockException.class);
    }
}
