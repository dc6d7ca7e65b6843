package io.quoin.management.cli;

import io.quoin.management.operation.SnapshotDiff;
import io.quoin.management.operation.VolumeClient;
import io.quoin.qcow2.diff.DiffExtent;
import io.quoin.snapshot.SnapshotName;
import io.quoin.tools.terminal.ByteSize;
import io.quoin.tools.terminal.OutputOption;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code quoin snapshot diff}.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "diff",
        description = "Show what may differ between two snapshots of a disk.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Any two can be compared, in either order: nothing has to be recorded before. What is in"
                    + " no line",
            "is equal. What is in one may be equal too: something has written it. The disk itself"
                    + " can be",
            "compared while it is not attached.",
            "",
            "Examples:",
            "  quoin snapshot diff vm1@monday vm1@tuesday",
            "  quoin snapshot diff vm1@monday --output json"
        })
final class SnapshotDiffCommand extends DiskCommand.OnVolume {
    @Parameters(
            index = "0",
            paramLabel = "DISK@SNAPSHOT",
            description = "what to compare with, by name or id")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String older;

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "DISK@SNAPSHOT|DISK",
            description = "the newer one (default: the disk itself)")
    private @Nullable String newer;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    void run(VolumeClient client, OutputOption out) {
        NamedSnapshot from = NamedSnapshot.of(older);
        String to = newerSnapshot(from);
        PrintWriter writer = spec.commandLine().getOut();
        if (out.isJson()) {
            printJson(client, from, to, writer);
        } else {
            printTable(client, from, to, writer);
        }
        writer.flush();
    }

    private @Nullable String newerSnapshot(NamedSnapshot from) {
        String name = newer == null ? from.disk() : newer;
        boolean isSnapshot = SnapshotName.isOne(name);
        String disk = isSnapshot ? NamedSnapshot.of(name).disk() : name;
        if (!disk.equals(from.disk())) {
            throw new ParameterException(
                    spec.commandLine(),
                    "two snapshots of one disk expected: " + older + " and " + name);
        }
        return isSnapshot ? NamedSnapshot.of(name).snapshot() : null;
    }

    /** All extents, in as many calls as they take. */
    private static void tell(
            VolumeClient client,
            NamedSnapshot from,
            @Nullable String to,
            Consumer<DiffExtent> consumer) {
        Long start = 0L;
        while (start != null) {
            SnapshotDiff.Result result =
                    client.call(
                            SnapshotDiff.TYPE,
                            new SnapshotDiff.Request(
                                    from.disk(), from.snapshot(), to, start, null));
            result.extents().forEach(consumer);
            start = result.next();
        }
    }

    /** An extent a line: a difference can be long, and tools read it as it comes. */
    private static void printJson(
            VolumeClient client, NamedSnapshot from, @Nullable String to, PrintWriter writer) {
        writer.print('[');
        String[] separator = {""};
        tell(
                client,
                from,
                to,
                extent -> {
                    Map<String, Object> fields = new LinkedHashMap<>();
                    fields.put("start", extent.start());
                    fields.put("length", extent.length());
                    fields.put("zero", extent.zero());
                    writer.print(separator[0] + OutputOption.jsonLine(fields));
                    separator[0] = ",\n";
                });
        writer.println(']');
    }

    private static void printTable(
            VolumeClient client, NamedSnapshot from, @Nullable String to, PrintWriter writer) {
        String format = "%-18s %-18s %s%n";
        long[] bytes = new long[2];
        writer.printf(format, "OFFSET", "LENGTH", "KIND");
        tell(
                client,
                from,
                to,
                extent -> {
                    bytes[extent.zero() ? 1 : 0] += extent.length();
                    writer.printf(
                            format,
                            hex(extent.start()),
                            hex(extent.length()),
                            extent.zero() ? "zero" : "data");
                });
        writer.println(
                "Changed: "
                        + ByteSize.human(bytes[0])
                        + " of data, "
                        + ByteSize.human(bytes[1])
                        + " of zeros");
    }

    private static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }
}
