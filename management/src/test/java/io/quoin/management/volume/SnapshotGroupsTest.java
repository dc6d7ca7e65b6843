package io.quoin.management.volume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.block.disk.Disk;
import io.quoin.management.guest.FreezeOptions;
import io.quoin.management.volume.HookedBrick.Fate;
import io.quoin.snapshot.SnapshotName;
import io.quoin.testkit.MemoryXlator;
import io.quoin.xlator.Stages;
import io.quoin.xlator.loop.NettyLoopGroup;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots of several disks at one instant, all or none. */
@Timeout(300)
class SnapshotGroupsTest {
    private static final int SIZE = 4 << 20;
    private static final int BLOCK = 4096;
    private static final int BURST = 16;
    private static final List<String> BOTH = List.of("a", "b");

    @TempDir private Path folder;

    private final NettyLoopGroup loops = new NettyLoopGroup(2);
    private final HookedBrick brick = new HookedBrick(new MemoryXlator("brick"));
    private DiskVolume volume;

    @BeforeEach
    void makeTwoDisks() {
        volume = brick.volume(loops, folder);
        BOTH.forEach(name -> volume.create(name, SIZE, Map.of("cluster_size", "4096")));
    }

    @AfterEach
    void close() {
        brick.letGo();
        volume.close();
        loops.close();
    }

    private Disk open(DiskVolume from, String name) {
        AttachedDisk attached = Stages.await(from.attach(name));
        return Disk.over(name, attached.ring(), attached::close);
    }

    private static ByteBuffer block(long stamp) {
        ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
        for (int i = 0; i < BLOCK; i += Long.BYTES) {
            block.putLong(i, stamp);
        }
        return block;
    }

    private static long stampAt(Disk disk, int index) {
        ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
        disk.read((long) index * BLOCK, block);
        long stamp = block.getLong(0);
        assertThat(block.getLong(BLOCK - Long.BYTES)).as("a block in one piece").isEqualTo(stamp);
        return stamp;
    }

    private static void writeStamp(Disk disk, long stamp) {
        List<CompletableFuture<Void>> burst = new ArrayList<>();
        for (int i = 1; i <= BURST; i++) {
            burst.add(disk.writeAsync((long) i * BLOCK, block(stamp), IoFlags.NONE));
        }
        burst.forEach(CompletableFuture::join);
        disk.write(0, block(stamp));
    }

    private void create(String name) {
        volume.groups().create(GroupRequest.of(BOTH, name), CheckEvents.SILENT);
    }

    private void create(String name, long limitMillis) {
        long limit = TimeUnit.MILLISECONDS.toNanos(limitMillis);
        GroupRequest request = new GroupRequest(BOTH, name, true, limit, FreezeOptions.NONE);
        volume.groups().create(request, CheckEvents.SILENT);
    }

