/** Xlators that restrict what goes through them: read-only and throttle. */
@NullMarked
package io.quoin.xlator.feature;

import org.jspecify.annotations.NullMarked;
