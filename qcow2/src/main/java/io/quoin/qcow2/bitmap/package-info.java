/**
 * Persistent dirty bitmaps of an open image: loaded, recorded in memory, marked as in use on disk
 * while memory knows more, stored at close; and what can be done to them.
 */
@NullMarked
package io.quoin.qcow2.bitmap;

import org.jspecify.annotations.NullMarked;
