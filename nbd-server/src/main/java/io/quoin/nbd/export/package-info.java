/**
 * What the NBD server needs to know of the disks it serves: a catalogue of names, and open exports
 * with their ring and loop. Implemented above this module.
 */
@NullMarked
package io.quoin.nbd.export;

import org.jspecify.annotations.NullMarked;
