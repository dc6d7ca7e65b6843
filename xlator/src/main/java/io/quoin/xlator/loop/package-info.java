/**
 * The loop: one thread that owns things, its clock and its timers. Production loops are Netty event
 * loops.
 */
@NullMarked
package io.quoin.xlator.loop;

import org.jspecify.annotations.NullMarked;
