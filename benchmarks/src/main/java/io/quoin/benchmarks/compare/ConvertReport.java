package io.quoin.benchmarks.compare;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/**
 * Conversions as medians and ratios: a Markdown table, or JSON with every single one.
 *
 * <p>Threading: immutable.
 */
final class ConvertReport {
    private final List<String> tools;
    private final List<ConvertRun> runs;

    /**
     * @param tools the first of which the others are compared with
     */
    ConvertReport(List<String> tools, List<ConvertRun> runs) {
        this.tools = tools;
        this.runs = List.copyOf(runs);
    }

    String table() {
        StringBuilder table = new StringBuilder("| conversion |");
        tools.forEach(tool -> table.append(' ').append(tool).append(" s |"));
        others().forEach(other -> table.append(" of ").append(other).append(" |"));
        String all = String.join(" / ", tools);
        table.append(" CPU s: ").append(all).append(" | memory MiB | result MiB |\n|---|");
        table.append("---:|".repeat(tools.size() + others().size() + 3)).append('\n');
        for (ConvertRow row : ConvertRow.ALL) {
            table.append("| ").append(row.name()).append(" |");
            tools.forEach(
                    tool ->
                            table.append(
                                    format(" %.2f |", median(row, tool, ConvertRun::seconds))));
            others().forEach(other -> table.append(format(" %.2f |", ratio(row, other))));
            table.append(' ').append(each(row, "%.2f", ConvertRun::cpuSeconds)).append(" |");
            table.append(' ').append(each(row, "%.0f", ConvertRun::residentMebibytes)).append(" |");
            table.append(' ').append(each(row, "%.0f", ConvertRun::fileMebibytes)).append(" |\n");
        }
        return table.toString();
    }

    String json() throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode report = mapper.createObjectNode();
        ArrayNode rows = report.putArray("conversions");
        for (ConvertRow row : ConvertRow.ALL) {
            ObjectNode node = rows.addObject().put("name", row.name());
            ObjectNode medians = node.putObject("medians");
            for (String tool : tools) {
                ObjectNode median = medians.putObject(tool);
                median.put("seconds", median(row, tool, ConvertRun::seconds));
                median.put("cpuSeconds", median(row, tool, ConvertRun::cpuSeconds));
                median.put("residentMebibytes", median(row, tool, ConvertRun::residentMebibytes));
                median.put("fileMebibytes", median(row, tool, ConvertRun::fileMebibytes));
            }
            ObjectNode ratios = node.putObject("ratios");
            others().forEach(other -> ratios.put(other, ratio(row, other)));
        }
        report.set("runs", mapper.valueToTree(runs));
        return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(report);
    }

    /** The first tool's time as a multiple of another's: below 1 it is faster. */
    double ratio(ConvertRow row, String other) {
        return median(row, tools.get(0), ConvertRun::seconds)
                / median(row, other, ConvertRun::seconds);
    }

    private List<String> others() {
        return tools.subList(1, tools.size());
    }

    private String each(ConvertRow row, String pattern, ToDoubleFunction<ConvertRun> value) {
        return tools.stream()
                .map(tool -> format(pattern, median(row, tool, value)))
                .collect(Collectors.joining(" / "));
    }

    private double median(ConvertRow row, String tool, ToDoubleFunction<ConvertRun> value) {
        double[] sorted =
                runs.stream()
                        .filter(run -> run.row().equals(row.name()) && run.tool().equals(tool))
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
