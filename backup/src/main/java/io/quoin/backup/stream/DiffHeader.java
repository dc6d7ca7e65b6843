package io.quoin.backup.stream;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a stream holds.
 *
 * <p>Threading: immutable.
 *
 * @param disk its name where the stream was made
 * @param from the older snapshot; null: all of the newer one
 * @param to the newer snapshot
 * @param fromSizeBytes of the disk at the older one, 0 without one
 * @param sizeBytes of the disk at the newer one
 */
public record DiffHeader(
        String disk, @Nullable Point from, Point to, long fromSizeBytes, long sizeBytes) {
    private static final UUID NONE = new UUID(0, 0);

    /**
     * A snapshot.
     *
     * @param name where the stream was made
     * @param uuid unique for ever
     */
    public record Point(String name, UUID uuid) {}

    ByteBuffer encode() {
        ByteBuffer body = ByteBuffer.allocate(DiffStreamLayout.HEAD_BYTES_MAX);
        put(body, from == null ? NONE : from.uuid());
        put(body, to.uuid());
        body.putLong(fromSizeBytes).putLong(sizeBytes);
        put(body, disk);
        put(body, from == null ? "" : from.name());
        put(body, to.name());
        return body.flip();
    }

    private static void put(ByteBuffer body, UUID uuid) {
        body.putLong(uuid.getMostSignificantBits()).putLong(uuid.getLeastSignificantBits());
    }

    private static void put(ByteBuffer body, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        body.putShort((short) bytes.length).put(bytes);
    }

    /** Null if it is none. */
    static @Nullable DiffHeader decode(ByteBuffer body) {
        try {
            UUID older = uuid(body);
            UUID newer = uuid(body);
            long olderBytes = body.getLong();
            long newerBytes = body.getLong();
            String disk = text(body);
            String olderName = text(body);
            String newerName = text(body);
            boolean isSound =
                    !body.hasRemaining()
                            && !newer.equals(NONE)
                            && isSize(olderBytes)
                            && isSize(newerBytes)
                            && (!older.equals(NONE) || olderBytes == 0);
            Point from = older.equals(NONE) ? null : new Point(olderName, older);
            return isSound
                    ? new DiffHeader(
                            disk, from, new Point(newerName, newer), olderBytes, newerBytes)
                    : null;
        } catch (BufferUnderflowException e) {
            return null;
        }
    }

    private static boolean isSize(long bytes) {
        return bytes >= 0 && bytes % DiffStreamLayout.SECTOR_BYTES == 0;
    }

    private static UUID uuid(ByteBuffer body) {
        long most = body.getLong();
        return new UUID(most, body.getLong());
    }

    private static String text(ByteBuffer body) {
        byte[] bytes = new byte[Short.toUnsignedInt(body.getShort())];
        body.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
