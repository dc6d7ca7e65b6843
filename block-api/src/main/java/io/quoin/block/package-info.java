/**
 * The block interface: what a device is, what a request is, and how either fails. Everything else
 * in Quoin is built on these few types; they know nothing of images, networks or kernels.
 */
@NullMarked
package io.quoin.block;

import org.jspecify.annotations.NullMarked;
