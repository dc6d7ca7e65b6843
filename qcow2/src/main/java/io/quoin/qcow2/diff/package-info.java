/**
 * What differs between two states of a disk, read from the mappings of their snapshots alone: no
 * bitmap has to be kept, and any two can be compared.
 */
@NullMarked
package io.quoin.qcow2.diff;

import org.jspecify.annotations.NullMarked;
