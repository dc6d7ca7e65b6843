package io.quoin.xlator.debug;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Latencies of an operation, in microseconds, to two significant digits.
 *
 * <p>Threading: immutable.
 *
 * @param count requests that were measured
 */
public record LatencyStatistics(
        long count,
        double minMicros,
        double meanMicros,
        double p50Micros,
        double p90Micros,
        double p99Micros,
        double p999Micros,
        double maxMicros) {

    Map<String, Object> asMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("count", count);
        map.put("min-us", minMicros);
        map.put("mean-us", meanMicros);
        map.put("p50-us", p50Micros);
        map.put("p90-us", p90Micros);
        map.put("p99-us", p99Micros);
        map.put("p999-us", p999Micros);
        map.put("max-us", maxMicros);
        return map;
    }
}
