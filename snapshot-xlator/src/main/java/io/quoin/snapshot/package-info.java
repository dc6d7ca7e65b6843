/**
 * Disks by name above the image files of a volume: type {@code features/snapshot}. Disk {@code vm1}
 * is the image {@code vm1.qcow2} or {@code vm1.raw} below.
 */
@NullMarked
package io.quoin.snapshot;

import org.jspecify.annotations.NullMarked;
