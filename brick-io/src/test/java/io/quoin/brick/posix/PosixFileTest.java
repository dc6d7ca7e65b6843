package io.quoin.brick.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.BlockStatus;
import io.quoin.block.ExtentList;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.ModelDisk;
import io.quoin.testkit.RandomOperations;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(120)
class PosixFileTest {
    private static final int MIB = 1 << 20;

    @TempDir Path folder;

    static List<Map<String, String>> modes() {
        return List.of(
                Map.of(),
                Map.of("direct-io", "on"),
                Map.of("write-size", "4K", "io-threads", "1", "read-ahead", "0"));
    }

    private Path data() {
        return folder.resolve("brick");
    }

    @ParameterizedTest
    @MethodSource("modes")
    void shouldMatchModelWhenOperationsAreRandom(Map<String, String> options) throws IOException {
        ModelDisk model = new ModelDisk(3 * MIB + 517);
        try (TestBrick brick = TestBrick.open(data(), options)) {
            brick.create("disk.raw", model.sizeBytes());
            XlatorFile file = brick.openFile("disk.raw");
            FileDriver driver = brick.drive(file);
            RandomOperations operations =
                    new RandomOperations(
                            RandomOperations.seed(), file.geometry(), file.capabilities());
            model.performAll(driver, operations.next(400), 16);
            brick.close(file);
        }
        assertThat(Files.readAllBytes(data().resolve("disk.raw")))
                .isEqualTo(model.content(0, model.sizeBytes()));
    }

    @ParameterizedTest
    @MethodSource("modes")
    void shouldGrowWhenWrittenPastTheEnd(Map<String, String> options) throws IOException {
        byte[] data = bytes(70_001);
        try (TestBrick brick = TestBrick.open(data(), options)) {
            brick.create("disk.raw", 1000);
            XlatorFile file = brick.openFile("disk.raw");
            FileDriver driver = brick.drive(file);
            driver.write(5_000, data);
            assertThat(file.geometry().sizeBytes()).isEqualTo(75_001);
            assertThat(driver.zero(75_001, 9_999, IoFlags.NONE)).isEqualTo(BlockError.OK);
            assertThat(driver.zero(100_000, 11, IoFlags.MAY_UNMAP)).isEqualTo(BlockError.OK);
            assertThat(file.geometry().sizeBytes()).isEqualTo(100_011);
            assertThat(driver.read(4_990, 70_100))
                    .isEqualTo(concat(new byte[10], data, new byte[89]));
            brick.close(file);
        }
        assertThat(Files.size(data().resolve("disk.raw"))).isEqualTo(100_011);
    }

