/** Loops of virtual time on one thread, so that a test repeats exactly from its seed. */
@NullMarked
package io.quoin.testkit.sim;

import org.jspecify.annotations.NullMarked;
