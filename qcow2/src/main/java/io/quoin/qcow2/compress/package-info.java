/**
 * Compressed clusters: the codecs, the threads they run on, and reading of such clusters with a
 * small cache of what was decompressed last.
 */
@NullMarked
package io.quoin.qcow2.compress;

import org.jspecify.annotations.NullMarked;
