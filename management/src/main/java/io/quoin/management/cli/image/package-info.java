/** The command line's {@code quoin image}: a verb, a file. */
@NullMarked
package io.quoin.management.cli.image;

import org.jspecify.annotations.NullMarked;
