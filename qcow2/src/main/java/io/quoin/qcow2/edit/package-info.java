/** Changes of a closed image's header and content: another backing file, no content, no bitmaps. */
@NullMarked
package io.quoin.qcow2.edit;

import org.jspecify.annotations.NullMarked;
