/** The graph: volfiles, option tables, and how nodes are built from them. */
@NullMarked
package io.quoin.xlator.graph;

import org.jspecify.annotations.NullMarked;
