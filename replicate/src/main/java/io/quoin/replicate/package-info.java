/**
 * The state machines of the replication protocol: a brick, and the gateway that has an image open.
 * They have no thread, socket, file or clock of their own. docs/adr/0027 has the protocol.
 */
@NullMarked
package io.quoin.replicate;

import org.jspecify.annotations.NullMarked;
