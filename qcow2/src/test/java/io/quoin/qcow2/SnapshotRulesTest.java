package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.qcow2.snapshot.SnapshotControl;
import io.quoin.qcow2.snapshot.SnapshotInfo;
import io.quoin.qcow2.snapshot.SnapshotProgress;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.FileDriver.Pending;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Rules of docs/adr/0025 that need tables of several slices, step by step: a table has two of 4 MiB
 * each, a disk two tables. RELIABILITY.md says which test notices which rule that is left out.
 */
@Timeout(120)
class SnapshotRulesTest {
    private static final String DISK = "disk.qcow2";
    private static final int CLUSTER = 8192;
    private static final int SLICE_BYTES = 4096;
    private static final int SLICE = (4 << 20) / CLUSTER;
    private static final int SIZE = 16 << 20;
    private static final int L1_OFFSET_AT = 40;
    private static final int REFCOUNT_TABLE_OFFSET_AT = 48;
    private static final long OFFSET_MASK = 0x00ff_ffff_ffff_fe00L;
    private static final SnapshotProgress GO_ON = (done, total) -> true;

    @TempDir Path folder;
    private ImageFixture images;
    private FaultyBrick brick;
    private XlatorFile file;
    private FileDriver driver;
    private final byte[] model = new byte[SIZE];

    @BeforeEach
    void start() {
        Peer.assumeAll(Peer.QEMU_IMG);
        ImageFixture plain = new ImageFixture(folder);
        brick = new FaultyBrick(plain.brick);
        images = new ImageFixture(folder, plain.brick, brick, Map.of());
        images.create(DISK, SIZE, Map.of("cluster_size", "" + CLUSTER));
        open();
        for (int slice = 0; slice < 4; slice++) {
            write(slice * SLICE, 3, slice + 1);
        }
        flush();
    }

    /** Rule 3: what was written is where the table was, and it has moved since. */
    @Test
    void shouldKeepAllOfATableWhenItMovesAgainWhileItsCopyIsWritten() throws IOException {
        images.loops.await(create("zero"));
        byte[] zero = model.clone();
        brick.held = (name, request) -> request.op() == IoOp.FLUSH;
        CompletableFuture<SnapshotInfo> creating = create("one");
        images.loops.runReady();
        assertThat(brick.heldCount()).as("the round before the cut").isEqualTo(1);
        write(2 * SLICE, 2, 5);
        byte[] one = model.clone();
        brick.letGoFirst();
        images.loops.runReady();
        assertThat(brick.heldCount()).as("the round of the cut").isEqualTo(1);
        write(2 * SLICE + 1, 2, 6);
        brick.letGo();
        images.loops.await(creating);
        closeAndCheck();
        assertSame("zero", zero);
        assertSame("one", one);
    }

    /** Rule 4: what is copied with a table that moves is shared, whatever COPIED said there. */
    @Test
    void shouldNotWriteIntoASnapshotWhenATableHasMovedBeforeItWasSettled() throws IOException {
        CompletableFuture<SnapshotInfo> creating = createUntilItsRound();
        byte[] one = model.clone();
        write(0, 1, 5);
        write(1, 1, 7);
        Pending flush = driver.start(IoOp.FLUSH, 0, 0, 0);
        brick.letGo();
        assertThat(driver.await(flush)).isEqualTo(BlockError.OK);
        images.loops.await(creating);
        closeAndCheck();
        open();
        write(SLICE, 2, 6);
        closeAndCheck();
        assertSame("one", one);
    }

    /** Rule 4: so is what is read for a table that has moved. */
    @Test
    void shouldNotWriteIntoASnapshotWhenAPartOfATableThatHasMovedIsRead() throws IOException {
        images.close(file);
        open();
        write(0, 1, 5);
        flush();
        CompletableFuture<SnapshotInfo> creating = createUntilItsRound();
        byte[] one = model.clone();
        write(1, 1, 6);
        write(SLICE, 2, 7);
        brick.letGo();
        images.loops.await(creating);
        closeAndCheck();
        assertSame("one", one);
    }

