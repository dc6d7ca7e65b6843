package io.quoin.qcow2.layout;

/**
 * An internal snapshot.
 *
 * <p>Threading: immutable.
 *
 * @param tableOffset where in the snapshot table it starts
 * @param l1TableOffset host offset of its L1 table
 * @param l1Size entries of its L1 table
 * @param id with what is no valid UTF-8 replaced, so that the bytes on disk may be others
 * @param name in the same way
 * @param vmStateSizeBytes of the saved VM state, 0 for none
 * @param diskSizeBytes virtual size at that time; -1: not recorded, the image's own
 * @param icount instruction counter of a record/replay run; -1: none
 * @param laterExtra extra data of later versions, kept as it is
 */
public record SnapshotEntry(
        int tableOffset,
        long l1TableOffset,
        int l1Size,
        String id,
        String name,
        int dateSeconds,
        int dateNanos,
        long vmClockNanos,
        long vmStateSizeBytes,
        long diskSizeBytes,
        long icount,
        OpaqueBytes laterExtra) {}
