/**
 * A brick over the network: the protobuf messages, the frames that carry them, the server that a
 * brick's process runs and the client that is a {@link io.quoin.replicate.BrickLink}. The only
 * package of replication that sees Netty. docs/adr/0035 has the wire.
 */
@NullMarked
package io.quoin.replicate.wire;

import org.jspecify.annotations.NullMarked;
