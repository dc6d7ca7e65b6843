/**
 * An open image's file: requests for metadata, which clusters hold metadata, the header area, the
 * image's health, a view of metadata as they were at one moment, and the two ways to wait: {@link
 * io.quoin.qcow2.io.Outcome} with {@link io.quoin.qcow2.io.Steps} on the data path, stages ({@link
 * io.quoin.qcow2.io.ChildFiles}) for control.
 */
@NullMarked
package io.quoin.qcow2.io;

import org.jspecify.annotations.NullMarked;
