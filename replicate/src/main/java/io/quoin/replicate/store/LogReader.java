package io.quoin.replicate.store;

import java.nio.ByteBuffer;
import java.util.function.Consumer;

/**
 * Replays a log: frames in their order up to the first that is not whole. That one was being
 * written when the process ended, and nothing in it was reported durable: the next frame is written
 * only after it. So a whole frame behind one that is not shows damage, and so does a checkpoint
 * that is not whole; neither is passed over.
 *
 * <p>Threading: confined to its caller.
 */
final class LogReader {
    private final byte[] log;
    private final LogLayout.Header header;

    /** Reads the header; EIO if it is damaged. */
    LogReader(byte[] log) {
        this.log = log;
        this.header = LogLayout.header(log);
    }

    LogLayout.Header header() {
        return header;
    }

    /** Hands on the records of each frame. EIO if the log is damaged, once they have been. */
    void replay(Consumer<ByteBuffer> records) {
        int at = LogLayout.SECTOR_BYTES;
        long sequence = 1;
        while (isNext(at, sequence)) {
            ByteBuffer found = LogLayout.records(log, at);
            at += LogLayout.frameBytes(found.remaining());
            sequence++;
            records.accept(found);
        }
        if (sequence <= header.checkpointFrames()) {
            throw LogLayout.damaged("checkpoint, offset=" + at + ", frame=" + sequence);
        }
        for (int later = at; later < log.length; later += LogLayout.SECTOR_BYTES) {
            if (LogLayout.isFrame(log, later, header.logId())) {
                throw LogLayout.damaged(
                        "frame="
                                + sequence
                                + ", offset="
                                + at
                                + ", though a later one is whole: offset="
                                + later);
            }
        }
    }

    private boolean isNext(int at, long sequence) {
        return LogLayout.isFrame(log, at, header.logId())
                && LogLayout.sequence(log, at) == sequence;
    }
}
