/**
 * The handshake: greeting, option haggling, and the choice of an export. It ends with a session
 * that the transmission phase takes over, or with a closed connection.
 */
@NullMarked
package io.quoin.nbd.negotiation;

import org.jspecify.annotations.NullMarked;
