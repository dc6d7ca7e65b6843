/** Checking an image while it is being served, and giving back what leaked. */
@NullMarked
package io.quoin.qcow2.served;

import org.jspecify.annotations.NullMarked;
