package io.quoin.replicate.wire;

import io.quoin.replicate.wire.message.Header;

/**
 * What one frame has carried.
 *
 * <p>Threading: immutable.
 *
 * @param payload the receiver's from now on; empty if there was none
 */
@SuppressWarnings("ArrayRecordComponent") // it is taken over, not compared
record Frame(Header header, byte[] payload) {}
