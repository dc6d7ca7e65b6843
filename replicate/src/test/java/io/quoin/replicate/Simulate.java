package io.quoin.replicate;

import java.util.List;
import java.util.Locale;

/** The command line of bin/simulate. */
public final class Simulate {
    private Simulate() {}

    /** Runs walks; the exit status is 1 if one fails. */
    public static void main(String[] arguments) {
        List<String> given = List.of(arguments);
        long first = Long.parseLong(option(given, "--seed", "1"));
        long count = Long.parseLong(option(given, "--seeds", "1"));
        String layout = option(given, "--layout", "all").toUpperCase(Locale.ROOT);
        Walk.Mode mode =
                Walk.Mode.valueOf(option(given, "--mode", "liveness").toUpperCase(Locale.ROOT));
        boolean isTracing = given.contains("--timeline");
        long walks = 0;
        long failures = 0;
        long faults = 0;
        long steps = 0;
        long operations = 0;
        for (Layout each : Layout.values()) {
            if (!layout.equals("ALL") && !layout.equals(each.name())) {
                continue;
            }
            for (long seed = first; seed < first + count; seed++) {
                Walk walk = new Walk(each, seed, mode, new Mutant(), isTracing);
                walks++;
                try {
                    walk.run();
                } catch (AssertionError | RuntimeException e) {
                    failures++;
                    System.out.println(
                            "FAILED: bin/simulate --layout "
                                    + each
                                    + " --mode "
                                    + mode
                                    + " --seed "
                                    + seed
                                    + " --timeline: "
                                    + e);
                    if (isTracing) {
                        e.printStackTrace(System.out);
                    }
                }
                faults += walk.faults();
                steps += walk.world().steps();
                operations += walk.world().history.ended();
            }
        }
        System.out.println(
                "walks="
                        + walks
                        + ", failures="
                        + failures
                        + ", faults="
                        + faults
                        + ", steps="
                        + steps
                        + ", operations="
                        + operations
                        + ", first seed="
                        + first);
        System.exit(failures == 0 ? 0 : 1);
    }

    private static String option(List<String> given, String name, String otherwise) {
        int at = given.indexOf(name);
        return at < 0 || at + 1 >= given.size() ? otherwise : given.get(at + 1);
    }
}
