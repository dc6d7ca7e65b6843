package io.quoin.backup;

/**
 * A backup that is being made or removed. The record is written before anything else is done, so
 * that whatever a crash leaves is known: files of that name without a manifest, and the snapshot of
 * that UUID.
 *
 * <p>Threading: immutable.
 *
 * @param name of the backup
 * @param number as in its manifest
 * @param snapshot that is its own
 */
record Pending(String name, long number, Manifest.SnapshotId snapshot) {}
