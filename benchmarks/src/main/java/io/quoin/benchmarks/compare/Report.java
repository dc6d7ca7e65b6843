package io.quoin.benchmarks.compare;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The measurements as medians and ratios: a Markdown table that reads well on a terminal too, or
 * JSON with every single measurement.
 *
 * <p>Threading: immutable.
 */
final class Report {
    private final List<Row> rows;
    private final Medians<Measurement> medians;

    /**
     * @param servers the first of which the others are compared with
     */
    Report(List<Row> rows, List<String> servers, List<Measurement> measurements) {
        this.rows = rows;
        this.medians =
                new Medians<>(
                        servers,
                        measurements,
                        Measurement::row,
                        Measurement::server,
                        Measurement::figure);
    }

    String table() {
        List<String> servers = medians.contenders();
        List<String> others = medians.others();
        StringBuilder table = new StringBuilder("| row | unit |");
        servers.forEach(server -> table.append(' ').append(server).append(" |"));
        others.forEach(other -> table.append(" x ").append(other).append(" |"));
        table.append(" server CPU us per request: ").append(String.join(" / ", servers));
        table.append(" | p99 us |\n|---|---|");
        table.append("---:|".repeat(servers.size() + others.size() + 2)).append('\n');
        for (Row one : rows) {
            String row = one.name();
            table.append("| ").append(one.title()).append(" | ").append(one.unit().label());
            table.append(" |");
            for (String server : servers) {
                double figure = medians.of(row, server, Measurement::figure);
                table.append(Medians.format(" %.0f |", figure));
            }
            for (String other : others) {
                table.append(Medians.format(" %.2f |", medians.ratio(row, other)));
            }
            table.append(' ').append(medians.each(row, "%.1f", Measurement::cpuMicrosPerRequest));
            table.append(" | ").append(medians.each(row, "%.0f", Measurement::p99Micros));
            table.append(" |\n");
        }
        table.append("\nResident memory, highest after any row: ");
        table.append(
                servers.stream()
                        .map(
                                server ->
                                        Medians.format(
                                                "%s %.0f MiB", server, residentMebibytes(server)))
                        .collect(Collectors.joining(", ")));
        return table.append(".\n").toString();
    }

    String json() throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode report = mapper.createObjectNode();
        ArrayNode rowNodes = report.putArray("rows");
        for (Row one : rows) {
            String row = one.name();
            ObjectNode node = rowNodes.addObject();
            node.put("name", row).put("title", one.title()).put("unit", one.unit().label());
            ObjectNode servers = node.putObject("medians");
            for (String server : medians.contenders()) {
                ObjectNode median = servers.putObject(server);
                median.put("figure", medians.of(row, server, Measurement::figure));
                median.put("p99Micros", medians.of(row, server, Measurement::p99Micros));
                median.put(
                        "cpuMicrosPerRequest",
                        medians.of(row, server, Measurement::cpuMicrosPerRequest));
            }
            ObjectNode ratios = node.putObject("ratios");
            medians.others().forEach(other -> ratios.put(other, medians.ratio(row, other)));
        }
        ObjectNode memory = report.putObject("residentMebibytes");
        medians.contenders().forEach(server -> memory.put(server, residentMebibytes(server)));
        report.set("measurements", mapper.valueToTree(medians.measured()));
        return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(report);
    }

    /** The first server's median as a multiple of another's. */
    double ratio(Row row, String other) {
        return medians.ratio(row.name(), other);
    }

    private double residentMebibytes(String server) {
        return medians.measured().stream()
                        .filter(one -> one.server().equals(server))
                        .mapToLong(Measurement::residentBytes)
                        .max()
                        .orElse(0)
                / (double) (1 << 20);
    }
}
