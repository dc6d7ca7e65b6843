package io.quoin.benchmarks.compare;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.List;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/**
 * What many disks and a large one cost: a Markdown table, or JSON with every single load.
 *
 * <p>Threading: immutable.
 */
final class ManyReport {
    private static final double MEBIBYTE = 1 << 20;

    private final List<ManyScenario> scenarios;
    private final List<ManyRun> runs;

    ManyReport(List<ManyScenario> scenarios, List<ManyRun> runs) {
        this.scenarios = List.copyOf(scenarios);
        this.runs = List.copyOf(runs);
    }

    String table() {
        StringBuilder table =
                new StringBuilder("| scenario | load | server | IOPS | of ")
                        .append("the first | p50 us | p99 us | errors | peak resident MiB |")
                        .append(" tables MiB | cache MiB | image files open | server up |\n")
                        .append("|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|\n");
        for (ManyScenario scenario : scenarios) {
            for (String load : loads(scenario)) {
                Figures of = figures(scenario, load);
                table.append(
                        Medians.format(
                                "| %s | %s | %s | %.0f | %.2f | %.0f | %.0f | %d | %.0f | %.1f | %.1f | %d | %s |%n",
                                scenario.name(),
                                load,
                                of.server(),
                                of.iops(),
                                of.ratio(),
                                of.p50Micros(),
                                of.p99Micros(),
                                of.errors(),
                                of.peakMebibytes(),
                                of.tablesMebibytes(),
                                of.cacheMebibytes(),
                                of.imageFiles(),
                                of.isUp() ? "yes" : "no"));
            }
        }
        return table.toString();
    }

    String json() throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode report = mapper.createObjectNode();
        ArrayNode nodes = report.putArray("scenarios");
        for (ManyScenario scenario : scenarios) {
            ObjectNode node = nodes.addObject();
            node.put("name", scenario.name()).put("title", scenario.title());
            ObjectNode loads = node.putObject("loads");
            for (String load : loads(scenario)) {
                loads.set(load, mapper.valueToTree(figures(scenario, load)));
            }
        }
        report.set("runs", mapper.valueToTree(runs));
        return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(report);
    }

    /** The first of them is what the others are compared with. */
    private List<String> loads(ManyScenario scenario) {
        List<String> loads = of(scenario).map(ManyRun::load).distinct().toList();
        String first = scenario == ManyScenario.large ? Contender.QUOIN : ManyComparison.ONE;
        return Stream.concat(
                        loads.stream().filter(first::equals),
                        loads.stream().filter(load -> !load.equals(first)))
                .toList();
    }

    Figures figures(ManyScenario scenario, String load) {
        List<String> loads = loads(scenario);
        Medians<ManyRun> medians =
                new Medians<>(loads, runs, ManyRun::scenario, ManyRun::load, ManyRun::iops);
        String name = scenario.name();
        return new Figures(
                of(scenario, load).map(ManyRun::server).findFirst().orElse(""),
                medians.of(name, load, ManyRun::iops),
                medians.of(name, load, ManyRun::iops)
                        / medians.of(name, loads.get(0), ManyRun::iops),
                medians.of(name, load, ManyRun::p50Micros),
                medians.of(name, load, ManyRun::p99Micros),
                of(scenario, load).mapToLong(run -> run.result().errors()).sum(),
                highest(scenario, load, ManyRun::peakBytes) / MEBIBYTE,
                highest(scenario, load, run -> run.status().tablesBytes()) / MEBIBYTE,
                highest(scenario, load, run -> run.status().cacheBytes()) / MEBIBYTE,
                highest(scenario, load, run -> run.status().imageFiles()),
                of(scenario, load).allMatch(ManyRun::isUp));
    }

    private Stream<ManyRun> of(ManyScenario scenario) {
        return runs.stream().filter(run -> run.scenario().equals(scenario.name()));
    }

    private Stream<ManyRun> of(ManyScenario scenario, String load) {
        return of(scenario).filter(run -> run.load().equals(load));
    }

    private long highest(ManyScenario scenario, String load, ToLongFunction<ManyRun> value) {
        return of(scenario, load).mapToLong(value).max().orElse(0);
    }

    /**
     * A line of the table: medians of the rounds, sums of errors, and the most of what is held.
     *
     * @param ratio its IOPS as a multiple of the first load's
     */
    record Figures(
            String server,
            double iops,
            double ratio,
            double p50Micros,
            double p99Micros,
            long errors,
            double peakMebibytes,
            double tablesMebibytes,
            double cacheMebibytes,
            long imageFiles,
            boolean isUp) {}
}
