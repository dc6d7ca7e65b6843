/**
 * Backups of disks in a folder: chains of qcow2 files that qemu-img reads by itself, each with a
 * manifest that is written last.
 */
@NullMarked
package io.quoin.backup;

import org.jspecify.annotations.NullMarked;
