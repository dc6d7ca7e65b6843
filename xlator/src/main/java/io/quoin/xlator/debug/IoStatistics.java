package io.quoin.xlator.debug;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What an io-stats node has counted, by operation ({@link Fop#text}); operations that did not occur
 * are left out.
 *
 * <p>Threading: immutable.
 *
 * @param total of all files, those included that have been closed
 * @param files of each open file, by its name
 */
public record IoStatistics(
        Map<String, OpStatistics> total, Map<String, Map<String, OpStatistics>> files) {
    public IoStatistics {
        total = Map.copyOf(total);
        files = Map.copyOf(files);
    }

    /** Plain maps and numbers. */
    public Map<String, Object> asMap() {
        Map<String, Object> perFile = new LinkedHashMap<>();
        files.keySet().stream()
                .sorted()
                .forEach(
                        fileName ->
                                perFile.put(
                                        fileName, plain(files.getOrDefault(fileName, Map.of()))));
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("total", plain(total));
        map.put("files", perFile);
        return map;
    }

    private static Map<String, Object> plain(Map<String, OpStatistics> ops) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (Fop fop : Fop.values()) {
            OpStatistics statistics = ops.get(fop.text());
            if (statistics != null) {
                map.put(fop.text(), statistics.asMap());
            }
        }
        return map;
    }
}
