/**
 * The nodes of a graph that bricks are reached through: in this process, or over the network.
 * docs/xlators/local.md and client.md have their options.
 */
@NullMarked
package io.quoin.replicate.link;

import org.jspecify.annotations.NullMarked;
