/**
 * Xlators to look at what goes on and to make it go wrong: io-stats, trace, delay-gen and
 * error-gen. Names and options are GlusterFS's.
 */
@NullMarked
package io.quoin.xlator.debug;

import org.jspecify.annotations.NullMarked;
