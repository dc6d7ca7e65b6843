/**
 * What guest requests do to clusters: look-up, reads along the backing chain, writes in place,
 * allocation with copy-on-write, zeroing and discarding, and the locks on guest ranges that keep
 * them apart.
 */
@NullMarked
package io.quoin.qcow2.cluster;

import org.jspecify.annotations.NullMarked;
