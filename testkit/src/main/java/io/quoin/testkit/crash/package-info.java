/** Files as a crash may leave them: recorded, replayed event by event, and served from memory. */
@NullMarked
package io.quoin.testkit.crash;

import org.jspecify.annotations.NullMarked;
