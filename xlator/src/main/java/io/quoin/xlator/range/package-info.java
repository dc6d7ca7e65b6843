/** Requests that touch the same part of a file, kept apart. */
@NullMarked
package io.quoin.xlator.range;

import org.jspecify.annotations.NullMarked;
