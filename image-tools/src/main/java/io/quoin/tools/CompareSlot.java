package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.block.IoRequest;
import java.nio.ByteBuffer;
import org.agrona.BufferUtil;
import org.jspecify.annotations.Nullable;

/**
 * A range that is read from both images, or from the one that has data there, and compared. An
 * image is read in whole blocks of its own: the range may begin and end within one, where the other
 * image ends or has other extents.
 *
 * <p>Threading: confined(loop) of the images.
 */
final class CompareSlot implements PartRun.Slot {
    /** No byte differs. */
    static final long SAME = -1;

    private static final int ALIGNMENT = 4096;

    private final CompareRun run;
    private final ByteBuffer[] memory = new ByteBuffer[2];
    private final boolean[] isRead = new boolean[2];

    /** What was read in front of the range, to begin at a block. */
    private final int[] leadBytes = new int[2];

    private long offsetBytes;
    private int lengthBytes;
    private int pending;
    private @Nullable BlockException failure;

    CompareSlot(CompareRun run, int partBytes) {
        this.run = run;
        for (int i = 0; i < memory.length; i++) {
            memory[i] = BufferUtil.allocateDirectAligned(partBytes, ALIGNMENT);
        }
    }

    /** Reads from the images given; null stands for zeros. */
    void compare(
            @Nullable OpenedImage first, @Nullable OpenedImage second, long offset, int length) {
        offsetBytes = offset;
        lengthBytes = length;
        failure = null;
        isRead[0] = first != null;
        isRead[1] = second != null;
        pending = 1;
        read(0, first);
        read(1, second);
        countDown();
    }

    private void read(int side, @Nullable OpenedImage image) {
        if (image == null) {
            return;
        }
        pending++;
        long block = image.file().geometry().blockSizeMin();
        long start = offsetBytes & -block;
        int readBytes = (int) (((offsetBytes + lengthBytes + block - 1) & -block) - start);
        leadBytes[side] = (int) (offsetBytes - start);
        IoRequest request = image.loop().requests().acquire().read(start, readBytes, IoFlags.NONE);
        request.memory().add(BufferUtil.address(memory[side]), readBytes);
        request.push(
                (ended, error) -> {
                    if (error != BlockError.OK && failure == null) {
                        failure = ImageFailure.of(image, ended, error);
                    }
                    image.loop().requests().release(ended);
                    countDown();
                });
        image.file().submit(request);
    }

    private void countDown() {
        pending--;
        if (pending == 0) {
            run.slotEnded(this);
        }
    }

    @Override
    public long lengthBytes() {
        return lengthBytes;
    }

    @Override
    public @Nullable BlockException failure() {
        return failure;
    }

    /** The offset of the first byte that differs, or {@link #SAME}. */
    long difference() {
        long first = BufferUtil.address(memory[0]) + leadBytes[0];
        long second = BufferUtil.address(memory[1]) + leadBytes[1];
        long position;
        if (isRead[0] && isRead[1]) {
            position = BlockMemory.mismatch(first, second, lengthBytes);
        } else {
            position = BlockMemory.firstNonZero(isRead[0] ? first : second, lengthBytes);
        }
        return position < 0 ? SAME : offsetBytes + position;
    }
}