    /** Rule 5: a stream of compressed data counts in each cluster that it touches. */
    @Test
    void shouldCountBothClustersOfAStreamThatLiesInTwo() throws IOException {
        Random random = new Random(1);
        for (int i = 0; i < 12; i++) {
            byte[] data = new byte[CLUSTER];
            byte[] noise = new byte[5000];
            random.nextBytes(noise);
            System.arraycopy(noise, 0, data, 0, noise.length);
            int at = (20 + i) * CLUSTER;
            System.arraycopy(data, 0, model, at, CLUSTER);
            assertThat(driver.await(driver.startWrite(at, data, IoFlags.COMPRESSED)))
                    .isEqualTo(BlockError.OK);
        }
        flush();
        images.loops.await(create("one"));
        byte[] one = model.clone();
        closeAndCheck();
        open();
        write(20, 12, 5);
        closeAndCheck();
        assertSame("one", one);
    }

    /** Rule 7: the first slice of a table is counted, the second is not. */
    @Test
    void shouldPutOffWhatIsDroppedWhenHalfOfATableIsCounted() throws IOException {
        int[] reads = {0};
        brick.held =
                (name, request) ->
                        request.op() == IoOp.READ
                                && request.lengthBytes() == SLICE_BYTES
                                && ++reads[0] == 2;
        CompletableFuture<SnapshotInfo> creating = create("one");
        images.loops.runUntil(() -> brick.heldCount() == 1);
        byte[] one = model.clone();
        write(SLICE, 3, 5);
        flush();
        write(SLICE + 8, 3, 6);
        flush();
        brick.letGo();
        images.loops.await(creating);
        closeAndCheck();
        assertSame("one", one);
    }

    /** Rule 8, and the table of docs/adr/0026: what compares counts with references is alone. */
    @Test
    void shouldWaitForAWalkThatLowersCountsBeforeItRaisesAny() throws IOException {
        images.loops.await(create("zero"));
        write(0, 3, 5);
        flush();
        images.close(file);
        open();
        boolean[] told = {false};
        SnapshotProgress holding =
                (done, total) -> {
                    if (!told[0]) {
                        told[0] = true;
                        brick.held = (name, request) -> request.op() == IoOp.READ;
                    }
                    return true;
                };
        CompletableFuture<Void> deleting =
                images.loops
                        .loop(0)
                        .call(() -> control().delete("zero", holding))
                        .toCompletableFuture();
        images.loops.runUntil(() -> brick.heldCount() == 1);
        brick.held = (name, request) -> false;
        CompletableFuture<SnapshotInfo> creating = create("one");
        images.loops.advance(1_000_000_000);
        assertThat(creating).as("made while a walk has not ended").isNotDone();
        brick.letGo();
        images.loops.await(deleting);
        images.loops.await(creating);
        byte[] one = model.clone();
        closeAndCheck();
        assertSame("one", one);
    }

    /** Rule 10: of a slice of which one reference cannot be counted none is. */
    @Test
    void shouldTakeBackTheSliceOfWhichOneReferenceCannotBeCounted() {
        images.close(file);
        byte[] bytes = images.brick.content(DISK);
        ByteBuffer image = ByteBuffer.wrap(bytes);
        int table = (int) (image.getLong((int) image.getLong(L1_OFFSET_AT)) & OFFSET_MASK);
        image.putShort(countOf(image, table, 2), (short) 0);
        images.brick.put(DISK, bytes);
        open();
        CompletableFuture<SnapshotInfo> creating = create("one");
        assertThatThrownBy(() -> images.loops.await(creating))
                .isInstanceOfSatisfying(
                        BlockException.class, e -> assertThat(e.error()).isEqualTo(BlockError.EIO));
        images.close(file);
        ByteBuffer after = ByteBuffer.wrap(images.brick.content(DISK));
        for (int entry = 0; entry < 2; entry++) {
            assertThat(after.getShort(countOf(after, table, entry))).isEqualTo((short) 1);
        }
    }

