/** The command line's {@code quoin image}: a verb, a file. */
@NullMarked
package io.quoin.tools.command;

import org.jspecify.annotations.NullMarked;
