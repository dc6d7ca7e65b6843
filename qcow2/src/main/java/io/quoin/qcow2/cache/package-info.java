/**
 * The metadata of an open image in memory: its child file, the L1 and L2 tables with their cache,
 * the map of clusters that hold metadata, the header, and the flusher that writes tables in
 * crash-safe order.
 */
@NullMarked
package io.quoin.qcow2.cache;

import org.jspecify.annotations.NullMarked;
