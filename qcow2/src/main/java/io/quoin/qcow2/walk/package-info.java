/**
 * The walk through tables of an open image beside its guests, on which everything stands that has
 * to see all entries.
 */
@NullMarked
package io.quoin.qcow2.walk;

import org.jspecify.annotations.NullMarked;
