package io.quoin.management.cli;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.definition.VolumeOptions;
import io.quoin.management.operation.VolumeClient;
import io.quoin.management.operation.VolumeGet;
import io.quoin.management.operation.VolumeReset;
import io.quoin.management.operation.VolumeSet;
import io.quoin.tools.terminal.OutputOption;
import io.quoin.tools.terminal.Table;
import io.quoin.xlator.graph.NearestName;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code quoin volume set}, {@code get} and {@code reset}.
 *
 * <p>Threading: confined to the main thread.
 */
final class VolumeOptionCommands {
    private static final String ALL = "all";

    private VolumeOptionCommands() {}

    private static void print(VolumeSet.Result result, PrintWriter writer) {
        for (VolumeSet.Change change : result.changes()) {
            writer.println(
                    change.option()
                            + ": "
                            + (change.isInEffect()
                                    ? "in effect"
                                    : "in effect from the next start of " + result.name() + " on"));
        }
    }

    /** {@code quoin volume set}. */
    @Command(
            name = "set",
            description = "Set options of a volume.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "Examples:",
                "  quoin volume set safe qcow2.cache-size 64M",
                "  quoin volume set safe client.tls-ca /etc/quoin/ca.pem \\",
                "      client.tls-cert /etc/quoin/gateway.pem client.tls-key /etc/quoin/gateway.key"
            })
    static final class Set extends VolumeCommand.OnOne {
        @Parameters(
                index = "1..*",
                arity = "2..*",
                paramLabel = "KEY VALUE",
                description = "an option, as quoin volume get NAME all shows it, and its value")
        private List<String> words = new ArrayList<>();

        @Spec
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private CommandSpec spec;

        @Override
        void run(VolumeClient client, OutputOption out) {
            if (words.size() % 2 != 0) {
                throw new ParameterException(
                        spec.commandLine(), "value missing: option=" + words.get(words.size() - 1));
            }
            Map<String, String> options = new LinkedHashMap<>();
            for (int i = 0; i < words.size(); i += 2) {
                options.put(words.get(i), words.get(i + 1));
            }
            VolumeSet.Result result =
                    client.call(VolumeSet.TYPE, new VolumeSet.Request(name(), options));
            out.print(result, writer -> print(result, writer));
        }
    }

    /** {@code quoin volume get}. */
    @Command(
            name = "get",
            description = "Show options of a volume.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "Examples:",
                "  quoin volume get safe all",
                "  quoin volume get safe qcow2.cache-size"
            })
    static final class Get extends VolumeCommand.OnOne {
        @Parameters(
                index = "1",
                arity = "0..1",
                paramLabel = "KEY|all",
                description = "which option (default: ${DEFAULT-VALUE})",
                defaultValue = ALL)
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String key;

        @Override
        void run(VolumeClient client, OutputOption out) {
            List<VolumeOptions.Value> all =
                    client.call(VolumeGet.TYPE, new VolumeGet.Request(name())).options();
            List<VolumeOptions.Value> wanted =
                    all.stream().filter(o -> key.equals(ALL) || o.name().equals(key)).toList();
            if (wanted.isEmpty()) {
                throw new BlockException(
                        BlockError.EINVAL,
                        NearestName.unknown(
                                "option of the volume",
                                key,
                                all.stream().map(VolumeOptions.Value::name).toList()));
            }
            out.print(wanted, writer -> printTable(wanted, writer));
        }

        private static void printTable(List<VolumeOptions.Value> options, PrintWriter writer) {
            Table table = new Table("OPTION", "VALUE", "DEFAULT", "EXPECTED");
            for (VolumeOptions.Value option : options) {
                table.row(
                        option.name(),
                        shown(option.value()),
                        shown(option.defaultValue()),
                        option.expected());
            }
            table.print(writer);
        }

        private static String shown(String value) {
            return value.isEmpty() ? "-" : value;
        }
    }

    /** {@code quoin volume reset}. */
    @Command(
            name = "reset",
            description = "Take options of a volume back to their defaults.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "Without KEY: all that were set.",
                "",
                "Examples:",
                "  quoin volume reset safe qcow2.cache-size",
                "  quoin volume reset safe"
            })
    static final class Reset extends VolumeCommand.OnOne {
        @Parameters(
                index = "1..*",
                arity = "0..*",
                paramLabel = "KEY",
                description = "an option, as quoin volume get NAME all shows it")
        private List<String> keys = new ArrayList<>();

        @Override
        void run(VolumeClient client, OutputOption out) {
            VolumeSet.Result result =
                    client.call(
                            VolumeReset.TYPE,
                            new VolumeReset.Request(name(), keys.isEmpty() ? null : keys));
            out.print(result, writer -> print(result, writer));
        }
    }
}
