/** What commands share: results as text or JSON, tables, progress, sizes. */
@NullMarked
package io.quoin.management.cli.terminal;

import org.jspecify.annotations.NullMarked;