    private static void assertFails(ThrowingCallable call, BlockError error, String text) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        BlockException.class, e -> assertThat(e.error()).isEqualTo(error))
                .hasMessageContaining(text);
    }

    private void assertNone() {
        BOTH.forEach(disk -> assertThat(volume.snapshots().of(disk)).as(disk).isEmpty());
        assertThat(volume.groups().list()).isEmpty();
        assertThat(records()).isEmpty();
    }

    private Map<String, byte[]> records() {
        Map<String, byte[]> records = new TreeMap<>();
        Path groups = folder.resolve("groups");
        if (!Files.isDirectory(groups)) {
            return records;
        }
        try (Stream<Path> files = Files.list(groups)) {
            for (Path file : files.toList()) {
                if (!file.getFileName().toString().startsWith(".")) {
                    records.put(file.getFileName().toString(), Files.readAllBytes(file));
                }
            }
            return records;
        } catch (java.nio.file.NoSuchFileException renamed) {
            return records();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void shouldHaveTheDisksInStepWhenStampsAreWrittenToOneAfterTheOther() {
        int groups = 12;
        AtomicBoolean stop = new AtomicBoolean();
        try (Disk a = open(volume, "a");
                Disk b = open(volume, "b")) {
            CompletableFuture<Long> writer =
                    CompletableFuture.supplyAsync(
                            () -> {
                                long stamp = 0;
                                while (!stop.get()) {
                                    stamp++;
                                    writeStamp(a, stamp);
                                    writeStamp(b, stamp);
                                }
                                return stamp;
                            });
            for (int i = 0; i < groups; i++) {
                create("g" + i);
            }
            stop.set(true);
            assertThat(writer.join()).isGreaterThan(groups);
        }
        long last = -1;
        for (int i = 0; i < groups; i++) {
            try (Disk a = open(volume, "a@g" + i);
                    Disk b = open(volume, "b@g" + i)) {
                long ofA = stampAt(a, 0);
                long ofB = stampAt(b, 0);
                assertThat(ofA - ofB).as("g%d: a=%d, b=%d", i, ofA, ofB).isBetween(0L, 1L);
                assertThat(ofA).isGreaterThanOrEqualTo(last);
                last = ofA;
                assertBurst(a, ofA, ofA == ofB);
                assertBurst(b, ofB, ofA != ofB);
            }
        }
        assertThat(last).isPositive();
        assertThat(volume.groups().list())
                .hasSize(groups)
                .allSatisfy(group -> assertThat(group.removed()).isEmpty());
    }

    /** What was written before the last stamp is there; what comes next only if it is its turn. */
    private static void assertBurst(Disk disk, long stamp, boolean isNextUnderWay) {
        for (int i = 1; i <= BURST; i++) {
            assertThat(stampAt(disk, i)).isBetween(stamp, isNextUnderWay ? stamp + 1 : stamp);
        }
    }

    @Test
    void shouldMakeNoneWhenOneCannotHaveIt() {
        volume.snapshots().create(SnapshotName.of("b@monday"), CheckEvents.SILENT);
        assertFails(() -> create("monday"), BlockError.EEXIST, "name=monday");
        assertThat(volume.snapshots().of("a")).isEmpty();
        volume.create("c", SIZE, Map.of("format", "raw"));
        GroupRequest withRaw = GroupRequest.of(List.of("a", "c"), "tuesday");
        assertFails(
                () -> volume.groups().create(withRaw, CheckEvents.SILENT),
                BlockError.ENOTSUP,
                "name=c");
        GroupRequest withNone = GroupRequest.of(List.of("a", "d"), "tuesday");
        assertFails(
                () -> volume.groups().create(withNone, CheckEvents.SILENT), BlockError.ENOENT, "d");
        assertFails(() -> GroupRequest.of(List.of("a", "a"), "x"), BlockError.EINVAL, "each once");
        assertThat(volume.snapshots().of("a")).isEmpty();
        assertThat(volume.groups().list()).isEmpty();
        List<String> leftOut = new ArrayList<>();
        CheckEvents telling =
                new CheckEvents() {
                    @Override
                    public void finding(String text) {
                        leftOut.add(text);
                    }
                };
        assertThat(volume.groups().able(List.of("a", "b", "c"), telling)).isEqualTo(BOTH);
        assertThat(leftOut).singleElement().asString().contains("left out", "name=c");
        create("tuesday");
        assertThat(volume.snapshots().of("a")).hasSize(1);
    }

    @Test
    void shouldMakeNoneAndLetTheOthersGoOnWhenADiskDoesNotComeToRestInTime() {
        try (Disk a = open(volume, "a");
                Disk b = open(volume, "b")) {
            brick.hook = (file, request) -> isDataOf("b.qcow2", file, request);
            CompletableFuture<Void> hanging = b.writeAsync(0, block(1), IoFlags.NONE);
            letGoAfter(
                    () -> {
                        assertFails(() -> create("monday", 100), BlockError.EBUSY, "disk=b");
                        assertThat(hanging).isNotDone();
                        a.write(0, block(1));
                    });
            hanging.join();
            assertNone();
            create("monday");
            assertThat(volume.snapshots().of("b")).hasSize(1);
        }
    }

    /** Disks whose requests hang could not be closed. */
    private void letGoAfter(Runnable body) {
        try {
            body.run();
        } finally {
            brick.letGo();
        }
    }

    private static Fate isDataOf(String wanted, String file, IoRequest request) {
        return file.equals(wanted) && request.op() == IoOp.WRITE && request.lengthBytes() == BLOCK
                ? Fate.HOLD
                : Fate.PASS;
    }

    @Test
    void shouldTakeTheFirstAwayAgainWhenTheSecondRunsFullAtItsPublication() {
        try (Disk a = open(volume, "a");
                Disk b = open(volume, "b")) {
            a.write(0, block(1));
            b.write(0, block(1));
            AtomicBoolean failed = new AtomicBoolean();
            brick.hook =
                    (file, request) -> {
                        boolean fails =
                                file.equals("b.qcow2")
                                        && request.op() == IoOp.WRITE
                                        && isPending(records());
                        failed.compareAndSet(false, fails);
                        return fails ? Fate.NO_SPACE : Fate.PASS;
                    };
            letGoAfter(() -> assertFails(() -> create("monday"), BlockError.ENOSPC, "monday"));
            assertThat(failed).isTrue();
            assertNone();
            create("monday");
        }
    }

    private static boolean isPending(Map<String, byte[]> records) {
        return records.keySet().stream().anyMatch(name -> name.endsWith(".pending"));
    }

    @Test
    void shouldMakeNoneWhenTheVolumeIsClosedMeanwhile() throws IOException {
        Disk b = open(volume, "b");
        brick.hook = (file, request) -> isDataOf("b.qcow2", file, request);
        CompletableFuture<Void> hanging = b.writeAsync(0, block(1), IoFlags.NONE);
        CompletableFuture<Void> creating =
                CompletableFuture.runAsync(() -> create("monday", 10_000));
        while (brick.held.get() < 1) {
            LockSupport.parkNanos(1000);
        }
        DiskVolume first = volume;
        CompletableFuture<Void> closed = new CompletableFuture<>();
        letGoAfter(
                () -> {
                    assertFails(() -> first.remove("b"), BlockError.EBUSY, "name=b");
                    closed.completeAsync(
                            () -> {
                                first.close();
                                return null;
                            });
                });
        closed.join();
        assertThat(hanging).isDone();
        assertThat(creating.handle((none, failure) -> failure).join()).isNotNull();
        volume = brick.volume(loops, folder);
        assertNone();
    }

    /** The disks and the records as they were at one moment, at which the host lost its power. */
    private record State(MemoryXlator files, Map<String, byte[]> records, String before) {}

    @Test
    void shouldHaveAllOrNoneWhenTheHostCrashesAnywhere() throws IOException {
        List<State> states = new ArrayList<>();
        try (Disk a = open(volume, "a");
                Disk b = open(volume, "b")) {
            writeStamp(a, 1);
            writeStamp(b, 1);
            a.flush();
            b.flush();
            create("one");
            writeStamp(a, 2);
            writeStamp(b, 2);
            brick.hook =
                    (file, request) -> {
                        if (request.op() != IoOp.READ) {
                            remember(states, file + " " + request.op());
                        }
                        return Fate.PASS;
                    };
            create("two");
            brick.hook = (file, request) -> Fate.PASS;
            remember(states, "the end");
        }
        int unfinished = 0;
        int made = 0;
        for (int i = 0; i < states.size(); i++) {
            State state = states.get(i);
            unfinished += isPending(state.records()) ? 1 : 0;
            made += judge(state, "state " + i + " before " + state.before()) ? 1 : 0;
        }
        System.out.println(
                "crash of a group: states="
                        + states.size()
                        + ", while published="
                        + unfinished
                        + ", whole="
                        + made);
        assertThat(states).hasSizeGreaterThan(20);
        assertThat(unfinished).isGreaterThan(4);
        assertThat(made).isPositive().isLessThan(states.size());
    }

    private void remember(List<State> states, String before) {
        synchronized (states) {
            Map<String, byte[]> records = records();
            MemoryXlator files = brick.memory.copy();
            // A rename between the two would be no moment.
            if (records.keySet().equals(records().keySet())) {
                states.add(new State(files, records, before));
            }
        }
    }

    /** Says whether the second group was made. */
    private boolean judge(State state, String what) throws IOException {
        Path place = Files.createTempDirectory(folder, "state");
        Files.createDirectory(place.resolve("groups"));
        for (Map.Entry<String, byte[]> record : state.records().entrySet()) {
            Files.write(place.resolve("groups").resolve(record.getKey()), record.getValue());
        }
        long whole = state.records().keySet().stream().filter(n -> n.endsWith(".json")).count();
        try (DiskVolume after = new HookedBrick(state.files()).volume(loops, place)) {
            List<String> expected = whole == 2 ? List.of("one", "two") : List.of("one");
            for (String disk : BOTH) {
                assertThat(after.snapshots().of(disk))
                        .as("%s: %s", what, disk)
                        .extracting(SnapshotView::name)
                        .isEqualTo(expected);
                for (int i = 0; i < expected.size(); i++) {
                    try (Disk snapshot = open(after, disk + "@" + expected.get(i))) {
                        assertBurst(snapshot, i + 1L, false);
                    }
                }
            }
            assertThat(after.groups().list())
                    .as(what)
                    .extracting(GroupView::name)
                    .isEqualTo(expected);
        }
        try (Stream<Path> left = Files.list(place.resolve("groups"))) {
            assertThat(left).as(what).hasSize((int) whole);
        }
        return whole == 2;
    }

    @Test
    void shouldRemoveAGroupWholeOrOneByOne() {
        create("monday");
        create("tuesday");
        GroupView monday = volume.groups().info("monday");
        assertThat(monday.snapshots()).containsExactly("a@monday", "b@monday");
        assertThat(monday.frozen()).isFalse();
        try (Disk reader = open(volume, "b@monday")) {
            assertThat(reader.sizeBytes()).isEqualTo(SIZE);
            assertFails(
                    () -> volume.groups().remove("monday", CheckEvents.SILENT),
                    BlockError.EBUSY,
                    "b@monday");
        }
        volume.clone("a@monday", List.of("clone"), 0);
        assertFails(
                () -> volume.groups().remove("monday", CheckEvents.SILENT),
                BlockError.EBUSY,
                "used by=clone");
        volume.remove("clone");
        assertThat(volume.groups().info("monday").removed()).isEmpty();
        volume.snapshots().rename(SnapshotName.of("a@tuesday"), "kept");
        volume.snapshots().remove(SnapshotName.of("b@tuesday"), CheckEvents.SILENT);
        volume.groups().forgetIfEmpty(volume.groups().info("tuesday").uuid());
        assertThat(volume.groups().info("tuesday").snapshots()).containsExactly("a@kept");
        assertThat(volume.groups().info("tuesday").removed()).containsExactly("b");
        assertThat(volume.groups().remove(monday.uuid(), CheckEvents.SILENT)).hasSize(2);
        assertThat(volume.groups().remove("tuesday", CheckEvents.SILENT)).containsExactly("a@kept");
        assertNone();
        assertFails(() -> volume.groups().info("mondy"), BlockError.ENOENT, "mondy");
    }

    @Test
    void shouldLeaveSnapshotsAloneWhoseGroupHasNoRecord() throws IOException {
        create("monday");
        MemoryXlator copied = brick.memory.copy();
        Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
        try (DiskVolume other = new HookedBrick(copied).volume(loops, elsewhere)) {
            assertThat(other.snapshots().of("a")).hasSize(1);
            assertThat(other.snapshots().of("a").get(0).group()).isNotNull();
            assertThat(other.groups().list()).isEmpty();
        }
    }

    @Test
    void shouldKeepSetsOfDisks() {
        DiskSets sets = volume.sets();
        assertThat(sets.list()).isEmpty();
        sets.create("db", List.of("a"));
        assertThat(sets.add("db", List.of("b", "a")).disks()).containsExactly("a", "b");
        assertFails(() -> sets.create("db", List.of()), BlockError.EEXIST, "name=db");
        assertFails(() -> sets.remove("db", List.of("c")), BlockError.ENOENT, "name=c");
        assertFails(() -> sets.create("../x", List.of()), BlockError.EINVAL, "name");
        DiskSets again = new DiskSets(folder.resolve("groups.json"));
        assertThat(again.get("db").disks()).containsExactly("a", "b");
        assertThat(sets.remove("db", List.of("a")).disks()).containsExactly("b");
        sets.remove("db", List.of());
        assertFails(() -> sets.get("db"), BlockError.ENOENT, "name=db");
    }
}
