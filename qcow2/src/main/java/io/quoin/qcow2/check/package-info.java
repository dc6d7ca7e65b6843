/**
 * Looking at an image that nobody has open, or at a view of one that does not change: consistency
 * check and repair, the map of its extents, its description. It works on a file by blocking reads,
 * with memory in proportion to the number of clusters in use, and needs nothing of the data path.
 */
@NullMarked
package io.quoin.qcow2.check;

import org.jspecify.annotations.NullMarked;