    /** Where the cluster of an entry is counted. */
    private static int countOf(ByteBuffer image, int table, int entry) {
        long cluster = (image.getLong(table + entry * Long.BYTES) & OFFSET_MASK) / CLUSTER;
        int block = (int) image.getLong((int) image.getLong(REFCOUNT_TABLE_OFFSET_AT));
        return block + Short.BYTES * (int) cluster;
    }

    /** Void: what was counted is taken back, so that nothing leaks. */
    @Test
    void shouldTakeBackWhatWasCountedWhenTheSnapshotIsVoid() throws IOException {
        CompletableFuture<SnapshotInfo> creating = create("one", (done, total) -> done < 1);
        assertThatThrownBy(() -> images.loops.await(creating))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.ESHUTDOWN));
        images.close(file);
        PeerResult found = check();
        assertThat(found.stdout() + found.stderr()).doesNotContain("Leaked");
        open();
        write(0, 3, 6);
        images.loops.runUntilIdle();
        closeAndCheck();
    }

    /** Rule 9: no entry of a table that is shared says COPIED, to QEMU least of all. */
    @Test
    void shouldLeaveNoCopiedInATableThatNothingHasChangedSince() throws IOException {
        images.close(file);
        open();
        images.loops.await(create("one"));
        byte[] one = model.clone();
        PeerResult found = check();
        assertThat(found.stdout() + found.stderr()).doesNotContain("OFLAG_COPIED");
        closeAndCheck();
        assertSame("one", one);
    }

    private CompletableFuture<SnapshotInfo> create(String name) {
        return create(name, GO_ON);
    }

    private CompletableFuture<SnapshotInfo> create(String name, SnapshotProgress progress) {
        return images.loops
                .loop(0)
                .call(() -> control().create(name, progress))
                .toCompletableFuture();
    }

    /** One whose moment has been, and whose round has not ended. */
    private CompletableFuture<SnapshotInfo> createUntilItsRound() {
        brick.held = (name, request) -> request.op() == IoOp.FLUSH;
        CompletableFuture<SnapshotInfo> creating = create("one");
        images.loops.runReady();
        assertThat(brick.heldCount()).as("the round before the cut").isEqualTo(1);
        brick.letGoFirst();
        images.loops.runReady();
        assertThat(brick.heldCount()).as("the round of the cut").isEqualTo(1);
        return creating;
    }

    private SnapshotControl control() {
        return SnapshotControl.of(file).orElseThrow();
    }

    private void open() {
        file = images.open(DISK, OpenMode.READ_WRITE);
        driver = images.driver(file);
    }

    private void flush() {
        assertThat(driver.flush()).isEqualTo(BlockError.OK);
    }

    private void write(int cluster, int clusters, int stamp) {
        byte[] data = new byte[clusters * CLUSTER];
        Arrays.fill(data, (byte) stamp);
        System.arraycopy(data, 0, model, cluster * CLUSTER, data.length);
        assertThat(driver.await(driver.startWrite((long) cluster * CLUSTER, data, 0)))
                .isEqualTo(BlockError.OK);
    }

    private PeerResult check() throws IOException {
        return Peer.QEMU_IMG.command("check", images.export(DISK).toString()).run();
    }

    private void closeAndCheck() throws IOException {
        images.close(file);
        images.checkClean(DISK);
        assertThat(Arrays.mismatch(images.qemuContent(DISK), model)).as("the disk").isEqualTo(-1);
    }

    private void assertSame(String snapshot, byte[] expected) {
        XlatorFile reader = images.open(DISK + "@" + snapshot, OpenMode.READ_ONLY);
        byte[] content = images.driver(reader).read(0, SIZE);
        images.close(reader);
        assertThat(Arrays.mismatch(content, expected)).as("the snapshot").isEqualTo(-1);
    }
}
