package io.quoin.brick.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.block.IoRequest;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.FileDriver.Pending;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class DirectIoTest {
    private static final int MIB = 1 << 20;
    private static final int BLOCK = 4096;

    @TempDir Path folder;

    private TestBrick brick;

    @BeforeEach
    void openBrick() {
        brick = TestBrick.open(folder.resolve("brick"), Map.of("direct-io", "on"));
    }

    @AfterEach
    void closeBrick() {
        brick.close();
    }

    private static UnsafeBuffer aligned(int length) {
        return new UnsafeBuffer(BufferUtil.allocateDirectAligned(length, BLOCK));
    }

    @Test
    void shouldGoStraightToTheDiskWhenRangeAndMemoryAreAligned() {
        brick.create("disk.raw", 16 * MIB);
        XlatorFile file = brick.openFile("disk.raw");
        FileDriver driver = brick.drive(file);
        byte[] data = PosixFileTest.bytes(3 * MIB);
        UnsafeBuffer out = aligned(data.length);
        out.putBytes(0, data);
        IoRequest write = new IoRequest().write(MIB, data.length, IoFlags.NONE);
        write.memory().add(out, MIB, MIB); // scattered, and in another order than in memory
        write.memory().add(out, 0, MIB);
        write.memory().add(out, 2 * MIB, MIB);
        assertThat(driver.perform(write)).isEqualTo(BlockError.OK);
        UnsafeBuffer in = aligned(data.length);
        IoRequest read = new IoRequest().read(MIB, data.length, IoFlags.NONE);
        read.memory().add(in, MIB, MIB);
        read.memory().add(in, 0, MIB);
        read.memory().add(in, 2 * MIB, MIB);
        assertThat(driver.perform(read)).isEqualTo(BlockError.OK);
        assertThat(in.compareTo(out)).isZero();
        assertThat(file.details()).containsEntry("direct-io", true);
        brick.close(file);
    }

    @Test
    void shouldLoseNothingWhenSmallWritesOfOneBlockAreInFlight() {
        int piece = 100;
        byte[] data = PosixFileTest.bytes(64 * BLOCK);
        brick.create("disk.raw", 0);
        XlatorFile file = brick.openFile("disk.raw");
        FileDriver driver = brick.drive(file);
        List<Pending> writes = new ArrayList<>();
        for (int offset = 0; offset < data.length; offset += piece) {
            int length = Math.min(piece, data.length - offset);
            byte[] part = Arrays.copyOfRange(data, offset, offset + length);
            writes.add(driver.startWrite(offset, part, IoFlags.NONE));
        }
        assertThat(writes).allSatisfy(w -> assertThat(driver.await(w)).isEqualTo(BlockError.OK));
        assertThat(driver.read(0, data.length)).isEqualTo(data);
        brick.close(file);
    }

    @Test
    void shouldKeepTheSizeWhenTheLastBlockIsWrittenInPart() throws IOException {
        brick.create("disk.raw", 10_001);
        XlatorFile file = brick.openFile("disk.raw");
        FileDriver driver = brick.drive(file);
        Pending last = driver.startWrite(9_000, PosixFileTest.bytes(500), IoFlags.NONE);
        Pending grown = driver.startWrite(10_500, PosixFileTest.bytes(77), IoFlags.NONE);
        Pending far = driver.startWrite(2 * MIB, PosixFileTest.bytes(BLOCK), IoFlags.NONE);
        for (Pending pending : List.of(last, grown, far)) {
            assertThat(driver.await(pending)).isEqualTo(BlockError.OK);
        }
        assertThat(driver.write(2 * MIB + BLOCK, new byte[3], IoFlags.FUA))
                .isEqualTo(BlockError.OK);
        assertThat(driver.read(9_000, 500)).isEqualTo(PosixFileTest.bytes(500));
        assertThat(driver.read(10_500, 77)).isEqualTo(PosixFileTest.bytes(77));
        assertThat(file.geometry().sizeBytes()).isEqualTo(2 * MIB + BLOCK + 3);
        brick.close(file);
        assertThat(Files.size(folder.resolve("brick/disk.raw"))).isEqualTo(2 * MIB + BLOCK + 3);
    }

    @Test
    void shouldRefuseTheOptionWhenTheFileSystemHasNoDirectIo() {
        FileSystemTraits without =
                new FileSystemTraits("fuse", true, true, true, true, false, false, BLOCK, BLOCK);
        assertThatThrownBy(() -> without.requireDirect("/brick"))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.ENOTSUP))
                .hasMessageContaining("directory=/brick, file-system=fuse");
    }
}