    @ParameterizedTest
    @MethodSource("modes")
    void shouldServeOffsetsBeyondFourGigabytesWhenFileIsSparse(Map<String, String> options) {
        long size = (1L << 40) + 4096;
        try (TestBrick brick = TestBrick.open(data(), options)) {
            brick.create("big.raw", size);
            XlatorFile file = brick.openFile("big.raw");
            FileDriver driver = brick.drive(file);
            byte[] data = bytes(8192);
            for (long offset : new long[] {(1L << 31) - 4096, (1L << 32) - 1, size - 8192}) {
                driver.write(offset, data);
                assertThat(driver.read(offset, data.length)).isEqualTo(data);
            }
            ExtentList extents = driver.status(0, size, IoFlags.NONE);
            assertThat(extents.lengthBytes()).isEqualTo(size);
            assertThat(extents.count()).isEqualTo(6);
            assertThat(extents.extentLengthBytes(0)).isEqualTo((1L << 31) - 4096);
            assertThat(driver.zero(1L << 33, 1L << 39, IoFlags.MAY_UNMAP)).isEqualTo(BlockError.OK);
            assertThat(driver.discard(0, size)).isEqualTo(BlockError.OK);
            assertThat(driver.status(0, size, IoFlags.NONE).status(0))
                    .isEqualTo(BlockStatus.HOLE | BlockStatus.ZERO);
            brick.close(file);
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void shouldClearTheWholeRangeAndNothingElseWhenItIsLong(Map<String, String> options) {
        try (TestBrick brick = TestBrick.open(data(), options)) {
            brick.create("disk.raw", 64 * MIB);
            XlatorFile file = brick.openFile("disk.raw");
            FileDriver driver = brick.drive(file);
            byte[] expected = bytes(64 * MIB);
            driver.write(0, expected);
            assertThat(driver.discard(MIB + 512, 21 * MIB + 4096)).isEqualTo(BlockError.OK);
            Arrays.fill(expected, MIB + 512, 22 * MIB + 4608, (byte) 0);
            assertThat(driver.zero(30 * MIB + 1024, 30 * MIB, IoFlags.NONE))
                    .isEqualTo(BlockError.OK);
            Arrays.fill(expected, 30 * MIB + 1024, 60 * MIB + 1024, (byte) 0);
            assertThat(driver.read(0, expected.length)).isEqualTo(expected);
            brick.close(file);
        }
    }

    @Test
    void shouldReportOneExtentWhenOneIsAskedFor() {
        try (TestBrick brick = TestBrick.open(data())) {
            brick.create("disk.raw", 4 * MIB);
            XlatorFile file = brick.openFile("disk.raw");
            FileDriver driver = brick.drive(file);
            driver.write(MIB, bytes(MIB));
            assertThat(driver.status(0, 4 * MIB, IoFlags.REQ_ONE).toString())
                    .isEqualTo("[" + MIB + ":3]");
            assertThat(driver.status(0, 4 * MIB, IoFlags.NONE).toString())
                    .isEqualTo("[" + MIB + ":3, " + MIB + ":0, " + 2 * MIB + ":3]");
            brick.close(file);
        }
    }

    @Test
    void shouldKeepBlocksAllocatedWhenZeroedWithoutUnmapping() {
        try (TestBrick brick = TestBrick.open(data())) {
            brick.create("disk.raw", 2 * MIB);
            XlatorFile file = brick.openFile("disk.raw");
            FileDriver driver = brick.drive(file);
            driver.write(0, bytes(2 * MIB));
            driver.flush();
            assertThat(driver.zero(0, MIB, IoFlags.FAST_ZERO)).isEqualTo(BlockError.OK);
            driver.flush();
            long kept = brick.await(brick.xlator().stat("disk.raw")).allocatedBytes();
            assertThat(kept).isGreaterThanOrEqualTo(2 * MIB);
            assertThat(driver.zero(0, MIB, IoFlags.MAY_UNMAP)).isEqualTo(BlockError.OK);
            driver.flush();
            assertThat(brick.await(brick.xlator().stat("disk.raw")).allocatedBytes())
                    .isLessThan(kept);
            assertThat(driver.read(0, MIB)).isEqualTo(new byte[MIB]);
            brick.close(file);
        }
    }

    @Test
    void shouldFailWithEioWhenFileShrankUnderneath() throws IOException {
        try (TestBrick brick = TestBrick.open(data())) {
            brick.create("disk.raw", MIB);
            XlatorFile file = brick.openFile("disk.raw");
            FileDriver driver = brick.drive(file);
            try (var channel =
                    FileChannel.open(data().resolve("disk.raw"), StandardOpenOption.WRITE)) {
                channel.truncate(4096);
            }
            assertThat(driver.await(driver.startRead(0, 8192))).isEqualTo(BlockError.EIO);
            assertThat(file.details()).containsEntry("reads-past-end", 1L);
            assertThat(driver.read(0, 4096)).hasSize(4096);
            brick.close(file);
        }
    }

    @ParameterizedTest
    @MethodSource("modes")
    void shouldResizeWhenRequestsAreInFlight(Map<String, String> options) throws IOException {
        byte[] data = bytes(50_000);
        try (TestBrick brick = TestBrick.open(data(), options)) {
            brick.create("disk.raw", MIB);
            XlatorFile file = brick.openFile("disk.raw");
            FileDriver driver = brick.drive(file);
            FileDriver.Pending zero = driver.start(IoOp.WRITE_ZEROES, 2 * MIB, MIB, IoFlags.NONE);
            var shrunk = brick.loop().call(() -> file.resize(60_000));
            FileDriver.Pending write = driver.startWrite(20_000, data, IoFlags.NONE);
            brick.await(shrunk);
            assertThat(driver.await(zero)).isEqualTo(BlockError.OK);
            assertThat(driver.await(write)).isEqualTo(BlockError.OK);
            assertThat(file.geometry().sizeBytes()).isEqualTo(70_000);
            brick.resize(file, 5L * MIB);
            assertThat(driver.read(0, 5 * MIB))
                    .isEqualTo(Arrays.copyOf(concat(new byte[20_000], data), 5 * MIB));
            assertThatThrownBy(() -> brick.resize(file, -1))
                    .isInstanceOf(BlockException.class)
                    .hasMessageContaining("sizeBytes=-1");
            brick.close(file);
        }
        assertThat(Files.size(data().resolve("disk.raw"))).isEqualTo(5L * MIB);
    }

    @Test
    void shouldRefuseChangesWhenOpenedReadOnly() {
        try (TestBrick brick = TestBrick.open(data())) {
            brick.create("disk.raw", MIB);
            XlatorFile file = brick.openReadOnly("disk.raw");
            assertThat(file.capabilities().canWrite()).isFalse();
            assertThat(brick.drive(file).read(0, 10)).isEqualTo(new byte[10]);
            assertThatThrownBy(() -> brick.resize(file, 5))
                    .isInstanceOfSatisfying(
                            BlockException.class,
                            e -> assertThat(e.error()).isEqualTo(BlockError.EPERM));
            brick.close(file);
        }
    }

    static byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    static byte[] concat(byte[]... parts) {
        int length = Arrays.stream(parts).mapToInt(part -> part.length).sum();
        byte[] all = new byte[length];
        int at = 0;
        for (byte[] part : parts) {
            System.arraycopy(part, 0, all, at, part.length);
            at += part.length;
        }
        return all;
    }
}
