/** Small programs that use Quoin as a library. */
@NullMarked
package io.quoin.examples;

import org.jspecify.annotations.NullMarked;
