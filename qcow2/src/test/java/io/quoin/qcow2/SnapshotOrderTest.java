package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
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
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Moments of a create that random runs seldom meet; docs/adr/0025 has the rules. */
@Timeout(120)
class SnapshotOrderTest {
    private static final String DISK = "disk.qcow2";
    private static final int CLUSTER = 4096;
    private static final int SIZE = 1 << 20;

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
        file = images.open(DISK, OpenMode.READ_WRITE);
        driver = images.driver(file);
    }

    /** Rule 1: the L1 table on disk does not say COPIED, though nothing has changed it. */
    @Test
    void shouldSayCopiedNowhereOnDiskWhenASnapshotOfAnIdleDiskIsPublished() throws IOException {
        write(0, 8, 1);
        assertThat(driver.flush()).isEqualTo(BlockError.OK);
        images.loops.await(create());
        PeerResult check = Peer.QEMU_IMG.command("check", images.export(DISK).toString()).run();
        assertThat(check.stdout() + check.stderr()).doesNotContain("OFLAG_COPIED");
        assertThat(QemuVerdict.isLeaksAndFlagsAtWorst(check)).as("%s", check).isTrue();
        images.close(file);
        images.checkClean(DISK);
    }

    /** Rule 2: while an older round runs, guests wait for the cut. */
    @Test
    void shouldHaveWhatWasAnsweredWhenAnOlderRoundOfTheFlusherIsUnderWay() throws IOException {
        write(0, 8, 1);
        assertThat(driver.flush()).isEqualTo(BlockError.OK);
        brick.held =
                (name, request) ->
                        request.op() == IoOp.WRITE && (isData(request, 3) || isData(request, 5));
        Pending first = startWrite(20, 3, 2);
        Pending second = startWrite(40, 5, 3);
        images.loops.runReady();
        assertThat(brick.heldCount()).isEqualTo(2);
        CompletableFuture<SnapshotInfo> creating = create();
        images.loops.runReady();
        brick.letGoFirst();
        assertThat(driver.await(first)).isEqualTo(BlockError.OK);
        brick.held = (name, request) -> request.op() == IoOp.FLUSH;
        Pending flush = driver.start(IoOp.FLUSH, 0, 0, 0);
        images.loops.runReady();
        assertThat(brick.heldCount()).as("a data write, and the flush of a round").isEqualTo(2);
        brick.letGoFirst();
        assertThat(driver.await(second)).isEqualTo(BlockError.OK);
        byte[] atCut = model.clone();
        Pending later = startWrite(60, 2, 4);
        images.loops.runReady();
        brick.letGo();
        assertThat(driver.await(flush)).isEqualTo(BlockError.OK);
        assertThat(driver.await(later)).isEqualTo(BlockError.OK);
        images.loops.await(creating);
        assertSame("one", atCut);
        images.close(file);
        images.checkClean(DISK);
        assertThat(images.qemuContent(DISK)).isEqualTo(model);
    }

    /** Rule 2: a cut whose round fails is none. */
    @Test
    void shouldVoidTheSnapshotWhenTheRoundOfTheCutFindsAFullDisk() throws IOException {
        write(0, 8, 1);
        assertThat(driver.flush()).isEqualTo(BlockError.OK);
        brick.held = (name, request) -> request.op() == IoOp.WRITE && isData(request, 3);
        Pending first = startWrite(20, 3, 2);
        images.loops.runReady();
        CompletableFuture<SnapshotInfo> creating = create();
        images.loops.runReady();
        brick.error = BlockError.ENOSPC;
        int[] failing = {1};
        brick.failing =
                (name, request) ->
                        request.op() == IoOp.WRITE && !isData(request, 3) && failing[0]-- > 0;
        brick.letGo();
        assertThat(driver.await(first)).isEqualTo(BlockError.OK);
        assertThatThrownBy(() -> images.loops.await(creating))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.ENOSPC));
        brick.failing = (name, request) -> false;
        write(60, 2, 4);
        images.loops.await(create());
        assertSame("one", model);
        images.close(file);
        images.checkClean(DISK);
        assertThat(images.qemuContent(DISK)).isEqualTo(model);
    }

    /**
     * From a write on that settle has not made: of the L1 copy, of counts, of the table, of the
     * header.
     */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5})
    void shouldHaveAllOfTheSnapshotOrNothingWhenTheDiskIsFullBeforeItIsPublished(int writesLeft)
            throws IOException {
        write(0, 8, 1);
        assertThat(driver.flush()).isEqualTo(BlockError.OK);
        write(20, 30, 2);
        int[] left = {writesLeft};
        brick.error = BlockError.ENOSPC;
        CompletableFuture<SnapshotInfo> creating =
                create(
                        (done, total) -> {
                            brick.failing =
                                    (name, request) -> request.op() == IoOp.WRITE && left[0]-- <= 0;
                            return true;
                        });
        boolean made = images.loops.await(creating.handle((info, failure) -> failure == null));
        brick.failing = (name, request) -> false;
        assertThat(SnapshotControl.of(file).orElseThrow().list()).hasSize(made ? 1 : 0);
        byte[] atCut = model.clone();
        byte[] more = new byte[CLUSTER];
        if (driver.write(0, more, 0).isOk()) {
            System.arraycopy(more, 0, model, 0, CLUSTER);
        }
        images.close(file);
        file = images.open(DISK, OpenMode.READ_WRITE);
        driver = images.driver(file);
        images.loops.runUntilIdle();
        if (SnapshotControl.of(file).orElseThrow().list().isEmpty()) {
            assertThat(made).isFalse();
            images.loops.await(create());
            atCut = model.clone();
        }
        assertSame("one", atCut);
        images.close(file);
        images.checkClean(DISK);
        assertThat(images.qemuContent(DISK)).isEqualTo(model);
    }

    private static boolean isData(IoRequest request, int clusters) {
        return request.lengthBytes() == (long) clusters * CLUSTER;
    }

    private CompletableFuture<SnapshotInfo> create() {
        return create((done, total) -> true);
    }

    private CompletableFuture<SnapshotInfo> create(SnapshotProgress progress) {
        SnapshotControl control = SnapshotControl.of(file).orElseThrow();
        return images.loops
                .loop(0)
                .call(() -> control.create("one", progress))
                .toCompletableFuture();
    }

    private Pending startWrite(int cluster, int clusters, int stamp) {
        byte[] data = new byte[clusters * CLUSTER];
        Arrays.fill(data, (byte) stamp);
        System.arraycopy(data, 0, model, cluster * CLUSTER, data.length);
        return driver.startWrite((long) cluster * CLUSTER, data, 0);
    }

    private void write(int cluster, int clusters, int stamp) {
        assertThat(driver.await(startWrite(cluster, clusters, stamp))).isEqualTo(BlockError.OK);
    }

    private void assertSame(String snapshot, byte[] expected) {
        XlatorFile reader = images.open(DISK + "@" + snapshot, OpenMode.READ_ONLY);
        byte[] content = images.driver(reader).read(0, SIZE);
        images.close(reader);
        assertThat(Arrays.mismatch(content, expected)).as("first difference").isEqualTo(-1);
    }
}
