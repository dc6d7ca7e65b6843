/**
 * Which images stand on which files: names, chains, what the headers of a volume refer to, what may
 * change a file, and parents that several images of a loop share.
 */
@NullMarked
package io.quoin.qcow2.parents;

import org.jspecify.annotations.NullMarked;
