package io.quoin.management.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quoin.management.cli.terminal.CheckFindings;
import io.quoin.management.cli.terminal.CheckText;
import io.quoin.management.cli.terminal.ProgressOutput;
import io.quoin.management.daemon.Commands;
import io.quoin.management.volume.CheckEvents;
import io.quoin.qcow2.check.CheckResult;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code quoin disk check}.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "check",
        description =
                "Check the image of a disk while guests use it, and give leaked clusters back.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Guests go on reading, writing and flushing. Nothing is changed without --repair; what is",
            "found is reported, and the disk stays in service. Backing files are not looked into.",
            "",
            "Exit codes: 0 consistent, 1 not completed, 2 corrupt, 3 leaked clusters alone,",
            "63 the format has no check.",
            "",
            "Examples:",
            "  quoin disk check vm1",
            "  quoin disk check --repair leaks vm1"
        })
final class DiskCheckCommand implements Callable<Integer> {
    /** What may be repaired. */
    enum Repair {
        leaks,
        all
    }

    @Parameters(paramLabel = "NAME", description = "name of the disk")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String name;

    @Option(
            names = {"-r", "--repair"},
            paramLabel = "WHAT",
            description =
                    "leaks: give leaked clusters back, unless there are corruptions; all: offline"
                            + " only, see quoin image check")
    private @Nullable Repair repair;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private DataOption data;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private ProgressOutput output;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter err = spec.commandLine().getErr();
        JsonNode result;
        try (Commands commands = VolumeAccess.open(data, false);
                CheckFindings findings = new CheckFindings(err, output.progress("checking"))) {
            result = commands.call("disk.check", arguments(), new Told(findings));
        }
        if (!result.path("has-check").asBoolean()) {
            err.println("quoin: disk has no check, as its image is not qcow2: name=" + name);
            err.flush();
            return CheckResult.EXIT_NO_CHECK;
        }
        output.print(result, out -> print(result, out));
        return CheckResult.exitCode(
                result.path("check-errors").asLong(),
                result.path("corruptions").asLong(),
                result.path("leaks").asLong());
    }

    private ObjectNode arguments() {
        ObjectNode arguments = DiskCommand.OnVolume.named(name);
        return repair == null ? arguments : arguments.put("repair", repair.name());
    }

    private static void print(JsonNode result, PrintWriter out) {
        CheckText.print(field -> result.path(field).asLong(), out);
        out.println("counted ahead: " + result.path("counted-ahead-clusters").asLong());
    }

    private record Told(CheckFindings findings) implements CheckEvents {
        @Override
        public boolean progress(long done, long total) {
            findings.progress(done, total);
            return true;
        }

        @Override
        public void finding(String text) {
            findings.finding(text);
        }
    }
}
