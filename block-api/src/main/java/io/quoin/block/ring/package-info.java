/**
 * The ring in front of an open disk: requests of any thread, in one order, on the thread that owns
 * the disk; where adjacent writes are joined, flushes are held until the writes before them are
 * done, and a submitter is told that it has to wait.
 */
@NullMarked
package io.quoin.block.ring;

import org.jspecify.annotations.NullMarked;
