package io.quoin.management.operation;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Where an operation is in the HTTP API. Parts of the path in braces are fields of the request.
 *
 * <p>Threading: immutable.
 *
 * @param method of HTTP
 * @param path below the address of the service, as in /v1/disks/{name}
 */
public record Route(String method, String path) {
    /** Reads one, as in {@code GET /v1/disks}. */
    static Route of(String text) {
        int space = text.indexOf(' ');
        return new Route(text.substring(0, space), text.substring(space + 1));
    }

    /** The fields in a path, or empty if it is another one's. */
    public Optional<Map<String, String>> match(List<String> segments) {
        String[] own = path.substring(1).split("/", -1);
        if (own.length != segments.size()) {
            return Optional.empty();
        }
        Map<String, String> fields = new HashMap<>();
        for (int i = 0; i < own.length; i++) {
            if (own[i].startsWith("{")) {
                fields.put(own[i].substring(1, own[i].length() - 1), segments.get(i));
            } else if (!own[i].equals(segments.get(i))) {
                return Optional.empty();
            }
        }
        return Optional.of(fields);
    }
}
