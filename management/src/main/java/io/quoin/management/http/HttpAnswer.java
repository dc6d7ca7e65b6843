package io.quoin.management.http;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.block.BlockError;
import io.quoin.xlator.NameText;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An answer of HTTP: JSON, or a problem as RFC 9457 has it, with the name of the error beside.
 *
 * <p>Threading: immutable.
 *
 * @param status of HTTP
 * @param contentType of the body
 * @param location of what was made; null for nothing
 * @param body in UTF-8
 */
public record HttpAnswer(int status, String contentType, @Nullable String location, String body) {
    /** What a problem is sent as. */
    public static final String PROBLEM = "application/problem+json";

    static final int UNAUTHORIZED = 401;

    private static final String JSON_TYPE = "application/json";
    private static final ObjectMapper JSON =
            new ObjectMapper().setDefaultPropertyInclusion(JsonInclude.Include.NON_NULL);

    static HttpAnswer of(int status, @Nullable String location, Object result) {
        return new HttpAnswer(status, JSON_TYPE, location, text(result));
    }

    /** An answer that says what is wrong. */
    public static HttpAnswer problem(BlockError error, String message) {
        return problem(statusOf(error), error, message);
    }

    static HttpAnswer problem(int status, BlockError error, String message) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("type", "about:blank");
        fields.put("title", titleOf(status));
        fields.put("status", status);
        fields.put("detail", message);
        fields.put("error", error.name());
        return new HttpAnswer(status, PROBLEM, null, text(fields));
    }

    private static String text(Object value) {
        try {
            return NameText.json(JSON.writeValueAsString(value));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("no answer has that: " + value.getClass(), e);
        }
    }

    /**
     * Whether nothing more is taken from the client: one without the token could else ask without
     * end, read nothing, and keep a thread in the middle of an answer.
     */
    public boolean endsConnection() {
        return status == UNAUTHORIZED;
    }

    byte[] bytes() {
        return body.getBytes(StandardCharsets.UTF_8);
    }

    private static int statusOf(BlockError error) {
        return switch (error) {
            case EINVAL -> 400;
            case EPERM, EROFS -> 403;
            case ENOENT -> 404;
            case EEXIST, EBUSY, EBADE, ESTALE -> 409;
            case ENOTSUP -> 501;
            case ESHUTDOWN, ENOMEM, ENOTCONN -> 503;
            case ETIMEDOUT -> 504;
            case ENOSPC, EFBIG -> 507;
            default -> 500;
        };
    }

    private static String titleOf(int status) {
        return switch (status) {
            case 400 -> "Bad Request";
            case UNAUTHORIZED -> "Unauthorized";
            case 403 -> "Forbidden";
            case 404 -> "Not Found";
            case 405 -> "Method Not Allowed";
            case 409 -> "Conflict";
            case 501 -> "Not Implemented";
            case 504 -> "Gateway Timeout";
            case 503 -> "Service Unavailable";
            case 507 -> "Insufficient Storage";
            default -> "Internal Server Error";
        };
    }
}
