package io.quoin.replicate.volume;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.replicate.Gateway;
import io.quoin.replicate.Health;
import io.quoin.replicate.Layout;
import io.quoin.replicate.ScrubProgress;
import io.quoin.replicate.link.LocalBricks;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.log.LogsErrors;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.graph.SubvolumeExchange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Three bricks through what happens to bricks and to processes. */
class ReplicateVolumeTest {
    private static final int SIZE = 4 << 20;

    private final VirtualLoopGroup loops = new VirtualLoopGroup(1);
    private final LocalBricks bricks = new LocalBricks(loops, Layout.THREE, false);

    private <T> T await(CompletionStage<T> stage) {
        return loops.await(stage);
    }

    private Xlator mount(List<Xlator> nodes) {
        return bricks.create(
                new ReplicateType(), "r", nodes, Map.of("layout", Layout.THREE.text()));
    }

    private XlatorFile open(Xlator volume) {
        return await(volume.open("a", OpenOptions.READ_WRITE, loops.loop(0)));
    }

    private FileDriver drive(XlatorFile file) {
        return new FileDriver(file, loops.loop(0));
    }

    private void close(XlatorFile file) {
        await(loops.loop(0).call(file::close));
    }

    private void unmount(Xlator volume, List<Xlator> nodes) {
        await(volume.close());
        nodes.forEach(node -> await(node.close()));
    }

    private void wait(int seconds) {
        loops.advance(TimeUnit.SECONDS.toNanos(seconds));
    }

    private static byte[] pattern(int seed) {
        byte[] data = new byte[64 << 10];
        new Random(seed).nextBytes(data);
        return data;
    }

    private static void write(FileDriver driver, int block, int seed) {
        assertThat(driver.write((long) block * (64 << 10), pattern(seed), IoFlags.NONE))
                .isEqualTo(BlockError.OK);
    }

    private static void expect(FileDriver driver, int block, int seed) {
        assertThat(driver.read((long) block * (64 << 10), 64 << 10)).isEqualTo(pattern(seed));
    }

    /** Every data file is the same on these bricks. */
    private void checkEqual(int... indexes) {
        MemoryXlator first = bricks.storage(indexes[0]);
        List<String> names =
                await(first.list()).stream()
                        .map(FileInfo::fileName)
                        .filter(name -> name.endsWith(".data"))
                        .toList();
        assertThat(names).hasSize(2);
        for (int index : indexes) {
            for (String name : names) {
                assertThat(Arrays.equals(bricks.storage(index).content(name), first.content(name)))
                        .as("brick %s, file %s", index, name)
                        .isTrue();
            }
        }
    }

    @Test
    void shouldHealABrickThatWasAwayWhenItIsBack() {
        List<Xlator> nodes = bricks.nodes();
        Xlator volume = mount(nodes);
        await(volume.create("a", CreateOptions.ofSize(SIZE)));
        XlatorFile file = open(volume);
        FileDriver driver = drive(file);
        write(driver, 0, 1);
        bricks.lose(nodes.get(2));
        for (int block = 0; block < 60; block++) {
            write(driver, block, 100 + block);
        }
        close(file);
        unmount(volume, nodes);

        List<Xlator> again = bricks.nodes();
        Xlator second = mount(again);
        XlatorFile reopened = open(second);
        wait(30);
        for (int block = 0; block < 60; block++) {
            expect(drive(reopened), block, 100 + block);
        }
        close(reopened);
        unmount(second, again);
        checkEqual(0, 1, 2);
    }

