/**
 * The translator interface: nodes of a graph with the same interface above and below, complete
 * pass-through as the default, and one checked boundary between any two of them.
 */
@NullMarked
package io.quoin.xlator;

import org.jspecify.annotations.NullMarked;
