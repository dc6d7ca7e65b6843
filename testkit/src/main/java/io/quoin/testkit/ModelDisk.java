package io.quoin.testkit;

import io.quoin.block.BlockError;
import io.quoin.block.BlockStatus;
import io.quoin.block.ExtentList;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.testkit.FileDriver.Pending;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a disk must read as: one byte array, changed by the same operations as the device under
 * test. Messages name the operation and its place, so that with the seed a failure can be repeated.
 *
 * <p>Threading: confined to the test.
 */
public final class ModelDisk {
    private byte[] content;

    /** A disk of zeros. */
    public ModelDisk(int sizeBytes) {
        this(new byte[sizeBytes]);
    }

    /** A disk of this content. */
    public ModelDisk(byte[] content) {
        this.content = content.clone();
    }

    public int sizeBytes() {
        return content.length;
    }

    /** A copy of a range. */
    public byte[] content(long offsetBytes, int lengthBytes) {
        int start = Math.toIntExact(offsetBytes);
        return Arrays.copyOfRange(content, start, start + lengthBytes);
    }

    public void resize(int newSizeBytes) {
        content = Arrays.copyOf(content, newSizeBytes);
    }

    public void write(long offsetBytes, byte[] data) {
        System.arraycopy(data, 0, content, Math.toIntExact(offsetBytes), data.length);
    }

    public void zero(long offsetBytes, long lengthBytes) {
        Arrays.fill(
                content,
                Math.toIntExact(offsetBytes),
                Math.toIntExact(offsetBytes + lengthBytes),
                (byte) 0);
    }

    /** Changes the model as {@code operation} does; operations that change nothing do nothing. */
    public void apply(RandomOperations.Operation operation) {
        switch (operation.op()) {
            case WRITE -> write(operation.offsetBytes(), operation.data());
            case WRITE_ZEROES, DISCARD -> zero(operation.offsetBytes(), operation.lengthBytes());
            case READ, FLUSH, BLOCK_STATUS, CACHE -> {}
        }
    }

    /** Starts {@code operation} on the device. */
    public static Pending start(FileDriver driver, RandomOperations.Operation operation) {
        long offset = operation.offsetBytes();
        int length = operation.lengthBytes();
        return switch (operation.op()) {
            case WRITE -> driver.startWrite(offset, operation.data(), operation.flags());
            case READ -> driver.startRead(offset, length);
            case BLOCK_STATUS, WRITE_ZEROES, DISCARD, FLUSH, CACHE ->
                    driver.start(operation.op(), offset, length, operation.flags());
        };
    }

    /** Performs {@code operation} on device and model, and compares what it says. */
    public void perform(FileDriver driver, RandomOperations.Operation operation) {
        if (operation.op() == IoOp.BLOCK_STATUS) {
            checkStatus(driver, operation.offsetBytes(), operation.lengthBytes());
            return;
        }
        Pending pending = start(driver, operation);
        finish(operation, pending, driver.await(pending));
    }

    /**
     * Performs operations, up to {@code depthMax} of them at once as long as they don't overlap,
     * and compares everything that is read; then compares the whole disk.
     */
    public void performAll(
            FileDriver driver, List<RandomOperations.Operation> operations, int depthMax) {
        List<RandomOperations.Operation> under = new ArrayList<>();
        List<Pending> pendings = new ArrayList<>();
        for (RandomOperations.Operation operation : operations) {
            boolean alone = operation.op() == IoOp.BLOCK_STATUS;
            if (alone || under.size() == depthMax || under.stream().anyMatch(operation::overlaps)) {
                finishAll(driver, under, pendings);
            }
            if (alone) {
                perform(driver, operation);
            } else {
                under.add(operation);
                pendings.add(start(driver, operation));
            }
        }
        finishAll(driver, under, pendings);
        checkContent(driver);
    }

    private void finishAll(
            FileDriver driver, List<RandomOperations.Operation> under, List<Pending> pendings) {
        for (int i = 0; i < under.size(); i++) {
            finish(under.get(i), pendings.get(i), driver.await(pendings.get(i)));
        }
        under.clear();
        pendings.clear();
    }

    private void finish(RandomOperations.Operation operation, Pending pending, BlockError error) {
        if (error == BlockError.ENOTSUP && (operation.flags() & IoFlags.FAST_ZERO) != 0) {
            return;
        }
        if (!error.isOk()) {
            throw new AssertionError(operation + " ended in " + error);
        }
        apply(operation);
        if (operation.op() == IoOp.READ) {
            compare(operation.toString(), operation.offsetBytes(), pending.data());
        }
    }

    /** Compares the size and every byte. */
    public void checkContent(FileDriver driver) {
        long sizeBytes = driver.device().geometry().sizeBytes();
        if (sizeBytes != content.length) {
            throw new AssertionError("size: expected=" + content.length + ", actual=" + sizeBytes);
        }
        int step = Math.min(1 << 20, driver.device().geometry().transferBytesMax());
        for (int offset = 0; offset < content.length; offset += step) {
            int length = Math.min(step, content.length - offset);
            compare("read all", offset, driver.read(offset, length));
        }
    }

    /** Checks what the device reports of a range: covered, joined, and true of zeros. */
    public void checkStatus(FileDriver driver, long offsetBytes, long lengthBytes) {
        ExtentList extents = driver.status(offsetBytes, lengthBytes, IoFlags.NONE);
        if (extents.lengthBytes() != lengthBytes) {
            throw new AssertionError(
                    "block status covers another range: expected="
                            + lengthBytes
                            + ", actual="
                            + extents);
        }
        long position = offsetBytes;
        for (int i = 0; i < extents.count(); i++) {
            long length = extents.extentLengthBytes(i);
            if ((extents.status(i) & BlockStatus.ZERO) != 0) {
                checkZero(position, length);
            }
            position += length;
        }
    }

    private void checkZero(long offsetBytes, long lengthBytes) {
        for (long i = offsetBytes; i < offsetBytes + lengthBytes; i++) {
            if (content[(int) i] != 0) {
                throw new AssertionError("reported as zeros, but data is at " + i);
            }
        }
    }

    private void compare(String what, long offsetBytes, byte[] actual) {
        int start = Math.toIntExact(offsetBytes);
        int different =
                Arrays.mismatch(actual, 0, actual.length, content, start, start + actual.length);
        if (different >= 0) {
            throw new AssertionError(
                    what
                            + ": differs at="
                            + (start + different)
                            + ", expected="
                            + content[start + different]
                            + ", actual="
                            + actual[different]);
        }
    }
}