    @Test
    void shouldHealFilesThatAreNotOpenWhenTold() {
        List<Xlator> nodes = bricks.nodes();
        SharedLink link = new SharedLink(nodes.get(1));
        Xlator volume = mount(List.of(nodes.get(0), link.use(), nodes.get(2)));
        await(volume.create("a", CreateOptions.ofSize(SIZE)));
        XlatorFile file = open(volume);
        link.lose(0);
        write(drive(file), 5, 50);
        ReplicaAdmin admin = volume.extension(ReplicaAdmin.class).orElseThrow();
        assertThat(await(admin.bricks()))
                .extracting(status -> status.identity() != null)
                .containsExactly(true, false, true);
        ReplicaFileHealth open = await(admin.health()).get(0);
        assertThat(open.fileName()).isEqualTo("a");
        assertThat(open.health().members())
                .extracting(Health.Part::role)
                .containsExactly(Health.Role.IN_SYNC, Health.Role.ABSENT, Health.Role.IN_SYNC);
        close(file);
        unmount(volume, nodes);

        List<Xlator> again = bricks.nodes();
        Xlator second = mount(again);
        List<ReplicaFileHealth> told = new ArrayList<>();
        List<ReplicaFileHealth> healed =
                await(second.extension(ReplicaAdmin.class).orElseThrow().healFull(told::add));
        assertThat(healed).hasSize(2);
        assertThat(healed)
                .allSatisfy(
                        each ->
                                assertThat(each.health().members())
                                        .extracting(Health.Part::role)
                                        .containsOnly(Health.Role.IN_SYNC));
        assertThat(told).containsAll(healed);
        unmount(second, again);
        checkEqual(0, 1, 2);
    }

    @Test
    void shouldGoOnWithTwoBricksAndWaitWithOne() {
        List<Xlator> nodes = bricks.nodes();
        Xlator volume = mount(nodes);
        await(volume.create("a", CreateOptions.ofSize(SIZE)));
        XlatorFile file = open(volume);
        FileDriver driver = drive(file);
        bricks.lose(nodes.get(0));
        write(driver, 3, 7);
        bricks.lose(nodes.get(1));
        FileDriver.Pending waiting = driver.startWrite(0, pattern(8), IoFlags.NONE);
        wait(60);
        assertThat(waiting.isDone()).isFalse();
        loops.loop(0).run(() -> file.abort(BlockError.ETIMEDOUT));
        assertThat(driver.await(waiting)).isEqualTo(BlockError.ETIMEDOUT);
        close(file);
    }

    @Test
    void shouldFailACloseWhenTooFewBricksCanBeReached() {
        List<Xlator> nodes = bricks.nodes();
        SharedLink first = new SharedLink(nodes.get(0));
        SharedLink second = new SharedLink(nodes.get(1));
        Xlator volume = mount(List.of(first.use(), second.use(), nodes.get(2)));
        await(volume.create("a", CreateOptions.ofSize(SIZE)));
        XlatorFile file = open(volume);
        write(drive(file), 0, 1);
        first.lose(0);
        second.lose(0);
        CompletionStage<Void> closed = loops.loop(0).call(file::close);
        assertThat(catchThrowableOfType(BlockException.class, () -> await(closed)).error())
                .isEqualTo(BlockError.ENOTCONN);
        assertThat(catchThrowableOfType(BlockException.class, () -> await(volume.close())).error())
                .isEqualTo(BlockError.ENOTCONN);
    }

    @Test
    void shouldHaveEveryAcknowledgedWriteWhenItsProcessWasKilled() {
        List<Xlator> nodes = bricks.nodes();
        Xlator volume = mount(nodes);
        await(volume.create("a", CreateOptions.ofSize(SIZE)));
        XlatorFile file = open(volume);
        FileDriver driver = drive(file);
        for (int block = 0; block < 20; block++) {
            write(driver, block, block);
        }
        for (int block = 20; block < 40; block++) {
            FileDriver.Pending unused =
                    driver.startWrite(block * (64L << 10), pattern(block), IoFlags.NONE);
        }
        loops.loop(0).run(() -> file.abort(BlockError.ETIMEDOUT));
        close(file);
        XlatorFile again = open(volume);
        for (int block = 0; block < 20; block++) {
            expect(drive(again), block, block);
        }
        close(again);
        unmount(volume, nodes);
        checkEqual(0, 1, 2);
    }

    /** A process of its own that writes to the file, closed well. */
    private void writeOnce(int seed) {
        List<Xlator> nodes = bricks.nodes();
        Xlator volume = mount(nodes);
        XlatorFile file = open(volume);
        write(drive(file), 0, seed);
        close(file);
        unmount(volume, nodes);
    }

