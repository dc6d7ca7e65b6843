package io.quoin.qcow2.layout;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What the later extra data of a snapshot that Quoin makes has behind its UUID, if it is one of a
 * group, or was made of file systems that stood still:
 *
 * <pre>
 *   48 +---------------------------------------------------------------+
 *      | "QUOINGRP"                                                    |
 *   56 +---------------------------------------------------------------+
 *      | UUID of the group, 16 bytes; zeros: of none                   |
 *   72 +---------------------------------------------------------------+
 *      | flags; 1: all file systems of its guests were frozen          |
 *      +---------------------------------------------------------------+
 * </pre>
 *
 * <p>Threading: immutable.
 */
public final class SnapshotGroupLayout {
    private static final byte[] MAGIC = "QUOINGRP".getBytes(StandardCharsets.US_ASCII);

    /** From the start of the later extra data on, which is at 24. */
    private static final int START = 24;

    private static final int GROUP = START + 8;
    private static final int FLAGS = GROUP + 16;
    private static final int END = FLAGS + 8;
    private static final long FROZEN = 1;
    private static final UUID NONE = new UUID(0, 0);

    private SnapshotGroupLayout() {}

    /**
     * The later extra data of a snapshot.
     *
     * @param uuid its own
     * @param group that of its group; null: it is in none
     */
    public static OpaqueBytes laterExtra(UUID uuid, @Nullable UUID group, boolean frozen) {
        OpaqueBytes own = SnapshotTableLayout.laterExtra(uuid);
        if (group == null && !frozen) {
            return own;
        }
        UUID written = group == null ? NONE : group;
        ByteBuffer bytes = ByteBuffer.allocate(END);
        bytes.put(own.toArray()).put(MAGIC);
        bytes.putLong(written.getMostSignificantBits());
        bytes.putLong(written.getLeastSignificantBits());
        bytes.putLong(frozen ? FROZEN : 0);
        return OpaqueBytes.copyOf(bytes.array());
    }

    /** The UUID of the group; null: it is in none. */
    static @Nullable UUID group(OpaqueBytes laterExtra) {
        ByteBuffer in = laterExtra.toBuffer();
        if (!isThere(in)) {
            return null;
        }
        UUID group = new UUID(in.getLong(GROUP), in.getLong(GROUP + 8));
        return group.equals(NONE) ? null : group;
    }

    static boolean isFrozen(OpaqueBytes laterExtra) {
        ByteBuffer in = laterExtra.toBuffer();
        return isThere(in) && (in.getLong(FLAGS) & FROZEN) != 0;
    }

    private static boolean isThere(ByteBuffer in) {
        return in.remaining() >= END
                && in.slice(START, MAGIC.length).equals(ByteBuffer.wrap(MAGIC));
    }
}
