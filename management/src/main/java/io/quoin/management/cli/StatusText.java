package io.quoin.management.cli;

import io.quoin.management.operation.MemoryView;
import io.quoin.management.operation.StatusView;
import io.quoin.management.operation.VolumeView;
import io.quoin.tools.terminal.ByteSize;
import io.quoin.tools.terminal.Table;
import io.quoin.xlator.StorageSpace;
import io.quoin.xlator.graph.NodeStatistics;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A status for a person.
 *
 * <p>Threading: immutable.
 */
final class StatusText {
    private static final double MILLI_US = 1000;

    private StatusText() {}

    static void print(StatusView status, PrintWriter out) {
        Duration uptime = Duration.ofSeconds(status.uptimeSeconds());
        out.println(
                "quoin "
                        + status.version()
                        + ", pid "
                        + status.pid()
                        + ", up "
                        + uptime.toString().substring(2).toLowerCase(Locale.ROOT));
        out.println("data: " + status.data());
        if (status.nbd().socket() != null) {
            out.println("nbd socket: " + status.nbd().socket());
        }
        if (status.nbd().tcp() != null) {
            out.println("nbd tcp: " + status.nbd().tcp());
        }
        if (status.uncaughtFailures() > 0) {
            out.println(
                    "unexpected failures: "
                            + status.uncaughtFailures()
                            + " (errors of the program; see the log)");
        }
        StorageSpace space = status.space();
        if (space != null) {
            out.println(
                    "space: "
                            + size(space.availableBytes())
                            + " available of "
                            + size(space.sizeBytes()));
        }
        MemoryView memory = status.memory();
        out.println("memory: " + size(memory.limitBytes()) + memoryUses(memory));
        printVolumes(status.volumes(), out);
        printBricks(status.bricks(), out);
        out.println();
        DiskCommand.printTable(status.disks(), out);
        printClients(status.clients(), out);
        printStatistics(status.statistics(), out);
    }

    private static String memoryUses(MemoryView memory) {
        StringBuilder text = new StringBuilder();
        for (MemoryView.Use use : memory.uses()) {
            text.append(", ")
                    .append(use.name())
                    .append(' ')
                    .append(size(use.usedBytes()))
                    .append(" of ")
                    .append(size(use.limitBytes()));
        }
        return text.toString();
    }

    /** Where there are others than the default one. */
    private static void printVolumes(List<VolumeView> volumes, PrintWriter out) {
        if (volumes.stream().anyMatch(volume -> volume.id() != null)) {
            out.println();
            VolumeCommand.printTable(volumes, out);
        }
    }

    private static void printBricks(List<StatusView.Brick> bricks, PrintWriter out) {
        out.println();
        Table table = new Table("BRICK", "DIRECTORY", ">SIZE", ">AVAILABLE");
        for (StatusView.Brick brick : bricks) {
            table.row(
                    brick.name(),
                    brick.directory(),
                    size(brick.sizeBytes()),
                    size(brick.availableBytes()));
        }
        table.print(out);
    }

    private static void printClients(List<StatusView.Client> clients, PrintWriter out) {
        if (clients.isEmpty()) {
            return;
        }
        out.println();
        Table table = new Table("CLIENT", "DISK", "SINCE", ">IN FLIGHT", ">REQUESTS");
        for (StatusView.Client client : clients) {
            table.row(
                    client.pid() == null
                            ? client.peer()
                            : "process " + client.pid() + ", user " + client.uid(),
                    client.disk().isEmpty() ? "-" : client.disk(),
                    client.since(),
                    client.inFlight(),
                    client.requests());
        }
        table.print(out);
    }

    private static String size(long bytes) {
        return bytes < 0 ? "-" : ByteSize.human(bytes);
    }

    /** What each node that measures operations has counted, from the top down. */
    private static void printStatistics(NodeStatistics node, PrintWriter out) {
        Table table =
                new Table(
                        "OPERATION", ">COUNT", ">BYTES", ">ERRORS", ">P50", ">P90", ">P99", ">MAX");
        boolean any = false;
        for (Map.Entry<?, ?> operation : map(node.values().get("total")).entrySet()) {
            Map<?, ?> counts = map(operation.getValue());
            if (number(counts, "count") > 0) {
                any = true;
                row(table, String.valueOf(operation.getKey()), counts);
            }
        }
        if (any) {
            out.println();
            out.println(node.name() + " (" + node.type() + ")");
            table.print(out);
        }
        for (NodeStatistics below : node.subvolumes()) {
            printStatistics(below, out);
        }
    }

    private static void row(Table table, String name, Map<?, ?> counts) {
        Map<?, ?> latency = map(counts.get("latency"));
        table.row(
                name,
                (long) number(counts, "count"),
                ByteSize.human((long) number(counts, "bytes")),
                (long) number(counts, "errors"),
                time(number(latency, "p50-us")),
                time(number(latency, "p90-us")),
                time(number(latency, "p99-us")),
                time(number(latency, "max-us")));
    }

    private static Map<?, ?> map(@Nullable Object value) {
        return value instanceof Map<?, ?> map ? map : Map.of();
    }

    private static double number(Map<?, ?> values, String name) {
        return values.get(name) instanceof Number number ? number.doubleValue() : 0;
    }

    private static String time(double micros) {
        return micros < MILLI_US
                ? String.format(Locale.ROOT, "%.0f us", micros)
                : String.format(Locale.ROOT, "%.1f ms", micros / MILLI_US);
    }
}
