/**
 * The friendly face for Java programs: volumes, and disks that are read and written with buffers,
 * from any thread, waiting or not.
 */
@NullMarked
package io.quoin.block.disk;

import org.jspecify.annotations.NullMarked;
