package io.quoin.replicate;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command line of bin/simulate. */
@Command(
        name = "simulate",
        description = "Takes random walks of the replication protocol, and judges each.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "The exit status is 1 if a walk fails. A seed has the same walk each time.",
            "",
            "Examples:",
            "  bin/simulate --seeds 1000",
            "  bin/simulate --layout three --mode unlimited --seed 887 --timeline"
        })
public final class Simulate implements Callable<Integer> {
    @Option(
            names = "--seeds",
            paramLabel = "N",
            description = "how many walks of each layout (default: 1)",
            defaultValue = "1")
    private long count;

    @Option(
            names = "--seed",
            paramLabel = "FIRST",
            description = "the first seed (default: 1)",
            defaultValue = "1")
    private long first;

    @Option(names = "--layout", description = "${COMPLETION-CANDIDATES} (default: all of them)")
    private @Nullable Layout layout;

    @Option(
            names = "--mode",
            description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})",
            defaultValue = "LIVENESS")
    private Walk.Mode mode = Walk.Mode.LIVENESS;

    @Option(names = "--timeline", description = "print all messages and states")
    private boolean timeline;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    private long walks;
    private long failures;
    private long faults;
    private long steps;
    private long operations;

    /** Runs walks and exits. */
    public static void main(String[] arguments) {
        System.exit(
                new CommandLine(new Simulate())
                        .setCaseInsensitiveEnumValuesAllowed(true)
                        .execute(arguments));
    }

    @Override
    public Integer call() {
        if (count < 1) {
            throw new ParameterException(
                    spec.commandLine(), "--seeds: value=" + count + ", expected=1 or more");
        }
        PrintWriter out = spec.commandLine().getOut();
        for (Layout each : Layout.values()) {
            for (long seed = first; seed < first + count && isWanted(each); seed++) {
                walk(each, seed, out);
            }
        }
        out.printf(
                "walks=%d, failures=%d, faults=%d, steps=%d, operations=%d, first seed=%d%n",
                walks, failures, faults, steps, operations, first);
        return failures == 0 ? 0 : 1;
    }

    private boolean isWanted(Layout each) {
        return layout == null || layout == each;
    }

    private void walk(Layout each, long seed, PrintWriter out) {
        Walk walk = new Walk(each, seed, mode, new Mutant(), timeline);
        walks++;
        try {
            walk.run();
        } catch (AssertionError | RuntimeException e) {
            failures++;
            out.printf(
                    "FAILED: bin/simulate --layout %s --mode %s --seed %d --timeline: %s%n",
                    each, mode, seed, e);
            if (timeline) {
                e.printStackTrace(out);
            }
            out.flush();
        }
        faults += walk.faults();
        steps += walk.world().steps();
        operations += walk.world().history.ended();
    }
}
