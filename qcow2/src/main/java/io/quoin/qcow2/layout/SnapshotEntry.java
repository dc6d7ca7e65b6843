package io.quoin.qcow2.layout;

import java.nio.charset.StandardCharsets;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An internal snapshot.
 *
 * <p>Threading: immutable.
 *
 * @param tableOffset where in the snapshot table it starts
 * @param l1TableOffset host offset of its L1 table
 * @param l1Size entries of its L1 table
 * @param idBytes as on disk
 * @param nameBytes as on disk
 * @param vmStateSizeBytes of the saved VM state, 0 for none
 * @param diskSizeBytes virtual size at that time; -1: not recorded, the image's own
 * @param icount instruction counter of a record/replay run; -1: none
 * @param laterExtra extra data of later versions, kept as it is
 */
public record SnapshotEntry(
        int tableOffset,
        long l1TableOffset,
        int l1Size,
        OpaqueBytes idBytes,
        OpaqueBytes nameBytes,
        int dateSeconds,
        int dateNanos,
        long vmClockNanos,
        long vmStateSizeBytes,
        long diskSizeBytes,
        long icount,
        OpaqueBytes laterExtra) {
    /** The id; what is no valid UTF-8 is replaced, so that the bytes on disk may be others. */
    public String id() {
        return text(idBytes);
    }

    /** The name, in the same way. */
    public String name() {
        return text(nameBytes);
    }

    /** By which Quoin knows it for ever; null: another program made it. */
    public @Nullable UUID uuid() {
        return SnapshotTableLayout.uuid(laterExtra);
    }

    /** The group that it was made with; null: it was made alone. */
    public @Nullable UUID group() {
        return SnapshotGroupLayout.group(laterExtra);
    }

    /** Whether the file systems of its guests stood still. */
    public boolean isFrozen() {
        return SnapshotGroupLayout.isFrozen(laterExtra);
    }

    /** The same under another name. */
    public SnapshotEntry withName(String name) {
        OpaqueBytes bytes = OpaqueBytes.copyOf(name.getBytes(StandardCharsets.UTF_8));
        return with(tableOffset, bytes, diskSizeBytes);
    }

    SnapshotEntry at(int newTableOffset, long newDiskSizeBytes) {
        return with(newTableOffset, nameBytes, newDiskSizeBytes);
    }

    private SnapshotEntry with(int offset, OpaqueBytes name, long newDiskSizeBytes) {
        return new SnapshotEntry(
                offset,
                l1TableOffset,
                l1Size,
                idBytes,
                name,
                dateSeconds,
                dateNanos,
                vmClockNanos,
                vmStateSizeBytes,
                newDiskSizeBytes,
                icount,
                laterExtra);
    }

    /** Names are bytes to QEMU: what is no text becomes a replacement character. */
    private static String text(OpaqueBytes bytes) {
        return new String(bytes.toArray(), StandardCharsets.UTF_8).replace('\0', '\ufffd');
    }
}
