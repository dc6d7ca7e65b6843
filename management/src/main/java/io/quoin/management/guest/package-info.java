/**
 * QEMU and its guests, by their sockets: guests whose file systems stand still while their disks
 * are cut, and disks that have grown.
 */
@NullMarked
package io.quoin.management.guest;

import org.jspecify.annotations.NullMarked;
