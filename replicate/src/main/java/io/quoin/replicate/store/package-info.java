/**
 * A brick on files: what the state machine of the package above needs to be durable. One log of
 * metadata for all files of the brick; data and checksums, two files for each. docs/adr/0034 says
 * why, docs/format/brick.md has every byte.
 */
@NullMarked
package io.quoin.replicate.store;

import org.jspecify.annotations.NullMarked;
