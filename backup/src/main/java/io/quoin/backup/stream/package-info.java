/** Differences between two snapshots as one stream of bytes: docs/format/diff-stream.md. */
@NullMarked
package io.quoin.backup.stream;

import org.jspecify.annotations.NullMarked;
