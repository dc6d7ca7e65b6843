package io.quoin.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.quoin.block.BlockError;
import io.quoin.block.BlockStatus;
import io.quoin.block.Capabilities;
import io.quoin.block.ExtentList;
import io.quoin.block.Geometry;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.testkit.FileDriver.Pending;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;

/**
 * The part of the contract that is about reading and writing.
 *
 * <p>Threading: confined to the test.
 */
abstract class DataContract extends NamespaceContract {
    @Test
    void shouldHaveASoundGeometryWhenOpen() {
        Geometry geometry = createAndOpen("a").device().geometry();
        assertThat(geometry.sizeBytes()).isEqualTo(sizeBytes());
        assertThat(sizeBytes() % geometry.blockSizeMin()).isZero();
        assertThat(geometry.transferBytesMax()).isGreaterThanOrEqualTo(1 << 20);
    }

    @Test
    void shouldReadZerosWhenNew() {
        FileDriver driver = createAndOpen("a");
        assertThat(driver.read(0, 4096)).isEqualTo(new byte[4096]);
        assertThat(driver.read(sizeBytes() - 512L, 512)).isEqualTo(new byte[512]);
    }

    @Test
    void shouldReadWhatWasWritten() {
        FileDriver driver = createAndOpen("a");
        int unit = driver.device().geometry().blockSizeMin();
        byte[] data = pattern(5 * unit, 1);
        driver.write(3L * unit, data);
        assertThat(driver.read(3L * unit, data.length)).isEqualTo(data);
        assertThat(driver.read(0, 3 * unit)).isEqualTo(new byte[3 * unit]);
        assertThat(driver.read(8L * unit, unit)).isEqualTo(new byte[unit]);
    }

    @Test
    void shouldReadWhatWasWrittenWhenMemoryIsScattered() {
        FileDriver driver = createAndOpen("a");
        int unit = driver.device().geometry().blockSizeMin();
        int[] parts = {unit, 3 * unit, 2 * unit, 1024};
        byte[] data = pattern(Arrays.stream(parts).sum(), 2);
        UnsafeBuffer memory = FileDriver.direct(4 * data.length);
        IoRequest write = new IoRequest().write(512, data.length, IoFlags.NONE);
        int done = 0;
        for (int part : parts) {
            // with gaps, and backwards in memory
            int at = 4 * data.length - 2 * done - part;
            memory.putBytes(at, data, done, part);
            write.memory().add(memory, at, part);
            done += part;
        }
        assertThat(driver.perform(write)).isEqualTo(BlockError.OK);
        assertThat(driver.read(512, data.length)).isEqualTo(data);

        memory.setMemory(0, memory.capacity(), (byte) 0x55);
        IoRequest read = new IoRequest().read(512, data.length, IoFlags.NONE);
        read.memory().addSlice(write.memory(), 0, data.length);
        assertThat(driver.perform(read)).isEqualTo(BlockError.OK);
        byte[] back = new byte[data.length];
        UnsafeBuffer flat = FileDriver.direct(data.length);
        read.memory().copyTo(0, flat.addressOffset(), data.length);
        flat.getBytes(0, back);
        assertThat(back).isEqualTo(data);
        assertThat(memory.getByte(0)).isEqualTo((byte) 0x55);
    }

    @Test
    void shouldCarryAMebibyteWhenAsked() {
        FileDriver driver = createAndOpen("a");
        byte[] data = pattern(1 << 20, 3);
        driver.write(512, data);
        assertThat(driver.read(512, data.length)).isEqualTo(data);
    }

    @Test
    void shouldReadZerosWhenZeroed() {
        FileDriver driver = createAndOpen("a");
        int[] flagSets = {IoFlags.NONE, IoFlags.MAY_UNMAP, IoFlags.FUA, IoFlags.FAST_ZERO};
        for (int flags : flagSets) {
            byte[] data = pattern(16384, flags);
            driver.write(0, data);
            BlockError error = driver.zero(1024, 8192, supported(driver, flags));
            if (error == BlockError.ENOTSUP && flags == IoFlags.FAST_ZERO) {
                assertThat(driver.read(0, 16384)).isEqualTo(data);
            } else {
                assertThat(error).isEqualTo(BlockError.OK);
                Arrays.fill(data, 1024, 1024 + 8192, (byte) 0);
                assertThat(driver.read(0, 16384)).isEqualTo(data);
            }
        }
    }

    private static int supported(FileDriver driver, int flags) {
        Capabilities capabilities = driver.device().capabilities();
        int unsupported =
                (capabilities.canFua() ? 0 : IoFlags.FUA)
                        | (capabilities.canFastZero() ? 0 : IoFlags.FAST_ZERO);
        return flags & ~unsupported;
    }

