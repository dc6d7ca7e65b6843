package io.quoin.replicate.wire;

import io.quoin.replicate.Payload;
import io.quoin.replicate.wire.message.Header;

/**
 * What one frame has carried.
 *
 * <p>Threading: immutable.
 *
 * @param payload the receiver's from now on; empty if there was none
 */
record Frame(Header header, Payload payload) {}
