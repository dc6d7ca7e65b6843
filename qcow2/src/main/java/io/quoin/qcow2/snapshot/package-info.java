/**
 * Internal snapshots of open images: made while guests write, deleted, renamed and rolled back to.
 * docs/adr/0025 has the order of writes.
 */
@NullMarked
package io.quoin.qcow2.snapshot;

import org.jspecify.annotations.NullMarked;
