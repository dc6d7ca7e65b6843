package io.quoin.replicate.wire;

/**
 * What the other side has sent cannot be right; the connection ends, since nothing behind it can be
 * trusted.
 *
 * <p>Threading: immutable.
 */
final class WireException extends RuntimeException {
    WireException(String message) {
        super(message);
    }
}
