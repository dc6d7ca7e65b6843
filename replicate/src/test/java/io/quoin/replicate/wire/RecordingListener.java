package io.quoin.replicate.wire;

import io.quoin.replicate.BrickIdentity;
import io.quoin.replicate.BrickLink;
import io.quoin.replicate.Reply;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** What a link has told, in order. */
final class RecordingListener implements BrickLink.Listener {
    private static final long LIMIT_SECONDS = 30;

    /** One call. */
    sealed interface Told {}

    record Connected(BrickIdentity identity) implements Told {}

    record Disconnected(String reason) implements Told {}

    record Received(UUID file, Reply reply) implements Told {}

    private final BlockingQueue<Told> told = new LinkedBlockingQueue<>();

    @Override
    public void connected(BrickIdentity identity) {
        told.add(new Connected(identity));
    }

    @Override
    public void disconnected(String reason) {
        told.add(new Disconnected(reason));
    }

    @Override
    public void received(UUID file, Reply reply) {
        told.add(new Received(file, reply));
    }

    /** The next call, which must be of that kind. */
    <T extends Told> T next(Class<T> kind) {
        try {
            Told next = told.poll(LIMIT_SECONDS, TimeUnit.SECONDS);
            if (!kind.isInstance(next)) {
                throw new AssertionError("expected=" + kind.getSimpleName() + ", told=" + next);
            }
            return kind.cast(next);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    boolean isEmpty() {
        return told.isEmpty();
    }
}
