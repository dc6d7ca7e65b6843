/**
 * The offline tools: image files that are not open elsewhere and disks behind NBD addresses, as
 * block devices on a loop, and what is done with them.
 */
@NullMarked
package io.quoin.tools;

import org.jspecify.annotations.NullMarked;