    @Test
    void shouldReadZerosWhenDiscarded() {
        FileDriver driver = createAndOpen("a");
        driver.write(0, pattern(1 << 18, 4));
        boolean canDiscard = driver.device().capabilities().canDiscard();
        BlockError error = driver.discard(0, 1 << 18);
        assertThat(error).isEqualTo(canDiscard ? BlockError.OK : BlockError.ENOTSUP);
        if (canDiscard) {
            assertThat(driver.read(0, 1 << 18)).isEqualTo(new byte[1 << 18]);
        }
    }

    @Test
    void shouldHoldEverythingWhenReopened() {
        FileDriver driver = createAndOpen("a");
        byte[] data = pattern(100 * 512, 5);
        driver.write(512, data);
        assertThat(driver.flush()).isEqualTo(BlockError.OK);
        driver.write(600 * 512, data, supported(driver, IoFlags.FUA));
        FileDriver again = reopen(driver, OpenMode.READ_WRITE);
        assertThat(again.read(512, data.length)).isEqualTo(data);
        assertThat(again.read(600 * 512, data.length)).isEqualTo(data);
        assertThat(again.device().geometry().sizeBytes()).isEqualTo(sizeBytes());
    }

    @Test
    void shouldRefuseChangesWhenOpenReadOnly() {
        FileDriver driver = createAndOpen("a");
        driver.write(0, pattern(512, 6));
        FileDriver reader = reopen(driver, OpenMode.READ_ONLY);
        assertThat(reader.device().capabilities().canWrite()).isFalse();
        assertThat(reader.write(0, new byte[512], IoFlags.NONE)).isEqualTo(BlockError.EPERM);
        assertThat(reader.zero(0, 512, IoFlags.NONE)).isEqualTo(BlockError.EPERM);
        assertThat(reader.discard(0, 512)).isEqualTo(BlockError.EPERM);
        assertThat(reader.flush()).isEqualTo(BlockError.OK);
        assertThat(reader.read(0, 512)).isEqualTo(pattern(512, 6));
        assertFails(
                loop().call(() -> ((XlatorFile) reader.device()).resize(2L * sizeBytes())),
                BlockError.EPERM);
    }

    @Test
    void shouldRefuseWhenTheRangeIsOutside() {
        FileDriver driver = createAndOpen("a");
        long size = sizeBytes();
        assertThat(driver.await(driver.startRead(size, 512))).isEqualTo(BlockError.EINVAL);
        assertThat(driver.await(driver.startRead(size - 512, 1024))).isEqualTo(BlockError.EINVAL);
        assertThat(driver.await(driver.startRead(-512, 512))).isEqualTo(BlockError.EINVAL);
        assertThat(driver.await(driver.startRead(Long.MAX_VALUE - 511, 512)))
                .isEqualTo(BlockError.EINVAL);
        if (driver.device().capabilities().canDiscard()) {
            assertThat(driver.discard(size, 512)).isEqualTo(BlockError.EINVAL);
        }
        if (!driver.device().capabilities().canGrow()) {
            assertThat(driver.write(size, new byte[512], 0)).isEqualTo(BlockError.ENOSPC);
            assertThat(driver.zero(0, size + 512, 0)).isEqualTo(BlockError.ENOSPC);
        }
        assertThat(driver.read(0, 512)).isEqualTo(new byte[512]);
    }

    @Test
    void shouldRefuseWhenARequestMakesNoSense() {
        FileDriver driver = createAndOpen("a");
        int unit = driver.device().geometry().blockSizeMin();
        if (unit > 1) {
            assertThat(driver.await(driver.startRead(1, unit))).isEqualTo(BlockError.EINVAL);
            assertThat(driver.await(driver.startRead(0, unit + 1))).isEqualTo(BlockError.EINVAL);
        }
        assertThat(driver.write(0, new byte[512], IoFlags.REQ_ONE)).isEqualTo(BlockError.EINVAL);
        assertThat(driver.await(driver.start(IoOp.READ, 0, 512, IoFlags.NONE)))
                .as("a read without memory")
                .isEqualTo(BlockError.EINVAL);
        assertThat(driver.await(driver.start(IoOp.BLOCK_STATUS, 0, 512, IoFlags.NONE)))
                .as("block status without a list")
                .isEqualTo(BlockError.EINVAL);
        assertThat(driver.await(driver.start(IoOp.FLUSH, 0, 512, IoFlags.NONE)))
                .isEqualTo(BlockError.EINVAL);
    }

