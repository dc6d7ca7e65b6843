/**
 * The files of a replicated volume as an xlator has them: names, and requests of any range.
 * docs/adr/0036 has what is decided.
 */
@NullMarked
package io.quoin.replicate.volume;

import org.jspecify.annotations.NullMarked;
