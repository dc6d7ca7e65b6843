package io.quoin.block.ring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoRequestPool;
import io.quoin.block.ManualOwner;
import io.quoin.block.ScriptedDevice;
import io.quoin.block.ScriptedDevice.Timing;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class CutTest {
    private static final long LIMIT = TimeUnit.SECONDS.toNanos(1);

    private final ManualTimers timers = new ManualTimers();
    private final Part a = new Part("a");
    private final Part b = new Part("b");
    private final List<String> ran = new ArrayList<>();

    /** A disk with an owner of its own. */
    private final class Part {
        private final String name;
        private final ManualOwner owner = new ManualOwner();
        private final ScriptedDevice device = new ScriptedDevice(1 << 20, Timing.HELD, owner);
        private final DiskRing ring =
                DiskRing.create(
                        device, owner, owner::inOwner, new IoRequestPool(), RingOptions.defaults());
        private final Submitter submitter = new Submitter(ring);

        Part(String name) {
            this.name = name;
        }

        Cut.Member member(Supplier<CompletionStage<Void>> action) {
            return new Cut.Member(name, ring, timers, action);
        }

        Cut.Member member() {
            return member(
                    () -> {
                        ran.add(name);
                        return CompletableFuture.completedFuture(null);
                    });
        }

        void publishAndDrain(long offsetBytes) {
            submitter.write(offsetBytes, 512, 1);
            ring.drain();
        }
    }

    private void runTasks() {
        for (int i = 0; i < 5; i++) {
            a.owner.runTasks();
            b.owner.runTasks();
        }
    }

    private static CompletableFuture<Void> start(Cut.Member... members) {
        return Cut.start(List.of(members), LIMIT).toCompletableFuture();
    }

    private static void assertFailed(CompletableFuture<Void> cut, BlockError error, String text) {
        assertThat(cut).isCompletedExceptionally();
        assertThatThrownBy(cut::join)
                .cause()
                .hasMessageContaining(text)
                .isInstanceOfSatisfying(
                        BlockException.class, e -> assertThat(e.error()).isEqualTo(error));
    }

    @Test
    void shouldRunActionsWhenAllDisksAreQuiet() {
        a.publishAndDrain(0);
        b.publishAndDrain(0);
        CompletableFuture<Void> cut = start(a.member(), b.member());
        runTasks();
        a.device.endAll();
        runTasks();
        a.publishAndDrain(512);
        assertThat(ran).as("b has a write in flight").isEmpty();
        assertThat(a.device.held()).as("a stands").isEmpty();
        b.device.endAll();
        runTasks();
        assertThat(ran).containsExactlyInAnyOrder("a", "b");
        assertThat(cut).isCompleted();
        assertThat(a.device.held()).as("a goes on").hasSize(1);
    }

    @Test
    void shouldHoldAllWhenAnActionTakesItsTime() {
        CompletableFuture<Void> slow = new CompletableFuture<>();
        CompletableFuture<Void> cut = start(a.member(), b.member(() -> slow));
        runTasks();
        a.publishAndDrain(0);
        b.publishAndDrain(0);
        assertThat(ran).containsExactly("a");
        assertThat(cut).isNotDone();
        assertThat(a.device.held()).isEmpty();
        slow.complete(null);
        assertThat(cut).isCompleted();
        runTasks();
        assertThat(a.device.held()).hasSize(1);
        assertThat(b.device.held()).hasSize(1);
    }

    @Test
    void shouldRunNothingWhenOneDiskDoesNotComeToRest() {
        b.publishAndDrain(0);
        CompletableFuture<Void> cut = start(a.member(), b.member());
        runTasks();
        a.publishAndDrain(0);
        timers.advance(LIMIT);
        runTasks();
        assertThat(cut).isCompletedExceptionally();
        assertThat(ran).isEmpty();
        assertThat(a.device.held()).as("a goes on").hasSize(1);
        b.device.endAll();
        runTasks();
        assertThat(ran).isEmpty();
    }

    @Test
    void shouldNameTheDiskWhenItCannotBeHeld() {
        RingHold hold =
                b.ring.hold(
                        timers,
                        LIMIT,
                        new HoldListener() {
                            @Override
                            public void reached() {}

                            @Override
                            public void failed(BlockException cause) {}
                        });
        runTasks();
        CompletableFuture<Void> cut = start(a.member(), b.member());
        runTasks();
        assertFailed(cut, BlockError.EBUSY, "b: ring can't be held: it is held already");
        a.publishAndDrain(0);
        b.publishAndDrain(0);
        assertThat(a.device.held()).hasSize(1);
        assertThat(b.device.held()).as("held by the other").isEmpty();
        hold.release();
        runTasks();
        assertThat(b.device.held()).hasSize(1);
    }

    @Test
    void shouldFailWhenADiskIsNamedTwice() {
        CompletableFuture<Void> cut = start(a.member(), a.member());
        runTasks();
        assertFailed(cut, BlockError.EBUSY, "held already");
        assertThat(ran).isEmpty();
        a.publishAndDrain(0);
        assertThat(a.device.held()).hasSize(1);
    }

    @Test
    void shouldLetGoAndWaitForTheOthersWhenAnActionFails() {
        CompletableFuture<Void> slow = new CompletableFuture<>();
        CompletableFuture<Void> cut =
                start(
                        a.member(
                                () -> {
                                    throw new BlockException(BlockError.ENOSPC, "no space");
                                }),
                        b.member(() -> slow));
        runTasks();
        b.publishAndDrain(0);
        assertThat(b.device.held()).as("all go on at once").hasSize(1);
        assertThat(cut).as("an action is under way").isNotDone();
        slow.complete(null);
        assertFailed(cut, BlockError.ENOSPC, "a: no space");
    }

    @Test
    void shouldPassAnErrorOfTheProgramOnWhenAnActionThrowsIt() {
        CompletableFuture<Void> cut =
                start(
                        a.member(
                                () -> {
                                    throw new AssertionError("broken");
                                }));
        runTasks();
        assertThat(cut).isCompletedExceptionally();
        assertThatThrownBy(cut::join).cause().isInstanceOf(AssertionError.class);
        a.publishAndDrain(0);
        assertThat(a.device.held()).hasSize(1);
    }

    @Test
    void shouldFailWhenAnActionTakesLongerThanTheLimit() {
        CompletableFuture<Void> slow = new CompletableFuture<>();
        CompletableFuture<Void> cut = start(a.member(), b.member(() -> slow));
        runTasks();
        timers.advance(LIMIT);
        runTasks();
        a.publishAndDrain(0);
        assertThat(a.device.held()).hasSize(1);
        assertThat(cut).isNotDone();
        slow.complete(null);
        assertFailed(cut, BlockError.EBUSY, "a: ring was held for too long");
    }

    @Test
    void shouldNotBeginAnActionWhenTheLimitCameFirst() {
        CompletableFuture<Void> cut = start(a.member(), b.member());
        a.owner.runTasks();
        b.owner.runTasks();
        // The last to be quiet has given both their actions, and b has not run its own.
        assertThat(ran).containsExactly("b");
        timers.advance(LIMIT);
        runTasks();
        assertThat(ran).containsExactly("b");
        assertThat(cut).isCompletedExceptionally();
    }

    @Test
    void shouldFailWhenARingIsClosedMeanwhile() {
        CompletableFuture<Void> slow = new CompletableFuture<>();
        CompletableFuture<Void> cut = start(a.member(() -> slow), b.member());
        runTasks();
        CompletableFuture<Void> closed = b.ring.close().toCompletableFuture();
        runTasks();
        assertThat(closed).isCompleted();
        slow.complete(null);
        assertFailed(cut, BlockError.ESHUTDOWN, "b: ring was closed while it was held");
    }

    @Test
    void shouldFailAndLetGoWhenAnOwnerHasEnded() {
        DiskRing ended =
                DiskRing.create(
                        b.device,
                        task -> {
                            throw new RejectedExecutionException("ended");
                        },
                        () -> false,
                        new IoRequestPool(),
                        RingOptions.defaults());
        CompletableFuture<Void> cut =
                start(
                        a.member(),
                        new Cut.Member(
                                "b", ended, timers, () -> CompletableFuture.completedFuture(null)));
        runTasks();
        assertFailed(cut, BlockError.ESHUTDOWN, "b: the disk's thread has ended");
        a.publishAndDrain(0);
        assertThat(a.device.held()).hasSize(1);
    }

    @Test
    void shouldStopEachDiskWhereItsMarkerIsAmongItsRequests() {
        Cut cut = Cut.atMarkers(List.of(a.member(), b.member()), LIMIT);
        a.submitter.write(0, 512, 1);
        assertThat(cut.offerMarker(0)).isTrue();
        a.submitter.write(512, 512, 2);
        a.ring.drain();
        assertThat(a.device.seen()).hasToString("[WRITE 0+512]");
        a.device.endAll();
        runTasks();
        b.submitter.write(0, 512, 1);
        b.submitter.flush();
        assertThat(cut.offerMarker(1)).isTrue();
        b.submitter.read(0, 512);
        b.ring.drain();
        assertThat(ran).as("a stands, b has requests in flight").isEmpty();
        assertThat(b.device.seen()).as("the flush waits for the write").hasSize(1);
        b.device.endAll();
        runTasks();
        b.device.endAll();
        runTasks();
        assertThat(ran).containsExactlyInAnyOrder("a", "b");
        assertThat(cut.result().toCompletableFuture()).isCompleted();
        assertThat(a.device.seen()).hasToString("[WRITE 0+512, WRITE 512+512]");
        assertThat(b.device.seen()).hasToString("[WRITE 0+512, FLUSH, READ 0+512]");
        a.device.endAll();
        b.device.endAll();
        assertThat(a.submitter.answers()).containsExactly("WRITE 0+512 OK", "WRITE 512+512 OK");
        assertThat(b.submitter.answers()).hasSize(3);
    }

    @Test
    void shouldGoOnAndRunNothingWhenTheOtherMarkerDoesNotCome() {
        Cut cut = Cut.atMarkers(List.of(a.member(), b.member()), LIMIT);
        cut.offerMarker(0);
        a.publishAndDrain(0);
        runTasks();
        assertThat(a.device.held()).isEmpty();
        timers.advance(LIMIT);
        runTasks();
        assertThat(a.device.held()).hasSize(1);
        assertFailed(cut.result().toCompletableFuture(), BlockError.EBUSY, "not at rest: b");
        cut.offerMarker(1);
        b.publishAndDrain(0);
        runTasks();
        assertThat(b.device.held()).as("a marker of nothing").hasSize(1);
        assertThat(ran).isEmpty();
    }

    @Test
    void shouldPassMarkersOverWhenTheCutIsGivenUp() {
        Cut cut = Cut.atMarkers(List.of(a.member(), b.member()), LIMIT);
        cut.offerMarker(0);
        a.ring.drain();
        runTasks();
        cut.giveUp();
        cut.offerMarker(1);
        runTasks();
        a.publishAndDrain(0);
        b.publishAndDrain(0);
        assertThat(a.device.held()).hasSize(1);
        assertThat(b.device.held()).hasSize(1);
        assertFailed(cut.result().toCompletableFuture(), BlockError.ESHUTDOWN, "given up");
        assertThatThrownBy(() -> cut.offerMarker(1)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldWaitBehindAnotherHoldWhenItComesToTheMarkerLater() {
        CompletableFuture<Void> slow = new CompletableFuture<>();
        CompletableFuture<Void> first = start(a.member(() -> slow));
        runTasks();
        Cut second = Cut.atMarkers(List.of(a.member()), LIMIT);
        second.offerMarker(0);
        a.ring.drain();
        runTasks();
        assertThat(ran).isEmpty();
        slow.complete(null);
        runTasks();
        assertThat(first).isCompleted();
        assertThat(ran).containsExactly("a");
        assertThat(second.result().toCompletableFuture()).isCompleted();
    }

    @Test
    void shouldFailWhenTheRingOfAMarkerIsClosed() {
        Cut late = Cut.atMarkers(List.of(a.member()), LIMIT);
        CompletableFuture<Void> closed = a.ring.close().toCompletableFuture();
        late.offerMarker(0);
        runTasks();
        assertThat(closed).isCompleted();
        assertFailed(late.result().toCompletableFuture(), BlockError.ESHUTDOWN, "it is closed");

        Cut early = Cut.atMarkers(List.of(b.member()), LIMIT);
        early.offerMarker(0);
        CompletableFuture<Void> ended = b.ring.close().toCompletableFuture();
        runTasks();
        assertThat(ended).isCompleted();
        assertFailed(early.result().toCompletableFuture(), BlockError.ESHUTDOWN, "closed");
    }

    @Test
    void shouldRefuseAMarkerWhileThereIsNoRoom() {
        Cut cut = Cut.atMarkers(List.of(a.member()), LIMIT);
        int written = 0;
        while (a.submitter.write(512L * written, 512, 1)) {
            written++;
        }
        assertThat(cut.offerMarker(0)).isFalse();
        List<String> room = new ArrayList<>();
        cut.whenRoom(0, () -> room.add("room"));
        a.ring.drain();
        a.device.endAll();
        runTasks();
        assertThat(room).hasSize(1);
        assertThat(cut.offerMarker(0)).isTrue();
        a.ring.drain();
        runTasks();
        assertThat(ran).containsExactly("a");
    }

    @Test
    void shouldWakeThoseThatWaitForRoomWhenAMarkerIsTaken() {
        DiskRing narrow =
                DiskRing.create(
                        a.device,
                        a.owner,
                        a.owner::inOwner,
                        new IoRequestPool(),
                        RingOptions.defaults().withRequestsMax(1));
        Cut cut =
                Cut.atMarkers(
                        List.of(
                                new Cut.Member(
                                        "a",
                                        narrow,
                                        timers,
                                        () -> CompletableFuture.completedFuture(null))),
                        LIMIT);
        assertThat(cut.offerMarker(0)).isTrue();
        List<String> room = new ArrayList<>();
        narrow.whenRoom(() -> room.add("room"));
        narrow.drain();
        runTasks();
        assertThat(room).hasSize(1);
        assertThat(cut.result().toCompletableFuture()).isCompleted();
    }

    @Test
    void shouldRefuseWhenThereIsNoDisk() {
        assertThatThrownBy(() -> Cut.start(List.of(), LIMIT))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
