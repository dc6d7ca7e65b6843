/**
 * The numbers and layouts of the NBD protocol (proto.md), all integers big-endian. No class
 * elsewhere does arithmetic on wire offsets.
 */
@NullMarked
package io.quoin.nbd.protocol;

import org.jspecify.annotations.NullMarked;
