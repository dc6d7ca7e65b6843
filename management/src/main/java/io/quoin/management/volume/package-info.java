/**
 * The embedded volume: its data folder, its graph, and the disks that are open on it, shared by
 * every connection and every Java program in the process.
 */
@NullMarked
package io.quoin.management.volume;

import org.jspecify.annotations.NullMarked;
