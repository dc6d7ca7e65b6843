/** What a closed image tells without a check: its header, its chain of backing files, its map. */
@NullMarked
package io.quoin.qcow2.info;

import org.jspecify.annotations.NullMarked;
