package io.quoin.management.http;

import io.quoin.block.BlockError;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;

/**
 * Answers clients that send the token ({@code Authorization: Bearer TOKEN}), and refuses others.
 *
 * <p>Threading: thread-safe.
 */
public final class TokenCheck implements HttpService {
    private static final String SCHEME = "Bearer ";

    private final byte[] token;
    private final HttpService service;

    public TokenCheck(String token, HttpService service) {
        this.token = token.getBytes(StandardCharsets.UTF_8);
        this.service = service;
    }

    @Override
    public HttpAnswer answer(HttpCall call) {
        return isAllowed(call.authorization())
                ? service.answer(call)
                : HttpAnswer.problem(
                        HttpAnswer.UNAUTHORIZED,
                        BlockError.EPERM,
                        "no token, or a wrong one: expected=Authorization: Bearer TOKEN");
    }

    /** In a time that does not depend on how much of it is right. */
    private boolean isAllowed(@Nullable String authorization) {
        return authorization != null
                && authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length())
                && MessageDigest.isEqual(
                        token,
                        authorization
                                .substring(SCHEME.length())
                                .strip()
                                .getBytes(StandardCharsets.UTF_8));
    }
}
