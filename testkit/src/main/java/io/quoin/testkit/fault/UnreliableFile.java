package io.quoin.testkit.fault;

import io.quoin.block.BlockError;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.block.IoVector;
import io.quoin.block.MemoryLease;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.fault.UnreliableXlator.Behaviour;
import io.quoin.xlator.FileEvent;
import io.quoin.xlator.FileListener;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * An open file of an {@link UnreliableXlator}.
 *
 * <p>Threading: confined(loop).
 */
final class UnreliableFile extends PassThroughFile {
    private static final long LATE_NANOS_MAX = TimeUnit.SECONDS.toNanos(3);
    private static final long KEPT_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    private final UnreliableXlator owner;
    private final Loop loop;
    private final FileListener listener;
    private final Random random = new Random(1);
    private final List<IoRequest> held = new ArrayList<>();
    private Behaviour behaviour = Behaviour.ANSWERS;
    private BlockError refusal = BlockError.OK;

    UnreliableFile(UnreliableXlator owner, XlatorFile below, Loop loop, FileListener listener) {
        super(below);
        this.owner = owner;
        this.loop = loop;
        this.listener = listener;
    }

    Loop loop() {
        return loop;
    }

    void behave(Behaviour newBehaviour) {
        boolean wasGone = behaviour == Behaviour.GONE;
        behaviour = newBehaviour;
        if (newBehaviour == Behaviour.GONE) {
            tell(FileEvent.Kind.CHILD_DOWN);
            endHeld(BlockError.ENOTCONN);
        } else if (wasGone) {
            tell(FileEvent.Kind.CHILD_UP);
        }
        if (newBehaviour != Behaviour.HANGS) {
            List<IoRequest> waiting = List.copyOf(held);
            held.clear();
            waiting.forEach(this::submit);
        }
    }

    private void tell(FileEvent.Kind kind) {
        loop.execute(() -> listener.onEvent(new FileEvent(kind, owner.name(), "by the test")));
    }

    private void endHeld(BlockError error) {
        List<IoRequest> waiting = List.copyOf(held);
        held.clear();
        waiting.forEach(request -> loop.execute(() -> request.complete(error)));
    }

    @Override
    public void submit(IoRequest request) {
        if (!refusal.isOk()) {
            request.complete(refusal);
            return;
        }
        switch (behaviour) {
            case ANSWERS -> below().submit(request);
            case STRAGGLES -> {
                held.add(request);
                loop.schedule(random.nextLong(LATE_NANOS_MAX), () -> passLate(request));
            }
            case KEEPS_PAYLOADS -> {
                keep(request);
                below().submit(request);
            }
            case HANGS -> held.add(request);
            case GONE -> request.complete(BlockError.ENOTCONN);
        }
    }

    /** Unless it has been given up, or passed on, meanwhile. */
    private void passLate(IoRequest request) {
        if (held.remove(request)) {
            below().submit(request);
        }
    }

    /** Looks at the payload again when its request has long ended: it must be what it was. */
    private void keep(IoRequest request) {
        MemoryLease lease = request.memory().lease();
        if (request.op() != IoOp.WRITE || lease == null) {
            return;
        }
        lease.retain();
        IoVector payload = new IoVector();
        payload.addSlice(request.memory(), 0, request.lengthBytes());
        long before = checksum(payload);
        loop.schedule(
                KEPT_NANOS,
                () -> {
                    if (checksum(payload) != before) {
                        throw new AssertionError("payload changed while its lease was retained");
                    }
                    owner.kept();
                    lease.release();
                });
    }

    private static long checksum(IoVector payload) {
        int length = Math.toIntExact(payload.lengthBytes());
        UnsafeBuffer copy = FileDriver.direct(length);
        payload.copyTo(0, copy.addressOffset(), length);
        byte[] bytes = new byte[length];
        copy.getBytes(0, bytes);
        CRC32C sum = new CRC32C();
        sum.update(bytes);
        return sum.getValue();
    }

    @Override
    public void abort(BlockError error) {
        refusal = error;
        endHeld(error);
        below().abort(error);
    }

    @Override
    public CompletionStage<Void> close() {
        owner.closed(this);
        return below().close();
    }
}
