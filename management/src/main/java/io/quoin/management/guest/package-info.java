/** Guests whose file systems stand still while their disks are cut. */
@NullMarked
package io.quoin.management.guest;

import org.jspecify.annotations.NullMarked;
