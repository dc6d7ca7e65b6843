package io.quoin.block.ring;

import io.quoin.block.BlockError;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.block.MemoryLease;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;

/** Makes requests of memory filled with one value, and keeps their answers in order. */
final class Submitter implements IoCompletion {
    private final DiskRing ring;
    private final List<String> answers = new ArrayList<>();
    private final List<UnsafeBuffer> kept = new ArrayList<>();

    /** What the memory of the next writes is leased by. */
    @Nullable MemoryLease lease;

    Submitter(DiskRing ring) {
        this.ring = ring;
    }

    /** As "WRITE 0+4096 OK". */
    List<String> answers() {
        return answers;
    }

    boolean write(long offsetBytes, int lengthBytes, int value) {
        return write(offsetBytes, lengthBytes, value, IoFlags.NONE);
    }

    boolean write(long offsetBytes, int lengthBytes, int value, int flags) {
        IoRequest request = new IoRequest().write(offsetBytes, lengthBytes, flags);
        UnsafeBuffer memory = memory(lengthBytes);
        memory.setMemory(0, lengthBytes, (byte) value);
        request.memory().add(memory, 0, lengthBytes);
        MemoryLease owner = lease;
        if (owner != null) {
            request.memory().leased(owner);
        }
        return offer(request);
    }

    boolean read(long offsetBytes, int lengthBytes) {
        IoRequest request = new IoRequest().read(offsetBytes, lengthBytes, IoFlags.NONE);
        request.memory().add(memory(lengthBytes), 0, lengthBytes);
        return offer(request);
    }

    boolean zero(long offsetBytes, int lengthBytes) {
        return offer(
                new IoRequest().prepare(IoOp.WRITE_ZEROES, offsetBytes, lengthBytes, IoFlags.NONE));
    }

    boolean flush() {
        return offer(new IoRequest().flush());
    }

    private boolean offer(IoRequest request) {
        request.push(this);
        return ring.offer(request);
    }

    private UnsafeBuffer memory(int lengthBytes) {
        UnsafeBuffer memory = new UnsafeBuffer(java.nio.ByteBuffer.allocateDirect(lengthBytes));
        kept.add(memory);
        return memory;
    }

    @Override
    public void onComplete(IoRequest request, BlockError error) {
        String range =
                request.op() == IoOp.FLUSH
                        ? ""
                        : " " + request.offsetBytes() + "+" + request.lengthBytes();
        answers.add(request.op() + range + " " + error);
    }

    static byte[] filled(int lengthBytes, int value) {
        byte[] bytes = new byte[lengthBytes];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }
}
