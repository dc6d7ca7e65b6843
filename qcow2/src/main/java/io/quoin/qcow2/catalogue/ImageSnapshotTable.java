package io.quoin.qcow2.catalogue;

import io.quoin.qcow2.layout.SnapshotEntry;
import java.util.List;

/**
 * The snapshots of an image by its file.
 *
 * <p>Threading: immutable.
 *
 * @param imageBytes the virtual size of the image, which snapshots have that record none
 * @param entries in the order of the table
 */
public record ImageSnapshotTable(long imageBytes, List<SnapshotEntry> entries) {}
