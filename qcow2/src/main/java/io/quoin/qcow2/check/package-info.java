/**
 * Consistency check and repair of an image that is not open, or of a view of one that does not
 * change. It works on a file by blocking reads, with memory in proportion to the number of clusters
 * in use, and needs nothing of the data path.
 */
@NullMarked
package io.quoin.qcow2.check;

import org.jspecify.annotations.NullMarked;
