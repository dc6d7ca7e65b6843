package io.quoin.replicate;

import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.BiConsumer;
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
        description =
                "Takes random walks, or directed scenarios, of the replication protocol, and judges"
                        + " each.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "The exit status is 1 if a walk fails. A seed has the same walk each time.",
            "",
            "Examples:",
            "  bin/simulate --seeds 1000",
            "  bin/simulate --layout three --mode unlimited --seed 887 --timeline",
            "  bin/simulate --scenario heal_source_is_lost,brick_flaps --seeds 50"
        })
public final class Simulate implements Callable<Integer> {
    @Option(
            names = "--seeds",
            paramLabel = "N",
            description = "how many walks, or runs of each scenario, per layout (default: 1)",
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

    @Option(
            names = "--scenario",
            split = ",",
            paramLabel = "NAME",
            description = "scenarios in place of walks: ${COMPLETION-CANDIDATES}")
    private List<Scenario> scenarios = List.of();

    @Option(
            names = "--mutant",
            paramLabel = "NAME",
            description = "break a rule of the protocol: ${COMPLETION-CANDIDATES}",
            defaultValue = "NONE")
    private Mutant mutant = Mutant.NONE;

    @Option(names = "--timeline", description = "print all messages and states")
    private boolean timeline;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    private long runs;
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
        if (scenarios.isEmpty()) {
            eachSeed(List.of(Layout.values()), (each, seed) -> walk(each, seed, out));
        }
        for (Scenario scenario : scenarios) {
            eachSeed(scenario.layouts(), (each, seed) -> scenario(scenario, each, seed, out));
        }
        out.printf(
                "%s=%d, failures=%d, faults=%d, steps=%d, operations=%d, first seed=%d%n",
                scenarios.isEmpty() ? "walks" : "runs",
                runs,
                failures,
                faults,
                steps,
                operations,
                first);
        return failures == 0 ? 0 : 1;
    }

    private void eachSeed(List<Layout> layouts, BiConsumer<Layout, Long> run) {
        for (Layout each : layouts) {
            for (long seed = first; seed < first + count && isWanted(each); seed++) {
                run.accept(each, seed);
            }
        }
    }

    private boolean isWanted(Layout each) {
        return layout == null || layout == each;
    }

    private void walk(Layout each, long seed, PrintWriter out) {
        Walk walk = new Walk(each, seed, mode, mutant, timeline);
        judge(walk.world(), walk::run, "--mode " + mode, seed, out);
        faults += walk.faults();
    }

    private void scenario(Scenario scenario, Layout each, long seed, PrintWriter out) {
        SimWorld world = new SimWorld(each, seed, mutant, timeline);
        judge(world, () -> scenario.run(world), "--scenario " + scenario, seed, out);
    }

    private void judge(SimWorld world, Runnable run, String what, long seed, PrintWriter out) {
        runs++;
        try {
            run.run();
        } catch (AssertionError | RuntimeException e) {
            failures++;
            out.printf(
                    "FAILED: bin/simulate --layout %s %s --seed %d --timeline: %s%n",
                    world.layout, what, seed, e);
            if (timeline) {
                e.printStackTrace(out);
            }
            out.flush();
        }
        steps += world.steps();
        operations += world.history.ended();
    }
}
