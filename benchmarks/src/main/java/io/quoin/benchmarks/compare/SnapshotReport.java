package io.quoin.benchmarks.compare;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;

/**
 * What snapshots cost: a Markdown table, or JSON with every single value.
 *
 * <p>Threading: immutable.
 */
final class SnapshotReport {
    private static final List<String> SERVERS = List.of(Contender.QUOIN, SnapshotServer.Qemu.NAME);

    private final List<SnapshotScenario> scenarios;
    private final List<SnapshotFigure> figures;

    SnapshotReport(List<SnapshotScenario> scenarios, List<SnapshotFigure> figures) {
        this.scenarios = List.copyOf(scenarios);
        this.figures = List.copyOf(figures);
    }

    String table() {
        StringBuilder table =
                new StringBuilder("| scenario | measured | quoin | qemu |\n|---|---|---:|---:|\n");
        for (SnapshotScenario scenario : scenarios) {
            for (String name : names(scenario)) {
                table.append("| ").append(scenario.label()).append(" | ").append(name);
                for (String server : SERVERS) {
                    table.append(" | ");
                    if (has(scenario, name, server)) {
                        double median = median(scenario, name, server);
                        table.append(Medians.format(median < 100 ? "%.2f" : "%.0f", median));
                    }
                }
                table.append(" |\n");
            }
        }
        return table.toString();
    }

    String json() throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode report = mapper.createObjectNode();
        ArrayNode nodes = report.putArray("scenarios");
        for (SnapshotScenario scenario : scenarios) {
            ObjectNode node = nodes.addObject();
            node.put("name", scenario.label()).put("title", scenario.title());
            ObjectNode medians = node.putObject("medians");
            for (String name : names(scenario)) {
                ObjectNode servers = medians.putObject(name);
                SERVERS.stream()
                        .filter(server -> has(scenario, name, server))
                        .forEach(server -> servers.put(server, median(scenario, name, server)));
            }
        }
        report.set("figures", mapper.valueToTree(figures));
        return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(report);
    }

    private List<String> names(SnapshotScenario scenario) {
        return of(scenario).map(SnapshotFigure::name).distinct().toList();
    }

    private Stream<SnapshotFigure> of(SnapshotScenario scenario) {
        return figures.stream().filter(one -> one.scenario().equals(scenario.label()));
    }

    private boolean has(SnapshotScenario scenario, String name, String server) {
        return of(scenario).anyMatch(one -> one.name().equals(name) && one.server().equals(server));
    }

    private double median(SnapshotScenario scenario, String name, String server) {
        List<SnapshotFigure> named = of(scenario).filter(one -> one.name().equals(name)).toList();
        return new Medians<>(
                        SERVERS,
                        named,
                        SnapshotFigure::name,
                        SnapshotFigure::server,
                        SnapshotFigure::value)
                .of(name, server, SnapshotFigure::value);
    }
}