    /** As often as it was started since the copy, and less often. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    @LogsErrors("Brick refused")
    void shouldRefuseABrickThatWasPutBackWhileNoProcessHadTheVolume(int starts) {
        List<Xlator> nodes = bricks.nodes();
        Xlator volume = mount(nodes);
        await(volume.create("a", CreateOptions.ofSize(SIZE)));
        unmount(volume, nodes);
        writeOnce(1);
        MemoryXlator older = bricks.storage(0).copy();
        for (int start = 0; start < starts; start++) {
            writeOnce(2);
        }
        bricks.storage(0, older);

        List<Xlator> again = bricks.nodes();
        Xlator second = mount(again);
        XlatorFile file = open(second);
        expect(drive(file), 0, 2);
        ReplicaAdmin admin = second.extension(ReplicaAdmin.class).orElseThrow();
        assertThat(await(admin.bricks()).get(0).reason())
                .startsWith("has been rolled back: starts=")
                .endsWith("make it a new brick with quoin volume replace-brick");
        close(file);
        unmount(second, again);

        bricks.replace(0);
        List<Xlator> replaced = bricks.nodes();
        Xlator third = mount(replaced);
        assertThat(await(third.extension(ReplicaAdmin.class).orElseThrow().healFull(told -> {})))
                .allSatisfy(
                        each ->
                                assertThat(each.health().members())
                                        .extracting(Health.Part::role)
                                        .containsOnly(Health.Role.IN_SYNC));
        unmount(third, replaced);
        checkEqual(0, 1, 2);
    }

    @Test
    void shouldUseTheBricksWhenItIsNotKnownWhatWasSeen() {
        bricks.states().write("r", "quoin-bricks-seen 1\n0 no-id".getBytes(UTF_8));
        List<Xlator> nodes = bricks.nodes();
        Xlator volume = mount(nodes);
        await(volume.create("a", CreateOptions.ofSize(SIZE)));
        unmount(volume, nodes);
        writeOnce(1);
        assertThat(bricks.states().read("r"))
                .map(kept -> new String(kept, UTF_8).lines().count())
                .contains(4L);
    }

    @Test
    void shouldRefuseAWipedBrickAndTellWhy() {
        List<Xlator> nodes = bricks.nodes();
        Xlator volume = mount(nodes);
        await(volume.create("a", CreateOptions.ofSize(SIZE)));
        unmount(volume, nodes);
        bricks.storage(1, new MemoryXlator("brick1", false));
        List<Xlator> again = bricks.nodes();
        Xlator second = mount(again);
        XlatorFile file = open(second);
        write(drive(file), 0, 5);
        expect(drive(file), 0, 5);
        assertThat(LocalBricks.failure(again.get(1))).contains("folder of the brick is empty");
        close(file);
        unmount(second, again);
    }

    @Test
    void shouldHealABrickWhollyWhenItWasFormattedAnew() {
        List<Xlator> nodes = bricks.nodes();
        Xlator volume = mount(nodes);
        await(volume.create("a", CreateOptions.ofSize(SIZE)));
        XlatorFile file = open(volume);
        for (int block = 0; block < 60; block++) {
            write(drive(file), block, block);
        }
        close(file);
        unmount(volume, nodes);

        bricks.replace(0);
        List<Xlator> again = bricks.nodes();
        Xlator second = mount(again);
        XlatorFile reopened = open(second);
        for (int block = 0; block < 60; block++) {
            expect(drive(reopened), block, block);
        }
        write(drive(reopened), 3, 103);
        close(reopened);
        List<ReplicaFileHealth> healed =
                await(second.extension(ReplicaAdmin.class).orElseThrow().healFull(told -> {}));
        assertThat(healed)
                .allSatisfy(
                        each ->
                                assertThat(each.health().members())
                                        .extracting(Health.Part::role)
                                        .containsOnly(Health.Role.IN_SYNC));
        unmount(second, again);
        checkEqual(0, 1, 2);
    }

    @Test
    void shouldHealABrickThatTakesThePlaceOfOneWhileTheFileIsWritten() {
        List<Xlator> nodes = new ArrayList<>(bricks.nodes());
        Xlator volume = mount(nodes);
        await(volume.create("a", CreateOptions.ofSize(SIZE)));
        XlatorFile file = open(volume);
        for (int block = 0; block < 30; block++) {
            write(drive(file), block, block);
        }
        SubvolumeExchange exchange = (SubvolumeExchange) volume;
        FileDriver.Pending meanwhile = drive(file).startWrite(0, pattern(77), IoFlags.NONE);
        await(exchange.release(1));
        await(nodes.get(1).close());
        assertThat(drive(file).await(meanwhile)).isEqualTo(BlockError.OK);
        write(drive(file), 1, 78);
        bricks.replace(1);
        nodes.set(1, bricks.node(1));
        exchange.take(1, nodes.get(1));
        assertThat(volume.subvolumes()).isEqualTo(nodes);
        for (int block = 30; block < 60; block++) {
            write(drive(file), block, block);
        }
        List<ReplicaFileHealth> healed =
                await(volume.extension(ReplicaAdmin.class).orElseThrow().healFull(told -> {}));
        assertThat(healed)
                .allSatisfy(
                        each ->
                                assertThat(each.health().members())
                                        .extracting(Health.Part::role)
                                        .containsOnly(Health.Role.IN_SYNC));
        expect(drive(file), 0, 77);
        expect(drive(file), 1, 78);
        close(file);
        unmount(volume, nodes);
        checkEqual(0, 1, 2);
    }

    /** Every brick's process is killed amid a sync, and is started again. */
    private void killAll(Xlator volume, List<Xlator> nodes) {
        List<MemoryXlator> left = new ArrayList<>();
        for (int index = 0; index < nodes.size(); index++) {
            MemoryXlator killed = bricks.storage(index).copy();
            killed.put("sync.mark", new byte[16]);
            left.add(killed);
        }
        SubvolumeExchange exchange = (SubvolumeExchange) volume;
        for (int index = 0; index < nodes.size(); index++) {
            await(exchange.release(index));
            bricks.lose(nodes.get(index));
            bricks.storage(index, left.get(index));
            nodes.set(index, bricks.node(index));
            exchange.take(index, nodes.get(index));
        }
    }

