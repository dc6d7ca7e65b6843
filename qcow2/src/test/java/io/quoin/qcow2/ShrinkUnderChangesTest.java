package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.FileDriver.Pending;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A shrink waits for changes that do not have their whole range all the time. */
@Timeout(60)
class ShrinkUnderChangesTest {
    private static final String NAME = "disk.qcow2";

    /** A table maps 32 KiB: all of it is several turns of a request that zeroes. */
    private static final Map<String, String> SMALL_CLUSTERS = Map.of("cluster_size", "512");

    private static final int SIZE = 3 << 20;

    /**
     * What goes is one turn only, so that a shrink that does not wait is done before the changes.
     */
    private static final int NEW_SIZE = SIZE - (200 << 10);

    @TempDir Path folder;
    private ImageFixture images;

    @BeforeEach
    void start() {
        Peer.assumeAll(Peer.QEMU_IMG);
        images = new ImageFixture(folder);
        images.create(NAME, SIZE, SMALL_CLUSTERS);
    }

    @ParameterizedTest
    @EnumSource(names = {"WRITE_ZEROES", "DISCARD"})
    @DisplayName("QCOW2 139: zeroing that takes several turns ends before the shrink")
    void shouldLetZeroingEndWhenItHasMoreTurnsToTake(IoOp op) throws IOException {
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        driver.write(0, filled(SIZE, 1));
        Pending zeroing = driver.start(op, 512, SIZE - 512, IoFlags.NONE);
        assertThat(zeroing.isDone()).isFalse();
        shrinkAndCheck(images, file, driver, List.of(zeroing), filled(512, 1));
    }

    @Test
    @DisplayName("QCOW2 139: a compressed write ends before the shrink")
    void shouldLetACompressedWriteEndWhenItIsBeingCompressed() throws IOException {
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        driver.write(0, new byte[] {1});
        Pending write = driver.startWrite(0, filled(SIZE, 3), IoFlags.COMPRESSED);
        assertThat(write.isDone()).isFalse();
        shrinkAndCheck(images, file, driver, List.of(write), filled(NEW_SIZE, 3));
    }

    @Test
    @DisplayName("QCOW2 139: changes of all kinds end before the shrink, in any order")
    void shouldLetChangesEndWhenTheyOvertakeOneAnother() throws IOException {
        long seed = RandomOperations.seed();
        System.out.println("shrink under changes: seed=" + seed);
        for (int round = 0; round < 10; round++) {
            Random random = new Random(seed + round);
            images = new ImageFixture(folder);
            images.create(NAME, SIZE, SMALL_CLUSTERS);
            ImageFixture slow = images.reordering(seed + round);
            XlatorFile file = slow.open(NAME, OpenMode.READ_WRITE);
            FileDriver driver = slow.driver(file);
            driver.write(0, filled(SIZE, 1));
            List<Pending> changes = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                int offset = NEW_SIZE + random.nextInt(300) * 512;
                byte[] data = filled(50_176, 2);
                changes.add(
                        switch (random.nextInt(3)) {
                            case 0 -> driver.startWrite(offset, data, IoFlags.NONE);
                            case 1 -> driver.startWrite(offset, data, IoFlags.COMPRESSED);
                            default -> driver.start(IoOp.DISCARD, 512, SIZE - 512, IoFlags.NONE);
                        });
            }
            changes.add(driver.start(IoOp.DISCARD, 512, SIZE - 512, IoFlags.NONE));
            slow.loops.advance(random.nextLong(3_000_000));
            shrinkAndCheck(slow, file, driver, changes, filled(512, 1));
        }
    }

    private static void shrinkAndCheck(
            ImageFixture images,
            XlatorFile file,
            FileDriver driver,
            List<Pending> changes,
            byte[] kept)
            throws IOException {
        CompletionStage<Void> shrunk = images.loops.loop(0).call(() -> file.shrink(NEW_SIZE));
        images.loops.await(shrunk);
        for (Pending change : changes) {
            assertThat(driver.await(change)).isEqualTo(BlockError.OK);
        }
        byte[] expected = Arrays.copyOf(kept, NEW_SIZE);
        assertThat(Arrays.equals(driver.read(0, NEW_SIZE), expected)).isTrue();
        images.loops.await(images.loops.loop(0).call(() -> file.resize(SIZE)));
        byte[] grown = Arrays.copyOf(expected, SIZE);
        assertThat(Arrays.mismatch(driver.read(0, SIZE), grown)).isEqualTo(-1);
        images.close(file);
        images.checkClean(NAME);
        assertThat(Arrays.mismatch(images.qemuContent(NAME), grown)).isEqualTo(-1);
    }

    private static byte[] filled(int length, int value) {
        byte[] data = new byte[length];
        Arrays.fill(data, (byte) value);
        return data;
    }
}
