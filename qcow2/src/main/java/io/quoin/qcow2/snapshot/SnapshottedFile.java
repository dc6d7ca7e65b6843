package io.quoin.qcow2.snapshot;

/**
 * An open file that can have internal snapshots.
 *
 * <p>Threading: confined(loop).
 */
public interface SnapshottedFile {
    /** Its snapshots, for as long as it is open. */
    SnapshotControl snapshots();
}
