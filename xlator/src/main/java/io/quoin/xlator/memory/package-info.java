/** The memory of the process: what caches and buffers of all disks are drawn from. */
@NullMarked
package io.quoin.xlator.memory;

import org.jspecify.annotations.NullMarked;
