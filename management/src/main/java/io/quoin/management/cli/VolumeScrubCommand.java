package io.quoin.management.cli;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.job.JobView;
import io.quoin.management.operation.JobCancel;
import io.quoin.management.operation.ScrubRecord;
import io.quoin.management.operation.VolumeClient;
import io.quoin.management.operation.VolumeScrub;
import io.quoin.management.operation.VolumeStatus;
import io.quoin.management.operation.VolumeStatusView;
import io.quoin.tools.terminal.ByteSize;
import io.quoin.tools.terminal.ProgressOutput;
import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code quoin volume scrub}.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "scrub",
        description = "Verify every brick's copies, and repair what is corrupt from another brick.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "start, as without a word: a job, which slows down where guests would wait for it.",
            "status: how far it is, and what came of the last one. stop: ends it.",
            "Fails if blocks stay corrupt, since they are on every brick.",
            "",
            "Examples:",
            "  quoin volume scrub safe",
            "  quoin volume scrub safe start --no-wait",
            "  quoin volume scrub safe status --output json"
        })
final class VolumeScrubCommand implements Runnable {
    private static final List<String> WORDS = List.of("start", "status", "stop");

    @Parameters(index = "0", paramLabel = "NAME", description = "name of the volume")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String name;

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "start|status|stop",
            description = "what is to be done (default: ${DEFAULT-VALUE})",
            defaultValue = "start")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String word;

    @Option(
            names = "--no-wait",
            description = "print the id of the job and leave it to the service: see quoin job")
    private boolean detached;

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
    public void run() {
        if (!WORDS.contains(word)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "illegal word: value=" + word + ", expected=" + String.join(" or ", WORDS));
        }
        try (VolumeClient client = VolumeAccess.open(data, false)) {
            switch (word) {
                case "status" -> status(client);
                case "stop" -> stop(client);
                default -> start(client);
            }
        }
    }

    private void start(VolumeClient client) {
        ByJob.Started<VolumeScrub.Request> wanted =
                new ByJob.Started<>(VolumeScrub.TYPE, new VolumeScrub.Request(name));
        if (detached) {
            JobCommand.requireService(client);
            JobView started = wanted.by(client);
            output.print(started, out -> out.println(started.id()));
            return;
        }
        Map<String, Object> result = ByJob.follow(client, wanted, output, "scrubbing");
        VolumeScrub.Result found = found(result);
        output.print(result, out -> out.println("Scrubbed " + name + ": " + text(found)));
        if (found.unrepaired() > 0) {
            throw new BlockException(
                    BlockError.EIO,
                    "blocks are corrupt on every brick: name="
                            + name
                            + ", blocks="
                            + found.unrepaired()
                            + "; the log of the service has their files and offsets");
        }
    }

    private static VolumeScrub.Result found(Map<String, Object> result) {
        return new VolumeScrub.Result(
                ByJob.number(result, "files"),
                ByJob.number(result, "bytes"),
                ByJob.number(result, "corrupt"),
                ByJob.number(result, "repaired"),
                ByJob.number(result, "unrepaired"),
                ByJob.number(result, "unfinished"));
    }

    /** Of what a scrub has found, for a person. */
    static String text(VolumeScrub.Result found) {
        return "files="
                + found.files()
                + ", verified="
                + ByteSize.human(found.bytes())
                + ", corrupt blocks="
                + found.corrupt()
                + ", repaired="
                + found.repaired()
                + ", not repairable="
                + found.unrepaired()
                + (found.unfinished() == 0 ? "" : ", files not finished=" + found.unfinished());
    }

    private void status(VolumeClient client) {
        VolumeStatusView view = client.call(VolumeStatus.TYPE, new VolumeStatus.Request(name));
        JobView job = view.scrub();
        ScrubRecord last = view.lastScrub();
        if (job != null) {
            output.print(job, out -> print(job, out));
        } else if (last != null) {
            output.print(last, out -> VolumeStatusCommand.printScrub(last, out));
        } else {
            output.print(Map.of("name", name), out -> out.println(name + " has not been scrubbed"));
        }
    }

    private static void print(JobView job, PrintWriter out) {
        out.println(
                "Scrub "
                        + job.state().text()
                        + ": job="
                        + job.id()
                        + ", verified="
                        + ByteSize.human(job.progress().done())
                        + " of "
                        + ByteSize.human(job.progress().total()));
    }

    private void stop(VolumeClient client) {
        JobView job = client.call(VolumeStatus.TYPE, new VolumeStatus.Request(name)).scrub();
        if (job == null) {
            throw new BlockException(
                    BlockError.ENOENT, "volume is not being scrubbed: name=" + name);
        }
        JobView cancelled = client.call(JobCancel.TYPE, new JobCancel.Request(job.id()));
        output.print(cancelled, out -> out.println("Stopped the scrub of " + name));
    }
}
