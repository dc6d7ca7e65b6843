package io.quoin.management.operation;

import io.quoin.xlator.graph.NodeStatistics;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a kind of request of an open disk has come to, as the highest node counts that measures it
 * (debug/io-stats).
 *
 * <p>Threading: immutable.
 *
 * @param disk its name in its volume
 * @param operation as in {@code write}
 * @param count how many have ended
 * @param bytes of those that ended well
 * @param errors how many failed
 * @param totalMicros how long they took together
 * @param quantileMicros how long all but a part took at most, by the part that is left: 0.5, 0.99
 */
public record DiskLoad(
        String disk,
        String operation,
        long count,
        long bytes,
        long errors,
        double totalMicros,
        Map<String, Double> quantileMicros) {
    private static final Map<String, String> QUANTILES =
            Map.of("p50-us", "0.5", "p90-us", "0.9", "p99-us", "0.99");

    /**
     * Of all disks that are open.
     *
     * @param top of one volume
     */
    public static List<DiskLoad> of(NodeStatistics top) {
        Map<?, ?> files = map(top.values().get("files"));
        if (files.isEmpty() && top.subvolumes().size() == 1) {
            return of(top.subvolumes().get(0));
        }
        List<DiskLoad> loads = new ArrayList<>();
        files.forEach(
                (disk, operations) ->
                        map(operations)
                                .forEach(
                                        (operation, counts) ->
                                                loads.add(
                                                        load(
                                                                String.valueOf(disk),
                                                                String.valueOf(operation),
                                                                map(counts)))));
        return loads;
    }

    private static DiskLoad load(String disk, String operation, Map<?, ?> counts) {
        Map<?, ?> latency = map(counts.get("latency"));
        long count = (long) number(counts, "count");
        Map<String, Double> quantiles = new LinkedHashMap<>();
        QUANTILES.forEach(
                (name, quantile) -> {
                    if (latency.containsKey(name)) {
                        quantiles.put(quantile, number(latency, name));
                    }
                });
        return new DiskLoad(
                disk,
                operation,
                count,
                (long) number(counts, "bytes"),
                (long) number(counts, "errors"),
                number(latency, "mean-us") * number(latency, "count"),
                quantiles);
    }

    private static Map<?, ?> map(@Nullable Object value) {
        return value instanceof Map<?, ?> map ? map : Map.of();
    }

    private static double number(Map<?, ?> values, String name) {
        return values.get(name) instanceof Number number ? number.doubleValue() : 0;
    }
}
