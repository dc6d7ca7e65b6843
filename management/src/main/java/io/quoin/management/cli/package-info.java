/** The command line: {@code quoin}. */
@NullMarked
package io.quoin.management.cli;

import org.jspecify.annotations.NullMarked;
