package io.quoin.management.cli;

import io.quoin.management.job.JobView;
import io.quoin.management.operation.VolumeClient;
import io.quoin.management.operation.VolumeHeal;
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
 * {@code quoin volume heal}.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "heal",
        description = "Give bricks what they lack, or show what that is.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "full, as without a word: opens every file and copies until each brick that can be"
                    + " reached has",
            "all of it; a job. Bricks are waited for ten seconds; those that are not reached then"
                    + " are named.",
            "Open files are healed without it.",
            "info: what bricks lack of the files that are open.",
            "",
            "Examples:",
            "  quoin volume heal safe",
            "  quoin volume heal safe info --output json"
        })
final class VolumeHealCommand implements Runnable {
    private static final List<String> WORDS = List.of("full", "info");

    @Parameters(index = "0", paramLabel = "NAME", description = "name of the volume")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String name;

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "full|info",
            description = "what is to be done (default: ${DEFAULT-VALUE})",
            defaultValue = "full")
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
            if (word.equals("info")) {
                VolumeStatusView view =
                        client.call(VolumeStatus.TYPE, new VolumeStatus.Request(name));
                output.print(view, writer -> printInfo(view, writer));
            } else {
                heal(client);
            }
        }
    }

    private void heal(VolumeClient client) {
        ByJob.Started<VolumeHeal.Request> wanted =
                new ByJob.Started<>(VolumeHeal.TYPE, new VolumeHeal.Request(name));
        if (detached) {
            JobCommand.requireService(client);
            JobView started = wanted.by(client);
            output.print(started, out -> out.println(started.id()));
            return;
        }
        Map<String, Object> result = ByJob.follow(client, wanted, output, "healing");
        output.print(result, out -> printHealed(result, out));
    }

    private static void printHealed(Map<String, Object> result, PrintWriter out) {
        if (result.get("unreachable") instanceof List<?> unreachable) {
            for (Object each : unreachable) {
                if (each instanceof Map<?, ?> brick) {
                    out.println(
                            "Not reached: brick="
                                    + brick.get("brick")
                                    + ", reason="
                                    + brick.get("reason"));
                }
            }
        }
        out.println(
                "Files that all bricks have: "
                        + ByJob.number(result, "healed")
                        + " of "
                        + ByJob.number(result, "files"));
    }

    /** As GlusterFS does. */
    private static void printInfo(VolumeStatusView view, PrintWriter writer) {
        for (int number = 0; number < view.bricks().size(); number++) {
            VolumeStatusView.Brick brick = view.bricks().get(number);
            writer.println("Brick " + brick.address());
            writer.println(
                    "Status: "
                            + (brick.isOnline()
                                    ? "Connected"
                                    : "Not connected: " + brick.reason()));
            int entries = 0;
            for (VolumeStatusView.File file : view.files()) {
                for (VolumeStatusView.Copy copy : file.copies()) {
                    if (copy.brick() == number && copy.isBehind()) {
                        entries++;
                        writer.println(DiskCommand.printable(file.name()) + suffix(copy));
                    }
                }
            }
            writer.println("Number of entries: " + entries);
            writer.println();
        }
    }

    private static String suffix(VolumeStatusView.Copy copy) {
        return copy.role().equals("SYNCING")
                ? " - Possibly undergoing heal, at most "
                        + ByteSize.human(copy.leftBytes())
                        + " left"
                : " - " + copy.role();
    }
}
