package io.quoin.management.cli;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.daemon.ControlClient;
import io.quoin.management.job.JobFailure;
import io.quoin.management.job.JobProgress;
import io.quoin.management.job.JobView;
import io.quoin.management.operation.JobCancel;
import io.quoin.management.operation.JobFollower;
import io.quoin.management.operation.JobLs;
import io.quoin.management.operation.JobPause;
import io.quoin.management.operation.JobResume;
import io.quoin.management.operation.JobShow;
import io.quoin.management.operation.VolumeClient;
import io.quoin.tools.terminal.CheckFindings;
import io.quoin.tools.terminal.OutputOption;
import io.quoin.tools.terminal.ProgressOutput;
import io.quoin.tools.terminal.Subcommands;
import io.quoin.tools.terminal.Table;
import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code quoin job}: the jobs of a volume.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "job",
        description =
                "List, show, follow, cancel, pause and resume jobs: work that takes its time.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "A job belongs to the service: it goes on whether a client waits for it or not.",
            "",
            "Examples:",
            "  quoin job ls",
            "  quoin job wait $(quoin disk check --no-wait vm1)"
        })
@Subcommands({
    JobCommand.Ls.class,
    JobCommand.Show.class,
    JobCommand.Wait.class,
    JobCommand.Cancel.class,
    JobCommand.Pause.class,
    JobCommand.Resume.class
})
final class JobCommand implements Runnable {
    private static final int PERCENT = 100;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "command missing");
    }

    /** The result of a job that has ended; throws what it failed with if it has none. */
    static Map<String, Object> resultOf(JobView job) {
        JobFailure failure = job.failure();
        if (failure != null) {
            throw failure.toException();
        }
        return job.result() == null ? Map.of() : job.result();
    }

    /** A job without a service ends with the command, so it has to be waited for. */
    static void requireService(VolumeClient client) {
        if (!(client instanceof ControlClient)) {
            throw new BlockException(
                    BlockError.ESHUTDOWN,
                    "no service runs on the volume: leave --no-wait out, or start it with: quoin"
                            + " serve");
        }
    }

    /** {@code quoin job ls}. */
    @Command(
            name = "ls",
            description = "List the jobs that have not ended, the oldest first.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example:", "  quoin job ls --all"})
    static final class Ls extends DiskCommand.OnVolume {
        @Option(names = "--all", description = "those that have ended too")
        private boolean all;

        @Override
        void run(VolumeClient client, OutputOption out) {
            List<JobView> jobs =
                    client.call(JobLs.TYPE, new JobLs.Request()).jobs().stream()
                            .filter(job -> all || !job.state().hasEnded())
                            .toList();
            out.print(jobs, writer -> printTable(jobs, writer));
        }
    }

    /** What every command on one job has. */
    abstract static class OnJob extends DiskCommand.OnVolume {
        @Parameters(paramLabel = "ID", description = "id of the job")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String id;

        @Override
        final void run(VolumeClient client, OutputOption out) {
            JobView job = call(client, id);
            out.print(job, writer -> printJob(job, writer));
        }

        abstract JobView call(VolumeClient client, String job);
    }

    /** {@code quoin job show}. */
    @Command(
            name = "show",
            description = "Show one job.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example:", "  quoin job show 7"})
    static final class Show extends OnJob {
        @Override
        JobView call(VolumeClient client, String job) {
            return client.call(JobShow.TYPE, new JobShow.Request(job));
        }
    }

    /** {@code quoin job cancel}. */
    @Command(
            name = "cancel",
            description = "Have a job end soon.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example:", "  quoin job cancel 7"})
    static final class Cancel extends OnJob {
        @Override
        JobView call(VolumeClient client, String job) {
            return client.call(JobCancel.TYPE, new JobCancel.Request(job));
        }
    }

    /** {@code quoin job pause}. */
    @Command(
            name = "pause",
            description = "Have a running job wait until it is resumed.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example:", "  quoin job pause 7"})
    static final class Pause extends OnJob {
        @Override
        JobView call(VolumeClient client, String job) {
            return client.call(JobPause.TYPE, new JobPause.Request(job));
        }
    }

    /** {@code quoin job resume}. */
    @Command(
            name = "resume",
            description = "Let a paused job go on.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example:", "  quoin job resume 7"})
    static final class Resume extends OnJob {
        @Override
        JobView call(VolumeClient client, String job) {
            return client.call(JobResume.TYPE, new JobResume.Request(job));
        }
    }

    /** {@code quoin job wait}. */
    @Command(
            name = "wait",
            description = "Follow a job to its end: its messages, its progress, its result.",
            mixinStandardHelpOptions = true,
            footer = {
                "",
                "Exit codes: 0 the job is done, 1 it failed, was cancelled or interrupted.",
                "",
                "Example:",
                "  quoin job wait -p 7"
            })
    static final class Wait implements Runnable {
        @Parameters(paramLabel = "ID", description = "id of the job")
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private String id;

        @Mixin
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private DataOption data;

        @Mixin
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private ProgressOutput output;

        @Override
        public void run() {
            JobView job;
            try (VolumeClient client = VolumeAccess.open(data, false);
                    CheckFindings lines =
                            new CheckFindings(output.err(), output.progress("job " + id))) {
                job =
                        JobFollower.follow(
                                client,
                                id,
                                progress -> lines.progress(progress.done(), progress.total()),
                                lines::finding);
            }
            resultOf(job);
            output.print(job, writer -> printJob(job, writer));
        }
    }

    private static void printTable(List<JobView> jobs, PrintWriter writer) {
        Table table = new Table("ID", "KIND", "SUBJECT", "STATE", ">DONE", ">LEFT", "CREATED");
        for (JobView job : jobs) {
            Long left = job.progress().remainingSeconds();
            table.row(
                    job.id(),
                    job.kind(),
                    job.subject(),
                    job.state().text(),
                    percent(job.progress()),
                    left == null || job.state().hasEnded() ? "-" : left + " s",
                    job.createdAt());
        }
        table.print(writer);
    }

    private static String percent(JobProgress progress) {
        return progress.total() <= 0
                ? "-"
                : (long) ((double) progress.done() / progress.total() * PERCENT) + "%";
    }

    private static void printJob(JobView job, PrintWriter writer) {
        writer.println("id: " + job.id());
        writer.println("kind: " + job.kind());
        writer.println("subject: " + job.subject());
        writer.println("state: " + job.state().text());
        JobProgress progress = job.progress();
        if (progress.total() > 0) {
            writer.println(
                    "progress: "
                            + percent(progress)
                            + ", "
                            + progress.done()
                            + " of "
                            + progress.total()
                            + " "
                            + progress.unit()
                            + ", "
                            + progress.perSecond()
                            + " a second");
        }
        line("remaining seconds", progress.remainingSeconds(), writer);
        line("created", job.createdAt(), writer);
        line("started", job.startedAt(), writer);
        line("ended", job.endedAt(), writer);
        JobFailure failure = job.failure();
        if (failure != null) {
            writer.println("failure: " + failure.error() + ", " + failure.message());
        }
        Map<String, Object> result = job.result();
        if (result != null) {
            result.forEach((name, value) -> writer.println("result " + name + ": " + value));
        }
    }

    private static void line(String name, @Nullable Object value, PrintWriter writer) {
        if (value != null) {
            writer.println(name + ": " + value);
        }
    }
}
