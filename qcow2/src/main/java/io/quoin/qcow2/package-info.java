/**
 * The xlator {@code features/qcow2}: files named {@code *.qcow2} of its subvolume are images, all
 * others pass through.
 */
@NullMarked
package io.quoin.qcow2;

import org.jspecify.annotations.NullMarked;
