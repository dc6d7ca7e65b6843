package io.quoin.qcow2.layout;

import java.util.List;

/**
 * The internal snapshots of an image.
 *
 * @param entries in the order of the table
 * @param sizeBytes of the table on disk
 *     <p>Threading: immutable.
 */
public record SnapshotTable(List<SnapshotEntry> entries, int sizeBytes) {}
