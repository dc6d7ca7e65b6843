/** What is told of clients in the log: their text made harmless, and no more than a rate of it. */
@NullMarked
package io.quoin.nbd.peer;

import org.jspecify.annotations.NullMarked;
