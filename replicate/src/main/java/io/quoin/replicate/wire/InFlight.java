package io.quoin.replicate.wire;

import io.quoin.replicate.Payload;
import io.quoin.replicate.Reply;
import io.quoin.replicate.Request;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/**
 * The memory that requests without a reply take. A brick answers nothing of a session that has
 * ended, so those are forgotten with their session: at the next one, or when the brick refuses it.
 * What was to be written is given back with the answer; that of a session that has ended may still
 * be written, and is left to the collector.
 *
 * <p>Threading: confined to the connection's loop.
 */
final class InFlight {
    private static final long REQUEST_BYTES = 512;

    private final Map<UUID, OfFile> files = new HashMap<>();
    private long bytes;

    /** What one request takes. */
    private record Memory(long bytes, Payload payload) {}

    private static final class OfFile {
        private final SessionKey session;
        private final Map<Long, Memory> memoryById = new HashMap<>();
        private long bytes;

        OfFile(SessionKey session) {
            this.session = session;
        }
    }

    long bytes() {
        return bytes;
    }

    /** A request goes to the brick. Those outside of the file's session are refused at once. */
    void add(UUID file, Request request) {
        SessionKey session = SessionKey.of(request);
        if (SessionKey.isBegunBy(request)) {
            forget(file);
            files.put(file, new OfFile(session));
        }
        OfFile present = files.get(file);
        if (present != null && present.session.equals(session)) {
            long cost = cost(request.operation());
            boolean isNew = !present.memoryById.containsKey(request.id());
            // Of two with one id the first answer does not say that both are written.
            Payload payload = isNew ? RequestCodec.payload(request) : Payload.EMPTY;
            Memory before = present.memoryById.put(request.id(), new Memory(cost, payload));
            long added = before == null ? cost : cost - before.bytes;
            present.bytes += added;
            bytes += added;
        }
    }

    void answered(UUID file, Reply reply) {
        OfFile present = files.get(file);
        if (present == null || present.session.session() != reply.session()) {
            return;
        }
        if (reply.result() instanceof Reply.Fenced || reply.result() instanceof Reply.NoSession) {
            forget(file);
            return;
        }
        Memory taken = present.memoryById.remove(reply.id());
        if (taken != null) {
            present.bytes -= taken.bytes;
            bytes -= taken.bytes;
            taken.payload.release();
        }
    }

    void forget(UUID file) {
        OfFile gone = files.remove(file);
        if (gone != null) {
            bytes -= gone.bytes;
        }
    }

    private static long cost(Request.Operation operation) {
        if (operation instanceof Request.Write write) {
            return REQUEST_BYTES + write.data().lengthBytes();
        }
        if (operation instanceof Request.Read read) {
            return REQUEST_BYTES + read.lengthBytes();
        }
        if (operation instanceof Request.Clean clean) {
            return REQUEST_BYTES + memory(clean.regions());
        }
        if (operation instanceof Request.MapMerge merge) {
            return REQUEST_BYTES
                    + merge.dirty().values().stream().mapToLong(InFlight::memory).sum();
        }
        return REQUEST_BYTES;
    }

    private static long memory(BitSet regions) {
        return regions.size() / Byte.SIZE;
    }
}
