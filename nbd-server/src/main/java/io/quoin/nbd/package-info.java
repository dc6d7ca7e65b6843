/**
 * The NBD server: listens, keeps count of its connections and shuts down cleanly. The handshake is
 * in {@code negotiation}, requests are in {@code transmission}, the wire's numbers and layouts in
 * {@code protocol}, and what is served comes through {@code export}.
 */
@NullMarked
package io.quoin.nbd;

import org.jspecify.annotations.NullMarked;
