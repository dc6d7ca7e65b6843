/** The log as JSON, for programs that collect it. */
@NullMarked
package io.quoin.management.log;

import org.jspecify.annotations.NullMarked;
