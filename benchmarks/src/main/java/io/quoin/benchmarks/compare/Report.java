package io.quoin.benchmarks.compare;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/**
 * The measurements as medians and ratios: a Markdown table that reads well on a terminal too, or
 * JSON with every single measurement.
 *
 * <p>Threading: immutable.
 */
final class Report {
    private final List<Row> rows;
    private final List<String> servers;
    private final List<Measurement> measurements;

    Report(List<Row> rows, List<String> servers, List<Measurement> measurements) {
        this.rows = rows;
        this.servers = servers;
        this.measurements = List.copyOf(measurements);
    }

    String table() {
        StringBuilder table = new StringBuilder("| row | unit |");
        servers.forEach(server -> table.append(' ').append(server).append(" |"));
        others().forEach(other -> table.append(" x ").append(other).append(" |"));
        table.append(" server CPU us per request: ").append(String.join(" / ", servers));
        table.append(" | p99 us |\n|---|---|");
        table.append("---:|".repeat(servers.size() + others().size())).append("---:|---:|\n");
        for (Row row : rows) {
            table.append("| ").append(row.title()).append(" | ").append(row.unit().label());
            table.append(" |");
            for (String server : servers) {
                table.append(format(" %.0f |", median(row, server, Measurement::figure)));
            }
            for (String other : others()) {
                table.append(format(" %.2f |", ratio(row, other)));
            }
            table.append(' ').append(each(row, "%.1f", Measurement::cpuMicrosPerRequest));
            table.append(" | ").append(each(row, "%.0f", Measurement::p99Micros)).append(" |\n");
        }
        table.append("\nResident memory, highest after any row: ");
        table.append(
                servers.stream()
                        .map(server -> format("%s %.0f MiB", server, residentMebibytes(server)))
                        .reduce((first, second) -> first + ", " + second)
                        .orElse(""));
        return table.append(".\n").toString();
    }

    String json() throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode report = mapper.createObjectNode();
        ArrayNode rowNodes = report.putArray("rows");
        for (Row row : rows) {
            ObjectNode node = rowNodes.addObject();
            node.put("name", row.name()).put("title", row.title()).put("unit", row.unit().label());
            ObjectNode medians = node.putObject("medians");
            for (String server : servers) {
                ObjectNode median = medians.putObject(server);
                median.put("figure", median(row, server, Measurement::figure));
                median.put("p99Micros", median(row, server, Measurement::p99Micros));
                median.put(
                        "cpuMicrosPerRequest",
                        median(row, server, Measurement::cpuMicrosPerRequest));
            }
            ObjectNode ratios = node.putObject("ratios");
            others().forEach(other -> ratios.put(other, ratio(row, other)));
        }
        ObjectNode memory = report.putObject("residentMebibytes");
        servers.forEach(server -> memory.put(server, residentMebibytes(server)));
        report.set("measurements", mapper.valueToTree(measurements));
        return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(report);
    }

    /** The first server's median as a multiple of another's. */
    double ratio(Row row, String other) {
        return median(row, servers.get(0), Measurement::figure)
                / median(row, other, Measurement::figure);
    }

    private List<String> others() {
        return servers.subList(1, servers.size());
    }

    private String each(Row row, String pattern, ToDoubleFunction<Measurement> value) {
        return servers.stream()
                .map(server -> format(pattern, median(row, server, value)))
                .reduce((first, second) -> first + " / " + second)
                .orElse("");
    }

    private double residentMebibytes(String server) {
        return measurements.stream()
                        .filter(one -> one.server().equals(server))
                        .mapToLong(Measurement::residentBytes)
                        .max()
                        .orElse(0)
                / (double) (1 << 20);
    }

    double median(Row row, String server, ToDoubleFunction<Measurement> value) {
        double[] sorted =
                measurements.stream()
                        .filter(one -> one.row().equals(row.name()) && one.server().equals(server))
                        .mapToDouble(value)
                        .sorted()
                        .toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
