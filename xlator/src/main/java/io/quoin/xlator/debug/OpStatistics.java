package io.quoin.xlator.debug;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What has been counted of an operation.
 *
 * <p>Threading: immutable.
 *
 * @param count requests that have ended
 * @param bytes of the ranges of those that ended well
 * @param errors requests that failed
 * @param latency null where none was measured
 */
public record OpStatistics(
        long count, long bytes, long errors, @Nullable LatencyStatistics latency) {

    Map<String, Object> asMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("count", count);
        map.put("bytes", bytes);
        map.put("errors", errors);
        if (latency != null) {
            map.put("latency", latency.asMap());
        }
        return map;
    }
}
