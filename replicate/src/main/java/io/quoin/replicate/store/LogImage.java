package io.quoin.replicate.store;

import java.io.ByteArrayOutputStream;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;

/**
 * A new log: a header and a checkpoint in frames, as they are written to a file that has no name in
 * the brick yet.
 *
 * <p>Threading: immutable.
 *
 * @param parts what is written, from the start of the file on, one after another
 * @param endBytes where the next frame goes
 * @param capacityBytes the size of the file; the checkpoint takes a quarter of it at most
 */
record LogImage(LogLayout.Header header, List<byte[]> parts, long endBytes, long capacityBytes) {
    /** Records of about so many bytes go into one frame. */
    static final int FRAME_BYTES = 256 << 10;

    private static final int SHARE_OF_CHECKPOINT = 4;
    private static final SecureRandom RANDOM = new SecureRandom();

    /** The log of {@code records}, with an id of its own and what else {@code header} has. */
    static LogImage of(LogLayout.Header header, List<byte[]> records, long capacityBytesMin) {
        long logId = RANDOM.nextLong();
        List<byte[]> frames = new ArrayList<>();
        ByteArrayOutputStream gathered = new ByteArrayOutputStream();
        for (byte[] record : records) {
            gathered.writeBytes(record);
            if (gathered.size() >= FRAME_BYTES) {
                frames.add(LogLayout.frame(logId, frames.size() + 1L, gathered.toByteArray()));
                gathered.reset();
            }
        }
        if (gathered.size() > 0) {
            frames.add(LogLayout.frame(logId, frames.size() + 1L, gathered.toByteArray()));
        }
        LogLayout.Header own = header.ofLog(logId, frames.size());
        frames.add(0, LogLayout.header(own));
        long end = frames.stream().mapToLong(part -> part.length).sum();
        return new LogImage(
                own, frames, end, Math.max(capacityBytesMin, SHARE_OF_CHECKPOINT * end));
    }
}
