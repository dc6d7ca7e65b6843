package io.quoin.management.cli;

import io.quoin.block.Uncaught;
import io.quoin.management.brick.BrickDaemon;
import io.quoin.management.brick.BrickOptions;
import io.quoin.replicate.BrickIdentity;
import io.quoin.replicate.wire.BrickAddress;
import io.quoin.tools.terminal.OutputOption;
import io.quoin.tools.terminal.Subcommands;
import io.quoin.xlator.NameText;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * {@code quoin brick}: serves one brick until it is told to stop by SIGTERM or SIGINT, and then
 * exits with 0.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "brick",
        description = "Serve one brick of a replicated volume to other hosts.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "An empty folder becomes a brick of the volume that claims it first.",
            "SIGTERM and SIGINT answer what is in flight, flush, and end it with exit code 0.",
            "Once the folder does not work any more it ends with exit code 1.",
            "",
            "Examples:",
            "  quoin brick format --path /srv/brick1 --volume $(uuidgen) --index 0 --layout replica-3",
            "  quoin brick --path /srv/brick1 --listen 127.0.0.1:24007",
            "  quoin brick --path /srv/brick1 --listen 10.0.0.1:24007 --tls-cert brick1.pem"
                    + " --tls-key brick1.key --tls-ca ca.pem"
        })
@Subcommands(BrickFormatCommand.class)
final class BrickCommand implements Runnable {
    @Option(names = "--path", paramLabel = "DIR", description = "folder of the brick")
    private @Nullable Path path;

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            description = "TCP address; port 0 picks one (default: ${DEFAULT-VALUE})",
            defaultValue = "127.0.0.1:24007")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private String listen;

    @Option(
            names = "--health-interval",
            paramLabel = "SECONDS",
            description = "between two checks that the folder works (default: ${DEFAULT-VALUE})",
            defaultValue = "10")
    private int healthInterval;

    @Option(
            names = "--health-timeout",
            paramLabel = "SECONDS",
            description =
                    "what a check may take before the brick is given up (default:"
                            + " ${DEFAULT-VALUE})",
            defaultValue = "30")
    private int healthTimeout;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private TlsOption tls;

    @Mixin
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private OutputOption output;

    @Mixin
    @SuppressWarnings({"NullAway.Init", "UnusedVariable"}) // Main has read it
    private LogOption logging;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public void run() {
        Path folder = path;
        if (folder == null) {
            throw new ParameterException(
                    spec.commandLine(), "Missing required option: '--path=DIR'");
        }
        Uncaught.watchThreads();
        BrickDaemon daemon =
                BrickDaemon.start(
                        new BrickOptions(
                                folder,
                                BrickAddress.parse(listen),
                                tls.chosen(spec),
                                seconds("--health-interval", healthInterval),
                                seconds("--health-timeout", healthTimeout)));
        ServiceProcess.closeAtExit(daemon::close);
        if (output.isJson()) {
            output.print(ready(folder, daemon), out -> {});
        } else {
            output.out().println(text(daemon.identity()) + ", address: " + daemon.address());
            output.out().println("ready");
            output.out().flush();
        }
        ServiceProcess.failed("brick cannot be served any more: " + daemon.awaitFailure());
    }

    private Duration seconds(String option, int seconds) {
        if (seconds < 1) {
            throw new ParameterException(
                    spec.commandLine(),
                    "illegal time: option="
                            + option
                            + ", value="
                            + seconds
                            + ", expected=1 or more seconds");
        }
        return Duration.ofSeconds(seconds);
    }

    private static String text(@Nullable BrickIdentity identity) {
        return identity == null
                ? "no brick yet: a new volume may claim it"
                : "brick " + identity.index() + " of volume " + identity.volume();
    }

    private static Map<String, Object> ready(Path folder, BrickDaemon daemon) {
        BrickIdentity identity = daemon.identity();
        Map<String, Object> ready = new LinkedHashMap<>();
        ready.put("ready", true);
        ready.put("pid", ProcessHandle.current().pid());
        ready.put("path", NameText.of(folder));
        ready.put("address", daemon.address().toString());
        ready.put("claimed", identity != null);
        if (identity != null) {
            ready.put("volume", identity.volume().toString());
            ready.put("brick", identity.brick().toString());
            ready.put("index", identity.index());
            ready.put("layout", identity.layout().text());
        }
        return ready;
    }
}