    private Gateway.State stateOf(ReplicaAdmin admin, String fileName) {
        return await(admin.health()).stream()
                .filter(file -> file.fileName().equals(fileName))
                .map(ReplicaFileHealth::state)
                .findFirst()
                .orElseThrow();
    }

    @Test
    @LogsErrors({
        "Every brick may have lost unflushed writes",
        "Opened from a brick that may lack unflushed writes"
    })
    void shouldServeTheVolumeByItselfWhenEveryBrickMayHaveLostWrites() {
        List<Xlator> nodes = new ArrayList<>(bricks.nodes());
        Xlator volume = mount(nodes);
        await(volume.create("a", CreateOptions.ofSize(SIZE)));
        XlatorFile file = open(volume);
        write(drive(file), 0, 1);
        assertThat(drive(file).flush()).isEqualTo(BlockError.OK);
        write(drive(file), 1, 2);

        killAll(volume, nodes);
        wait(30);
        ReplicaAdmin admin = volume.extension(ReplicaAdmin.class).orElseThrow();
        assertThat(stateOf(admin, "catalogue of r")).isEqualTo(Gateway.State.SERVING);
        assertThat(stateOf(admin, "a")).isEqualTo(Gateway.State.CACHE_LOST);
        assertThat(drive(file).flush()).as("a guest is told").isEqualTo(BlockError.EIO);
        assertThat(drive(file).write(0, pattern(3), IoFlags.NONE)).isEqualTo(BlockError.EIO);
        assertThat(await(admin.healFull(told -> {})))
                .as("while one has the lost file still")
                .allMatch(health -> health.state() == Gateway.State.SERVING);
        CompletionStage<Void> closed = loops.loop(0).call(file::close);
        assertThat(catchThrowableOfType(BlockException.class, () -> await(closed)).error())
                .isEqualTo(BlockError.EIO);
        await(volume.rename("a", "b"));
        await(volume.rename("b", "a"));
        XlatorFile again = open(volume);
        expect(drive(again), 0, 1);
        write(drive(again), 1, 4);
        close(again);
        unmount(volume, nodes);
        checkEqual(0, 1, 2);
    }

    @Test
    void shouldNotTakeNewBricksForAVolumeWhenTheyAreMoreThanTheOldOnes() {
        List<Xlator> nodes = bricks.nodes();
        Xlator volume = mount(nodes);
        await(volume.create("a", CreateOptions.ofSize(SIZE)));
        unmount(volume, nodes);

        bricks.replace(0);
        bricks.replace(1);
        List<Xlator> again = bricks.nodes();
        Xlator second = mount(again);
        BlockException refused = catchThrowableOfType(BlockException.class, () -> open(second));
        assertThat(refused.error()).isEqualTo(BlockError.ENOTCONN);
        assertThat(refused).hasMessageContaining("bricks that do not know it: [0, 1]");
        unmount(second, again);
    }

