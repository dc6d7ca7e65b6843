package io.quoin.management.volume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.snapshot.SnapshotName;
import io.quoin.testkit.MemoryXlator;
import io.quoin.xlator.Stages;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.loop.NettyLoopGroup;
import java.util.concurrent.atomic.AtomicLong;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the volume adds to the snapshots of an image: who may do what while others use the disk. */
@Timeout(60)
class VolumeSnapshotsTest {
    private static final SnapshotName MONDAY = SnapshotName.of("vm1@monday");

    private final NettyLoopGroup loops = new NettyLoopGroup(2);
    private final MemoryXlator brick = new MemoryXlator("brick");
    private final FakeSnapshots images = new FakeSnapshots();
    private final Xlator graph = images.above(brick);
    private final OpenDisks disks = new OpenDisks(graph, loops);
    private final VolumeSnapshots snapshots = new VolumeSnapshots(graph, loops, disks);

    VolumeSnapshotsTest() {
        brick.put("vm1", new byte[4096]);
        brick.put("vm1@monday", new byte[4096]);
    }

    @AfterEach
    void close() {
        Stages.await(disks.close());
        loops.close();
    }

    @Test
    void shouldMakeASnapshotOfADiskAttachedOrNot() {
        SnapshotView made = snapshots.create(MONDAY, CheckEvents.SILENT);
        assertThat(made.fullName()).isEqualTo("vm1@monday");
        assertThat(made.createdAt()).isEqualTo("2027-01-15T08:00:00.000000007Z");
        assertThat(disks.users("vm1")).isZero();

        AttachedDisk guest = Stages.await(disks.attach("vm1"));
        snapshots.create(SnapshotName.of("vm1@tuesday"), CheckEvents.SILENT);
        assertThat(snapshots.of("vm1"))
                .extracting(SnapshotView::name)
                .containsExactly("monday", "tuesday");
        assertThat(Stages.await(snapshots.byDisk())).containsOnlyKeys("vm1");
        Stages.await(guest.close());
        assertThat(snapshots.of("vm1")).hasSize(2);
        assertThat(Stages.await(snapshots.byDisk())).isEmpty();
    }

    @Test
    void shouldFindByNameBeforeIdAndNameTheNearest() {
        images.add("2");
        images.add("monday");
        assertThat(snapshots.info(SnapshotName.of("vm1@2")).id()).isEqualTo("1");
        assertThat(snapshots.info(SnapshotName.of("vm1@1")).name()).isEqualTo("2");
        assertFails(
                () -> snapshots.info(SnapshotName.of("vm1@mondy")),
                BlockError.ENOENT,
                "no such snapshot: name=vm1@mondy; did you mean vm1@monday?");
    }

    @Test
    void shouldTellProgressAndStopWhenAsked() {
        images.endless = true;
        AtomicLong told = new AtomicLong();
        CheckEvents stopping =
                new CheckEvents() {
                    @Override
                    public boolean progress(long done, long total) {
                        told.set(10 * done + total);
                        return false;
                    }
                };
        assertFails(() -> snapshots.create(MONDAY, stopping), BlockError.ESHUTDOWN, "stopped");
        assertThat(told).hasValue(12);
        assertThat(disks.users("vm1")).isZero();
    }

    @Test
    void shouldGoOnWithARemovalWhenItWasPaused() {
        images.add("monday");
        images.endless = true;
        AtomicLong pauses = new AtomicLong();
        CheckEvents paused =
                new CheckEvents() {
                    @Override
                    public boolean isPaused() {
                        return pauses.get() == 0;
                    }

                    @Override
                    public void betweenPieces() {
                        pauses.incrementAndGet();
                    }
                };
        snapshots.remove(MONDAY, paused);
        assertThat(pauses).hasValue(1);
        assertThat(images.givenBack).isEqualTo(1);
        assertThat(snapshots.of("vm1")).isEmpty();
        assertThat(disks.users("vm1")).isZero();
    }

    @Test
    void shouldLeaveTheRestOfARemovalWhenItIsToEnd() {
        images.add("monday");
        images.endless = true;
        CheckEvents ending =
                new CheckEvents() {
                    @Override
                    public boolean progress(long done, long total) {
                        return false;
                    }
                };
        snapshots.remove(MONDAY, ending);
        assertThat(images.givenBack).isZero();
        assertThat(snapshots.of("vm1")).isEmpty();
    }

    @Test
    void shouldNotRemoveOrRenameWhatIsRead() {
        images.add("monday");
        AttachedDisk reader = Stages.await(disks.attach("vm1@monday"));
        assertThat(snapshots.info(MONDAY).connections()).isEqualTo(1);
        assertFails(
                () -> snapshots.remove(MONDAY, CheckEvents.SILENT),
                BlockError.EBUSY,
                "name=vm1@monday, connections=1");
        // By its id it is the same one.
        assertFails(
                () -> snapshots.remove(SnapshotName.of("vm1@1"), CheckEvents.SILENT),
                BlockError.EBUSY,
                "name=vm1@monday, connections=1");
        assertFails(
                () -> snapshots.rename(MONDAY, "sunday"),
                BlockError.EBUSY,
                "name=vm1@monday, connections=1");
        Stages.await(reader.close());
        assertThat(snapshots.rename(MONDAY, "sunday").fullName()).isEqualTo("vm1@sunday");
        snapshots.remove(SnapshotName.of("vm1@sunday"), CheckEvents.SILENT);
        assertThat(snapshots.of("vm1")).isEmpty();
    }

    @Test
    void shouldRollBackOnlyWhatNothingHasAttached() {
        images.add("monday");
        AttachedDisk guest = Stages.await(disks.attach("vm1"));
        assertFails(
                () -> snapshots.requireRollback(MONDAY),
                BlockError.EBUSY,
                "name=vm1, connections=1");
        assertFails(
                () -> snapshots.rollback(MONDAY, CheckEvents.SILENT),
                BlockError.EBUSY,
                "name=vm1, connections=1");
        assertThat(images.rolledBackTo).isEmpty();
        Stages.await(guest.close());
        snapshots.requireRollback(MONDAY);
        assertThat(snapshots.rollback(MONDAY, CheckEvents.SILENT)).isEqualTo(4096);
        assertThat(images.rolledBackTo).isEqualTo("monday");
        Stages.await(Stages.await(disks.attach("vm1")).close());
    }

    @Test
    void shouldSayWhatStandsOnADiskThatIsReadOnly() {
        images.add("monday");
        images.isTemplate = true;
        assertFails(
                () -> snapshots.rollback(MONDAY, CheckEvents.SILENT),
                BlockError.EBUSY,
                "name=vm1, reason=used by=vm2");
        assertFails(
                () -> snapshots.create(SnapshotName.of("vm1@tuesday"), CheckEvents.SILENT),
                BlockError.EROFS,
                "name=vm1, reason=used by=vm2");
        assertThat(disks.users("vm1")).isZero();
    }

    private static void assertFails(ThrowingCallable call, BlockError error, String text) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        BlockException.class, e -> assertThat(e.error()).isEqualTo(error))
                .hasMessageContaining(text);
    }
}
