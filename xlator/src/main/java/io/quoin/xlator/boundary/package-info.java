/**
 * The checked boundary between any two nodes of a graph: what it has checked, no layer checks
 * again.
 */
@NullMarked
package io.quoin.xlator.boundary;

import org.jspecify.annotations.NullMarked;
