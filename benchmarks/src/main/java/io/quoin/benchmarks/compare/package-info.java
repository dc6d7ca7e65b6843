/**
 * The side-by-side comparison: the same work by the same client against Quoin, qemu-nbd and nbdkit,
 * in interleaved rounds, each server with a file of its own that has the same history.
 */
@NullMarked
package io.quoin.benchmarks.compare;

import org.jspecify.annotations.NullMarked;
