package io.quoin.benchmarks.compare;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.List;

/**
 * Conversions as medians and ratios: a Markdown table, or JSON with every single one.
 *
 * <p>Threading: immutable.
 */
final class ConvertReport {
    private final Medians<ConvertRun> medians;

    /**
     * @param tools the first of which the others are compared with
     */
    ConvertReport(List<String> tools, List<ConvertRun> runs) {
        medians =
                new Medians<>(tools, runs, ConvertRun::row, ConvertRun::tool, ConvertRun::seconds);
    }

    String table() {
        List<String> tools = medians.contenders();
        List<String> others = medians.others();
        StringBuilder table = new StringBuilder("| conversion |");
        tools.forEach(tool -> table.append(' ').append(tool).append(" s |"));
        others.forEach(other -> table.append(" of ").append(other).append(" |"));
        String all = String.join(" / ", tools);
        table.append(" CPU s: ").append(all).append(" | memory MiB | result MiB |\n|---|");
        table.append("---:|".repeat(tools.size() + others.size() + 3)).append('\n');
        for (ConvertRow one : ConvertRow.ALL) {
            String row = one.name();
            table.append("| ").append(row).append(" |");
            for (String tool : tools) {
                double seconds = medians.of(row, tool, ConvertRun::seconds);
                table.append(Medians.format(" %.2f |", seconds));
            }
            for (String other : others) {
                table.append(Medians.format(" %.2f |", medians.ratio(row, other)));
            }
            table.append(' ').append(medians.each(row, "%.2f", ConvertRun::cpuSeconds));
            table.append(" | ").append(medians.each(row, "%.0f", ConvertRun::residentMebibytes));
            table.append(" | ").append(medians.each(row, "%.0f", ConvertRun::fileMebibytes));
            table.append(" |\n");
        }
        return table.toString();
    }

    String json() throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode report = mapper.createObjectNode();
        ArrayNode rows = report.putArray("conversions");
        for (ConvertRow one : ConvertRow.ALL) {
            String row = one.name();
            ObjectNode node = rows.addObject().put("name", row);
            ObjectNode tools = node.putObject("medians");
            for (String tool : medians.contenders()) {
                ObjectNode median = tools.putObject(tool);
                median.put("seconds", medians.of(row, tool, ConvertRun::seconds));
                median.put("cpuSeconds", medians.of(row, tool, ConvertRun::cpuSeconds));
                median.put(
                        "residentMebibytes", medians.of(row, tool, ConvertRun::residentMebibytes));
                median.put("fileMebibytes", medians.of(row, tool, ConvertRun::fileMebibytes));
            }
            ObjectNode ratios = node.putObject("ratios");
            medians.others().forEach(other -> ratios.put(other, medians.ratio(row, other)));
        }
        report.set("runs", mapper.valueToTree(medians.measured()));
        return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(report);
    }

    /** The first tool's time as a multiple of another's: below 1 it is faster. */
    double ratio(ConvertRow row, String other) {
        return medians.ratio(row.name(), other);
    }
}
