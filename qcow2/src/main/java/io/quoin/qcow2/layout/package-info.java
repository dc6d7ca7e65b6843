/**
 * The qcow2 format as it lies on disk: one class per structure, each with its picture, its sizes
 * and its checks. No other package does offset arithmetic on these structures. All integers are
 * big-endian. Source of the format: QEMU's docs/interop/qcow2.txt; of the limits: what QEMU
 * enforces for untrusted images, or stricter.
 */
@NullMarked
package io.quoin.qcow2.layout;

import org.jspecify.annotations.NullMarked;
