package io.quoin.management.http;

import org.jspecify.annotations.Nullable;

/**
 * A request of HTTP.
 *
 * <p>Threading: immutable; the body is not to be changed.
 *
 * @param method as in GET
 * @param target path and query
 * @param authorization the header of that name
 * @param body empty if there is none
 * @param keepsAlive whether the client goes on with the connection
 * @param malformed why it is no request; null for one
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record HttpCall(
        String method,
        String target,
        @Nullable String authorization,
        byte[] body,
        boolean keepsAlive,
        @Nullable String malformed) {}
