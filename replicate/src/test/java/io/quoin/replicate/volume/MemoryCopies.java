package io.quoin.replicate.volume;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.replicate.Completion;
import io.quoin.replicate.Outcome;
import io.quoin.replicate.Payload;
import io.quoin.testkit.FileDriver;
import io.quoin.xlator.XlatorFile;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;

/** One copy, in a file below, that checks how it is asked and answers as it is told. */
final class MemoryCopies implements Copies {
    private final XlatorFile below;
    private final long regionBytes;
    private final List<Runnable> held = new ArrayList<>();
    private final CompletableFuture<Void> givenUp = new CompletableFuture<>();
    private Outcome outcome = Outcome.DONE;
    private boolean isHanging;

    MemoryCopies(XlatorFile below, long regionBytes) {
        this.below = below;
        this.regionBytes = regionBytes;
    }

    /** Nothing is answered from now on, until {@link #letGo}. */
    void hang() {
        isHanging = true;
    }

    void letGo() {
        isHanging = false;
        List<Runnable> all = List.copyOf(held);
        held.clear();
        all.forEach(Runnable::run);
    }

    int heldCount() {
        return held.size();
    }

    /** How everything ends from now on, if not well. */
    void endIn(Outcome newOutcome) {
        outcome = newOutcome;
    }

    @Override
    public long sizeBytes() {
        return below.geometry().sizeBytes();
    }

    @Override
    public void read(long offsetBytes, int lengthBytes, Completion completion) {
        int there = (int) Math.max(0, Math.min(lengthBytes, sizeBytes() - offsetBytes));
        if (there == 0) {
            answer(completion, Payload.of(new byte[lengthBytes]));
            return;
        }
        checkRange(offsetBytes, lengthBytes);
        UnsafeBuffer memory = FileDriver.direct(there);
        IoRequest request = new IoRequest().read(offsetBytes, there, IoFlags.NONE);
        request.memory().add(memory, 0, there);
        submit(
                request,
                () -> {
                    byte[] data = new byte[there];
                    memory.getBytes(0, data);
                    answer(completion, Payload.of(Arrays.copyOf(data, lengthBytes)));
                });
    }

    @Override
    public void write(long offsetBytes, Payload data, boolean isDurable, Completion completion) {
        checkRange(offsetBytes, data.lengthBytes());
        UnsafeBuffer memory = FileDriver.direct(data.lengthBytes());
        memory.putBytes(0, data.bytes());
        IoRequest request =
                new IoRequest()
                        .write(
                                offsetBytes,
                                data.lengthBytes(),
                                isDurable ? IoFlags.FUA : IoFlags.NONE);
        request.memory().add(memory, 0, data.lengthBytes());
        submit(
                request,
                () -> {
                    assertThat(memory.capacity()).isEqualTo(data.lengthBytes());
                    answer(completion, null);
                });
    }

    @Override
    public void writeZeroes(
            long offsetBytes,
            int lengthBytes,
            boolean mayUnmap,
            boolean isDurable,
            Completion completion) {
        checkRange(offsetBytes, lengthBytes);
        int flags =
                (mayUnmap ? IoFlags.MAY_UNMAP : IoFlags.NONE)
                        | (isDurable ? IoFlags.FUA : IoFlags.NONE);
        submit(
                new IoRequest().prepare(IoOp.WRITE_ZEROES, offsetBytes, lengthBytes, flags),
                () -> answer(completion, null));
    }

    private void checkRange(long offsetBytes, int lengthBytes) {
        assertThat(lengthBytes).isPositive();
        assertThat(offsetBytes / regionBytes)
                .isEqualTo((offsetBytes + lengthBytes - 1) / regionBytes);
    }

    @Override
    public void flush(Completion completion) {
        submit(new IoRequest().flush(), () -> answer(completion, null));
    }

    @Override
    public void resize(long sizeBytes, Completion completion) {
        below.resize(sizeBytes).thenRun(() -> answer(completion, null));
    }

    private void submit(IoRequest request, Runnable then) {
        request.push(
                (done, error) -> {
                    assertThat(error).isEqualTo(BlockError.OK);
                    then.run();
                });
        below.submit(request);
    }

    private void answer(Completion completion, @Nullable Payload data) {
        Runnable answer = () -> completion.complete(outcome, outcome == Outcome.DONE ? data : null);
        if (isHanging) {
            held.add(answer);
        } else {
            answer.run();
        }
    }

    @Override
    public CompletionStage<Void> close() {
        return isHanging ? givenUp.thenCompose(none -> below.close()) : below.close();
    }

    @Override
    public void abort() {
        givenUp.complete(null);
    }
}
