/**
 * The xlator {@code storage/posix}: files of a brick folder by way of the kernel's own calls. The
 * only package that calls native code.
 */
@NullMarked
package io.quoin.brick.posix;

import org.jspecify.annotations.NullMarked;
