package io.quoin.management.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.quoin.management.volume.ByteSize;
import java.io.PrintWriter;
import java.time.Duration;

/**
 * A status for a person.
 *
 * <p>Threading: immutable.
 */
final class StatusText {
    private StatusText() {}

    static void print(JsonNode status, PrintWriter out) {
        Duration uptime = Duration.ofSeconds(status.path("uptimeSeconds").asLong());
        out.println(
                "quoin "
                        + status.path("version").asText()
                        + ", pid "
                        + status.path("pid").asLong()
                        + ", up "
                        + uptime.toString().substring(2).toLowerCase(java.util.Locale.ROOT));
        out.println("data: " + status.path("data").asText());
        for (String address : new String[] {"socket", "tcp"}) {
            JsonNode value = status.path("nbd").path(address);
            if (value.isTextual()) {
                out.println("nbd " + address + ": " + value.asText());
            }
        }
        printBricks(status.path("bricks"), out);
        out.println();
        DiskCommand.printTable(status.path("disks"), out);
        printStatistics(status.path("statistics"), out);
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

    /** The operations of each node that counts them, from the top down. */
    private static void printStatistics(JsonNode node, PrintWriter out) {
        JsonNode operations = node.path("values").path("operations");
        if (operations.isObject() && !operations.isEmpty()) {
            out.println();
            out.println(node.path("name").asText() + " (" + node.path("type").asText() + ")");
            out.println(operations.toPrettyString());
        }
        for (JsonNode below : node.path("subvolumes")) {
            printStatistics(below, out);
        }
    }
}