    @Test
    void shouldDoNothingWhenTheRangeIsEmpty() {
        FileDriver driver = createAndOpen("a");
        assertThat(driver.write(0, new byte[0], IoFlags.NONE)).isEqualTo(BlockError.OK);
        assertThat(driver.read(0, 0)).isEmpty();
        assertThat(driver.zero(0, 0, IoFlags.NONE)).isEqualTo(BlockError.OK);
    }

    @Test
    void shouldCoverTheRangeWhenStatusIsAsked() {
        FileDriver driver = createAndOpen("a");
        int middle = sizeBytes() / 2 / 4096 * 4096;
        driver.write(middle, pattern(4096, 7));
        ExtentList extents = driver.status(0, sizeBytes(), IoFlags.NONE);
        assertThat(extents.lengthBytes()).isEqualTo(sizeBytes());
        long position = 0;
        for (int i = 0; i < extents.count(); i++) {
            long end = position + extents.extentLengthBytes(i);
            if (position < middle + 4096 && end > middle) {
                assertThat(extents.status(i) & BlockStatus.ZERO).as(extents.toString()).isZero();
            }
            position = end;
        }
        ExtentList one = driver.status(middle, 4096, IoFlags.REQ_ONE);
        assertThat(one.lengthBytes()).isBetween(1L, 4096L);
        assertThat(one.status(0)).isEqualTo(BlockStatus.DATA);
    }

    @Test
    void shouldStopAtTheListsBoundWhenStatusIsLong() {
        FileDriver driver = createAndOpen("a");
        driver.write(sizeBytes() / 2 / 4096 * 4096L, pattern(4096, 7));
        ExtentList extents = new ExtentList(1);
        IoRequest request =
                new IoRequest()
                        .prepare(IoOp.BLOCK_STATUS, 0, sizeBytes(), IoFlags.NONE)
                        .extents(extents);
        assertThat(driver.perform(request)).isEqualTo(BlockError.OK);
        assertThat(extents.count()).isEqualTo(1);
        assertThat(extents.lengthBytes()).isBetween(1L, (long) sizeBytes());
    }

    @Test
    void shouldReadTheSameWhenTheReadIsSparse() {
        FileDriver driver = createAndOpen("a");
        int at = sizeBytes() / 2 / 4096 * 4096;
        driver.write(at, pattern(4096, 8));
        int length = 1 << 19;
        int start = at - length / 2;
        byte[] expected = driver.read(start, length);
        ExtentList extents = new ExtentList(1024);
        UnsafeBuffer memory = FileDriver.direct(length);
        memory.setMemory(0, length, (byte) 0xAA);
        IoRequest request = new IoRequest().read(start, length, IoFlags.SPARSE).extents(extents);
        request.memory().add(memory, 0, length);
        assertThat(driver.perform(request)).isEqualTo(BlockError.OK);
        int position = 0;
        for (int i = 0; i < extents.count(); i++) {
            int extentLength = (int) extents.extentLengthBytes(i);
            if ((extents.status(i) & BlockStatus.ZERO) != 0) {
                memory.setMemory(position, extentLength, (byte) 0);
            }
            position += extentLength;
        }
        byte[] actual = new byte[length];
        memory.getBytes(0, actual);
        assertThat(actual).isEqualTo(expected);
    }

