package io.quoin.benchmarks.compare;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.List;

/**
 * What guests keep beside floods: a Markdown table, or JSON with every single round.
 *
 * <p>Threading: immutable.
 */
final class FloodReport {
    private static final double MEBIBYTE = 1 << 20;

    private final List<FloodKind> kinds;
    private final Medians<FloodRun> medians;

    FloodReport(List<FloodKind> kinds, List<String> servers, List<FloodRun> runs) {
        this.kinds = List.copyOf(kinds);
        medians = new Medians<>(servers, runs, FloodRun::kind, FloodRun::server, FloodRun::kept);
    }

    String table() {
        StringBuilder table =
                new StringBuilder("| flood | server | guest IOPS alone | beside | kept |")
                        .append(" p50 us: alone / beside | p99 us: alone / beside | errors |")
                        .append(" flood, each second | connections lost | peak resident MiB |\n")
                        .append("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
        for (FloodKind kind : kinds) {
            for (String server : medians.contenders()) {
                if (!medians.has(kind.label(), server)) {
                    table.append(
                            Medians.format(
                                    "| %s | %s | ended | | | | | | | | |%n", kind.label(), server));
                    continue;
                }
                Figures of = figures(kind, server);
                table.append(
                        Medians.format(
                                "| %s | %s | %.0f | %.0f | %.2f | %.0f / %.0f | %.0f / %.0f |"
                                        + " %d | %.0f | %.0f | %.0f |%n",
                                kind.label(),
                                server,
                                of.aloneIops(),
                                of.besideIops(),
                                of.kept(),
                                of.aloneP50Micros(),
                                of.besideP50Micros(),
                                of.aloneP99Micros(),
                                of.besideP99Micros(),
                                of.errors(),
                                of.floodPerSecond(),
                                of.lost(),
                                of.peakMebibytes()));
            }
        }
        return table.toString();
    }

    String json() throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode report = mapper.createObjectNode();
        ArrayNode floods = report.putArray("floods");
        for (FloodKind kind : kinds) {
            ObjectNode node = floods.addObject();
            node.put("name", kind.label()).put("title", kind.title());
            ObjectNode servers = node.putObject("medians");
            for (String server : medians.contenders()) {
                if (medians.has(kind.label(), server)) {
                    servers.set(server, mapper.valueToTree(figures(kind, server)));
                } else {
                    servers.putNull(server); // it has ended in each round
                }
            }
        }
        report.set("runs", mapper.valueToTree(medians.measured()));
        return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(report);
    }

    Figures figures(FloodKind kind, String server) {
        String row = kind.label();
        return new Figures(
                medians.of(row, server, run -> run.alone().iops()),
                medians.of(row, server, run -> run.beside().iops()),
                medians.of(row, server, FloodRun::kept),
                medians.of(row, server, run -> run.alone().p50Micros()),
                medians.of(row, server, run -> run.beside().p50Micros()),
                medians.of(row, server, run -> run.alone().p99Micros()),
                medians.of(row, server, run -> run.beside().p99Micros()),
                medians.measured().stream()
                        .filter(run -> run.kind().equals(row) && run.server().equals(server))
                        .mapToLong(FloodRun::errors)
                        .sum(),
                medians.of(row, server, FloodRun::floodPerSecond),
                medians.of(row, server, FloodRun::lost),
                medians.of(row, server, run -> run.peakBytes() / MEBIBYTE));
    }

    /** A line of the table: medians of the rounds, and the sum of the guest's errors. */
    record Figures(
            double aloneIops,
            double besideIops,
            double kept,
            double aloneP50Micros,
            double besideP50Micros,
            double aloneP99Micros,
            double besideP99Micros,
            long errors,
            double floodPerSecond,
            double lost,
            double peakMebibytes) {}
}
