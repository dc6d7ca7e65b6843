/** A closed image: its file, its header, and blocking access to its tables. */
@NullMarked
package io.quoin.qcow2.file;

import org.jspecify.annotations.NullMarked;