    @Test
    void shouldCompleteEachOnceWhenManyAreInFlight() {
        FileDriver driver = createAndOpen("a");
        int count = 64;
        List<Pending> pendings = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            pendings.add(driver.startWrite(i * 8192L, pattern(4096, i), IoFlags.NONE));
        }
        pendings.add(driver.start(IoOp.FLUSH, 0, 0, IoFlags.NONE));
        for (Pending pending : pendings) {
            assertThat(driver.await(pending)).isEqualTo(BlockError.OK);
        }
        for (int i = 0; i < count; i++) {
            assertThat(driver.read(i * 8192L, 4096)).isEqualTo(pattern(4096, i));
        }
    }

    @Test
    void shouldGrowWhenWrittenPastItsEnd() {
        FileDriver driver = createAndOpen("a");
        assumeTrue(driver.device().capabilities().canGrow(), "the device does not grow");
        driver.write(sizeBytes() + 8192L, pattern(512, 9));
        assertThat(driver.device().geometry().sizeBytes()).isEqualTo(sizeBytes() + 8704L);
        assertThat(driver.read(sizeBytes(), 8192)).isEqualTo(new byte[8192]);
        assertThat(driver.read(sizeBytes() + 8192L, 512)).isEqualTo(pattern(512, 9));
    }

    @Test
    void shouldReadZerosInTheNewPartWhenResized() {
        FileDriver driver = createAndOpen("a");
        XlatorFile file = (XlatorFile) driver.device();
        driver.write(sizeBytes() - 512L, pattern(512, 10));
        await(loop().call(() -> file.resize(2L * sizeBytes())));
        assertThat(file.geometry().sizeBytes()).isEqualTo(2L * sizeBytes());
        assertThat(driver.read(sizeBytes(), 4096)).isEqualTo(new byte[4096]);
        driver.write(2L * sizeBytes() - 512, pattern(512, 11));
        FileDriver again = reopen(driver, OpenMode.READ_WRITE);
        assertThat(again.device().geometry().sizeBytes()).isEqualTo(2L * sizeBytes());
        assertThat(again.read(sizeBytes() - 512L, 512)).isEqualTo(pattern(512, 10));
        assertThat(again.read(2L * sizeBytes() - 512, 512)).isEqualTo(pattern(512, 11));
        assertThat(await(xlator().stat(file.fileName())).sizeBytes()).isEqualTo(2L * sizeBytes());
    }

    @Test
    void shouldForgetTheEndWhenShrunk() {
        FileDriver driver = createAndOpen("a");
        XlatorFile file = (XlatorFile) driver.device();
        driver.write(sizeBytes() - 512L, pattern(512, 12));
        if (!canShrink()) {
            assertFails(loop().call(() -> file.resize(512)), BlockError.ENOTSUP);
            assertThat(file.geometry().sizeBytes()).isEqualTo(sizeBytes());
            return;
        }
        await(loop().call(() -> file.resize(512)));
        assertThat(driver.await(driver.startRead(512, 512))).isEqualTo(BlockError.EINVAL);
        await(loop().call(() -> file.resize(sizeBytes())));
        assertThat(driver.read(sizeBytes() - 512L, 512)).isEqualTo(new byte[512]);
    }

    @Test
    void shouldRefuseWhenClosed() {
        FileDriver driver = createAndOpen("a");
        close((XlatorFile) driver.device());
        assertThat(driver.await(driver.startRead(0, 512))).isEqualTo(BlockError.ESHUTDOWN);
        assertThat(driver.flush()).isEqualTo(BlockError.ESHUTDOWN);
    }

    /** Whatever a layer still does after a completion, it must not do to a file that is closed. */
    @Test
    void shouldStayInOrderWhenACompletionClosesTheFile() {
        create("a");
        for (IoOp op : IoOp.values()) {
            for (int flags : new int[] {IoFlags.NONE, IoFlags.FUA}) {
                closeInCompletion(op, flags);
            }
        }
        byte[] data = pattern(4096, 1);
        assertThat(drive(open("a", OpenMode.READ_WRITE)).read(0, data.length)).isEqualTo(data);
    }

    private void closeInCompletion(IoOp op, int flags) {
        FileDriver driver = drive(open("a", OpenMode.READ_WRITE));
        driver.write(0, pattern(4096, 1));
        driver.flush();
        XlatorFile file = (XlatorFile) driver.device();
        // what it finds by the number of the file that is closed here
        FileDriver other = createAndOpen("other-" + op + flags);
        other.write(512, pattern(512, 2));
        IoRequest request =
                new IoRequest()
                        .prepare(
                                op,
                                op == IoOp.FLUSH ? 0 : 8192,
                                op == IoOp.FLUSH ? 0 : 4096,
                                op == IoOp.WRITE ? supported(driver, flags) : IoFlags.NONE)
                        .extents(new ExtentList(16));
        if (op.hasMemory()) {
            request.memory().add(FileDriver.direct(4096), 0, 4096);
        }
        await(loop().call(() -> submitAndClose(file, request)));
        forget(file);
        assertThat(other.read(512, 512)).isEqualTo(pattern(512, 2));
        close((XlatorFile) other.device());
    }

    private static CompletionStage<Void> submitAndClose(XlatorFile file, IoRequest request) {
        CompletableFuture<Void> closed = new CompletableFuture<>();
        request.push(
                (done, error) ->
                        file.close()
                                .whenComplete(
                                        (ended, failure) -> {
                                            if (failure == null) {
                                                closed.complete(null);
                                            } else {
                                                closed.completeExceptionally(failure);
                                            }
                                        }));
        file.submit(request);
        return closed;
    }

    @Test
    void shouldGivePlainValuesWhenAskedForDetails() {
        FileDriver driver = createAndOpen("a");
        assertThat(isPlain(((XlatorFile) driver.device()).details())).isTrue();
    }
}
