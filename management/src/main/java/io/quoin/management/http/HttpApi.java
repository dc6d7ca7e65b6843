package io.quoin.management.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.management.job.JobView;
import io.quoin.management.operation.Kind;
import io.quoin.management.operation.OperationType;
import io.quoin.management.operation.Operations;
import io.quoin.management.operation.Requests;
import io.quoin.management.operation.ServiceOperation;
import io.quoin.management.operation.Status;
import io.quoin.management.operation.StatusView;
import io.quoin.management.operation.VolumeRegistry;
import io.quoin.management.operation.VolumeView;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The operations on volumes over HTTP. The fields of a request come from the path, from what is
 * behind the question mark, and from the JSON object in the body; each from one place.
 *
 * <p>Threading: thread-safe; may block.
 */
public final class HttpApi implements HttpService {
    /** Where the document is. */
    public static final String DOCUMENT = "/v1/openapi.json";

    /** Says with 200 that all is served, with 503 what is not. */
    static final String HEALTH = "/healthz";

    /** What was counted, in Prometheus' format. */
    static final String METRICS = "/metrics";

    /** Names a volume, behind the question mark, where a service has several. */
    static final String VOLUME = "volume";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int OK = 200;
    private static final int ACCEPTED = 202;
    private static final int NO_METHOD = 405;
    private static final int UNAVAILABLE = 503;
    private static final String STARTED = "Started";

    private final VolumeRegistry volumes;
    private final boolean isRemote;

    /** For clients of the control socket. */
    public HttpApi(VolumeRegistry volumes) {
        this(volumes, false);
    }

    private HttpApi(VolumeRegistry volumes, boolean isRemote) {
        this.volumes = volumes;
        this.isRemote = isRemote;
    }

    /** The same for clients that may be on other hosts: what is {@code Local} is refused. */
    public HttpApi remote() {
        return new HttpApi(volumes, true);
    }

    @Override
    public HttpAnswer answer(HttpCall call) {
        try {
            String malformed = call.malformed();
            if (malformed != null) {
                throw new BlockException(BlockError.EINVAL, "no request of HTTP: " + malformed);
            }
            int mark = call.target().indexOf('?');
            String path = mark < 0 ? call.target() : call.target().substring(0, mark);
            String query = mark < 0 ? "" : call.target().substring(mark + 1);
            Supplier<HttpAnswer> page = page(path);
            if (page != null) {
                return call.method().equals("GET") ? page.get() : noMethod(call);
            }
            return answer(call, segments(path), query);
        } catch (BlockException e) {
            return HttpAnswer.problem(e.error(), String.valueOf(e.getMessage()));
        } catch (RuntimeException e) {
            return HttpAnswer.problem(BlockError.EIO, Reason.of(e));
        }
    }

    /** What is there besides the operations. */
    private @Nullable Supplier<HttpAnswer> page(String path) {
        return switch (path) {
            case DOCUMENT -> () -> HttpAnswer.of(OK, null, OpenApi.document());
            case HEALTH -> this::health;
            case METRICS -> this::metrics;
            default -> null;
        };
    }

    /** Whether all volumes are served that should be. */
    private HttpAnswer health() {
        List<String> missing = new ArrayList<>();
        for (VolumeView volume : volumes.list()) {
            if (!volume.isOpen() && volume.status().equals(STARTED)) {
                missing.add(volume.name() + ": " + volume.failure());
            }
        }
        return missing.isEmpty()
                ? HttpAnswer.of(OK, null, Map.of("status", "ok"))
                : HttpAnswer.problem(
                        UNAVAILABLE,
                        BlockError.ESHUTDOWN,
                        "volumes are not served: " + String.join("; ", missing));
    }

    private HttpAnswer metrics() {
        Map<String, StatusView> each = new TreeMap<>();
        for (String volume : volumes.opened().keySet()) {
            each.put(volume, status(volume));
        }
        return new HttpAnswer(OK, Metrics.CONTENT_TYPE, null, Metrics.text(status(null), each));
    }

    private StatusView status(@Nullable String volume) {
        return new Status().run(new Status.Request(), volumes, volume);
    }

    private HttpAnswer answer(HttpCall call, List<String> segments, String query) {
        boolean isKnown = false;
        for (ServiceOperation<?, ?> operation : Operations.ALL) {
            OperationType<?, ?> type = operation.type();
            Optional<Map<String, String>> fields = type.route().match(segments);
            if (fields.isPresent() && type.route().method().equals(call.method())) {
                ObjectNode request = body(call.body());
                fields.get().forEach((name, value) -> put(request, name, value, type));
                queryFields(query, request, type);
                if (isRemote) {
                    Requests.requireNoLocal(request, type.request());
                }
                String volume = volume(request);
                return answer(type, Operations.call(type.name(), request, volumes, volume));
            }
            isKnown |= fields.isPresent();
        }
        if (isKnown) {
            return noMethod(call);
        }
        throw new BlockException(
                BlockError.ENOENT,
                "no such path: path=" + call.target() + "; " + DOCUMENT + " describes all");
    }

    /** Which volume is meant; it is no field of any request. */
    private static @Nullable String volume(ObjectNode request) {
        JsonNode volume = request.remove(VOLUME);
        return volume == null ? null : volume.asText();
    }

    private static HttpAnswer noMethod(HttpCall call) {
        return HttpAnswer.problem(
                NO_METHOD,
                BlockError.EINVAL,
                "no such method: path=" + call.target() + ", method=" + call.method());
    }

    private static HttpAnswer answer(OperationType<?, ?> type, Record result) {
        return type.kind() == Kind.JOB && result instanceof JobView job
                ? HttpAnswer.of(ACCEPTED, "/v1/jobs/" + job.id().replace("/", "%2F"), job)
                : HttpAnswer.of(OK, null, result);
    }

    private static List<String> segments(String path) {
        List<String> segments = new ArrayList<>();
        for (String segment : path.replaceFirst("^/", "").split("/", -1)) {
            segments.add(decoded(segment.replace("+", "%2B")));
        }
        return segments;
    }

    private static String decoded(String text) {
        try {
            return URLDecoder.decode(text, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw new BlockException(
                    BlockError.EINVAL, "illegal percent encoding: text=" + text, e);
        }
    }

    private static void queryFields(String query, ObjectNode request, OperationType<?, ?> type) {
        for (String field : query.split("&", -1)) {
            if (!field.isEmpty()) {
                int equals = field.indexOf('=');
                String name = equals < 0 ? field : field.substring(0, equals);
                String value = equals < 0 ? "" : field.substring(equals + 1);
                put(request, decoded(name), decoded(value), type);
            }
        }
    }

    private static void put(
            ObjectNode request, String name, String value, OperationType<?, ?> type) {
        if (request.has(name)) {
            throw new BlockException(BlockError.EINVAL, "argument is given twice: name=" + name);
        }
        Requests.putText(request, name, value, type.request());
    }

    private static ObjectNode body(byte[] body) {
        if (body.length == 0) {
            return JSON.createObjectNode();
        }
        try {
            JsonNode tree = JSON.readTree(body);
            if (tree instanceof ObjectNode fields) {
                return fields;
            }
            throw new BlockException(BlockError.EINVAL, "the body is no JSON object");
        } catch (JsonProcessingException e) {
            throw new BlockException(
                    BlockError.EINVAL, "the body is not JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new BlockException(BlockError.EINVAL, "the body is not JSON", e);
        }
    }
}
