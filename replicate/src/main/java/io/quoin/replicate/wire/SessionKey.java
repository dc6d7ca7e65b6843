package io.quoin.replicate.wire;

import io.quoin.replicate.Request;

/**
 * Which of a gateway's sessions a request belongs to.
 *
 * <p>Threading: immutable.
 */
record SessionKey(long gateway, long epoch, long session) {
    static SessionKey of(Request request) {
        return new SessionKey(request.gateway(), request.epoch(), request.session());
    }

    static boolean isBegunBy(Request request) {
        return request.operation() instanceof Request.Promise;
    }
}
