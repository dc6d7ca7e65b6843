/**
 * Opening an image: file, header, tables, data file, backing file, and the parts put together; and
 * the open image as a file of the graph.
 */
@NullMarked
package io.quoin.qcow2.open;

import org.jspecify.annotations.NullMarked;
