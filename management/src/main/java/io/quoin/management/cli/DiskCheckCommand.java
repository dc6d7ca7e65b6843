package io.quoin.management.cli;

import io.quoin.management.job.JobView;
import io.quoin.management.operation.DiskCheck;
import io.quoin.management.operation.JobFollower;
import io.quoin.management.operation.VolumeClient;
import io.quoin.qcow2.check.CheckResult;
import io.quoin.tools.terminal.CheckFindings;
import io.quoin.tools.terminal.CheckText;
import io.quoin.tools.terminal.ProgressOutput;
import java.io.PrintWriter;
import java.util.Map;
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
            "Guests go on reading, writing and flushing. Nothing is changed without --repair; what"
                    + " is",
            "found is reported, and the disk stays in service. Backing files are not looked into.",
            "Where a service runs, the check is a job of it, and goes on if this command is ended.",
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

    @Option(
            names = "--no-wait",
            description = "print the id of the job and leave it to the service: see quoin job")
    private boolean detached;

    @Override
    public Integer call() {
        PrintWriter err = spec.commandLine().getErr();
        JobView job;
        try (VolumeClient client = VolumeAccess.open(data, false);
                CheckFindings findings = new CheckFindings(err, output.progress("checking"))) {
            JobView started =
                    client.call(
                            DiskCheck.TYPE,
                            new DiskCheck.Request(name, repair == null ? null : repair.name()));
            if (detached) {
                JobCommand.requireService(client);
                output.print(started, out -> out.println(started.id()));
                return 0;
            }
            job =
                    JobFollower.follow(
                            client,
                            started.id(),
                            progress -> findings.progress(progress.done(), progress.total()),
                            findings::finding);
        }
        Map<String, Object> result = JobCommand.resultOf(job);
        if (!Boolean.TRUE.equals(result.get("has-check"))) {
            err.println("quoin: disk has no check, as its image is not qcow2: name=" + name);
            err.flush();
            return CheckResult.EXIT_NO_CHECK;
        }
        output.print(result, out -> print(result, out));
        return CheckResult.exitCode(
                count(result, "check-errors"),
                count(result, "corruptions"),
                count(result, "leaks"));
    }

    private static void print(Map<String, Object> result, PrintWriter out) {
        CheckText.print(field -> count(result, field), out);
        out.println("counted ahead: " + count(result, "counted-ahead-clusters"));
    }

    private static long count(Map<String, Object> result, String field) {
        return result.get(field) instanceof Number number ? number.longValue() : 0;
    }
}
