/** Makes an open image independent of its backing file, beside the guests. */
@NullMarked
package io.quoin.qcow2.flatten;

import org.jspecify.annotations.NullMarked;