    /** Flips a bit of a block, in all data files of a brick that have it. */
    private void flip(int brick, int offset) {
        MemoryXlator storage = bricks.storage(brick);
        for (FileInfo info : await(storage.list())) {
            if (info.fileName().endsWith(".data") && info.sizeBytes() == SIZE) {
                byte[] content = storage.content(info.fileName());
                content[offset] ^= 16;
                storage.put(info.fileName(), content);
            }
        }
    }

    /** Closed, with checksums of everything. */
    private void writeAll() {
        List<Xlator> nodes = bricks.nodes();
        Xlator volume = mount(nodes);
        await(volume.create("a", CreateOptions.ofSize(SIZE)));
        XlatorFile file = open(volume);
        for (int block = 0; block < 60; block++) {
            write(drive(file), block, block);
        }
        wait(30);
        close(file);
        unmount(volume, nodes);
    }

    @Test
    @LogsErrors("block is not what was bound")
    void shouldReadTheRightBytesAndRepairWhenABlockIsCorrupt() {
        writeAll();
        flip(0, 5 * (64 << 10) + 9000);
        flip(0, 7 * (64 << 10) + 9000);
        flip(1, 7 * (64 << 10) + 50_000);
        flip(2, 7 * (64 << 10) + 1000);
        List<Xlator> nodes = bricks.nodes();
        Xlator volume = mount(nodes);
        XlatorFile file = open(volume);
        expect(drive(file), 5, 5);
        expect(drive(file), 7, 7);
        wait(1);
        close(file);
        unmount(volume, nodes);
        checkEqual(0, 1, 2);
    }

    @Test
    @LogsErrors("block is not what was bound")
    void shouldRepairEveryCopyWhenItIsScrubbed() {
        writeAll();
        flip(0, 3000);
        flip(1, 40_000);
        flip(1, 2_000_000);
        flip(2, 3_900_000);
        List<Xlator> nodes = bricks.nodes();
        Xlator volume = mount(nodes);
        ReplicaAdmin admin = volume.extension(ReplicaAdmin.class).orElseThrow();
        List<ReplicaFileScrub> told = new ArrayList<>();
        List<ReplicaFileScrub> ended = await(admin.scrub(told::add, () -> false));
        assertThat(ended).hasSize(2);
        assertThat(ended.get(1).progress()).isEqualTo(new ScrubProgress(SIZE, SIZE, 4, 4, true));
        assertThat(told).hasSizeGreaterThan(4).containsAll(ended);
        unmount(volume, nodes);
        checkEqual(0, 1, 2);
        List<Xlator> again = bricks.nodes();
        Xlator second = mount(again);
        List<ReplicaFileScrub> clean =
                await(
                        second.extension(ReplicaAdmin.class)
                                .orElseThrow()
                                .scrub(each -> {}, () -> false));
        assertThat(clean.get(1).progress()).isEqualTo(new ScrubProgress(SIZE, SIZE, 0, 0, true));
        unmount(second, again);
    }

    @Test
    void shouldRefuseASecondProcessWhileTheFirstIsThere() {
        List<Xlator> shared = new ArrayList<>();
        List<SharedLink> links = new ArrayList<>();
        for (Xlator node : bricks.nodes()) {
            links.add(new SharedLink(node));
        }
        links.forEach(link -> shared.add(link.use()));
        List<Xlator> others = new ArrayList<>();
        links.forEach(link -> others.add(link.use()));
        Xlator first = mount(shared);
        await(first.create("a", CreateOptions.ofSize(SIZE)));
        XlatorFile file = open(first);
        write(drive(file), 0, 1);
        Xlator second = mount(others);
        wait(60);
        BlockException busy = catchThrowableOfType(BlockException.class, () -> open(second));
        assertThat(busy.error()).isEqualTo(BlockError.EBUSY);

        links.forEach(link -> link.cut(0));
        XlatorFile taken = open(second);
        expect(drive(taken), 0, 1);
        write(drive(taken), 0, 2);
        links.forEach(SharedLink::heal);
        assertThat(drive(file).write(0, pattern(3), IoFlags.NONE)).isEqualTo(BlockError.EBADE);
        expect(drive(taken), 0, 2);
        close(taken);
        close(file);
    }
}
