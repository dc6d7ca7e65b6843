/**
 * Tables of an open image in memory: the cache of slices of L2 tables and refcount blocks, the L1
 * and L2 tables on it, and the flusher that writes them in crash-safe order.
 */
@NullMarked
package io.quoin.qcow2.cache;

import org.jspecify.annotations.NullMarked;
