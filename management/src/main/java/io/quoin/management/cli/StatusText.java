package io.quoin.management.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.quoin.management.cli.terminal.Table;
import io.quoin.management.volume.ByteSize;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;

/**
 * A status for a person.
 *
 * <p>Threading: immutable.
 */
final class StatusText {
    private static final double MILLI_US = 1000;

    private StatusText() {}

    static void print(JsonNode status, PrintWriter out) {
        Duration uptime = Duration.ofSeconds(status.path("uptimeSeconds").asLong());
        out.println(
                "quoin "
                        + status.path("version").asText()
                        + ", pid "
                        + status.path("pid").asLong()
                        + ", up "
                        + uptime.toString().substring(2).toLowerCase(Locale.ROOT));
        out.println("data: " + status.path("data").asText());
        for (String address : new String[] {"socket", "tcp"}) {
            JsonNode value = status.path("nbd").path(address);
            if (value.isTextual()) {
                out.println("nbd " + address + ": " + value.asText());
            }
        }
        long failures = status.path("uncaughtFailures").asLong();
        if (failures > 0) {
            out.println(
                    "unexpected failures: " + failures + " (errors of the program; see the log)");
        }
        JsonNode memory = status.path("memory");
        out.println("memory: " + size(memory.path("limitBytes").asLong()) + memoryUses(memory));
        printBricks(status.path("bricks"), out);
        out.println();
        DiskCommand.printTable(status.path("disks"), out);
        printStatistics(status.path("statistics"), out);
    }

    private static String memoryUses(JsonNode memory) {
        StringBuilder text = new StringBuilder();
        for (JsonNode use : memory.path("uses")) {
            text.append(", ")
                    .append(use.path("name").asText())
                    .append(' ')
                    .append(size(use.path("usedBytes").asLong()))
                    .append(" of ")
                    .append(size(use.path("limitBytes").asLong()));
        }
        return text.toString();
    }

    private static void printBricks(JsonNode bricks, PrintWriter out) {
        out.println();
        Table table = new Table("BRICK", "DIRECTORY", ">SIZE", ">AVAILABLE");
        for (JsonNode brick : bricks) {
            table.row(
                    brick.path("name").asText(),
                    brick.path("directory").asText(),
                    size(brick.path("sizeBytes").asLong()),
                    size(brick.path("availableBytes").asLong()));
        }
        table.print(out);
    }

    private static String size(long bytes) {
        return bytes < 0 ? "-" : ByteSize.human(bytes);
    }

    /** What each node that measures operations has counted, from the top down. */
    private static void printStatistics(JsonNode node, PrintWriter out) {
        Table table =
                new Table(
                        "OPERATION", ">COUNT", ">BYTES", ">ERRORS", ">P50", ">P90", ">P99", ">MAX");
        boolean[] any = {false};
        node.path("values")
                .path("total")
                .properties()
                .forEach(
                        operation -> {
                            if (operation.getValue().path("count").asLong() > 0) {
                                any[0] = true;
                                row(table, operation.getKey(), operation.getValue());
                            }
                        });
        if (any[0]) {
            out.println();
            out.println(node.path("name").asText() + " (" + node.path("type").asText() + ")");
            table.print(out);
        }
        for (JsonNode below : node.path("subvolumes")) {
            printStatistics(below, out);
        }
    }

    private static void row(Table table, String name, JsonNode counts) {
        JsonNode latency = counts.path("latency");
        table.row(
                name,
                counts.path("count").asLong(),
                ByteSize.human(counts.path("bytes").asLong()),
                counts.path("errors").asLong(),
                time(latency.path("p50-us")),
                time(latency.path("p90-us")),
                time(latency.path("p99-us")),
                time(latency.path("max-us")));
    }

    private static String time(JsonNode micros) {
        double value = micros.asDouble();
        return value < MILLI_US
                ? String.format(Locale.ROOT, "%.0f us", value)
                : String.format(Locale.ROOT, "%.1f ms", value / MILLI_US);
    }
}
