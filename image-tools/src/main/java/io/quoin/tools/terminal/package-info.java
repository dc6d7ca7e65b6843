/**
 * What commands share, those of the tools and those that talk to the daemon: rules for all of them,
 * results as text or JSON, tables, progress, sizes.
 */
@NullMarked
package io.quoin.tools.terminal;

import org.jspecify.annotations.NullMarked;
