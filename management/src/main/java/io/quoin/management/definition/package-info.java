/**
 * Volumes that {@code quoin volume create} has made: their bricks, their volfiles, their folder.
 */
@NullMarked
package io.quoin.management.definition;

import org.jspecify.annotations.NullMarked;
