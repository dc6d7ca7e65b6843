package io.quoin.xlator.feature;

import io.quoin.xlator.Xlator;
import io.quoin.xlator.graph.FilterType;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.Option;
import io.quoin.xlator.graph.OptionTable;
import io.quoin.xlator.graph.OptionValues;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The type {@code features/throttle}: limits of requests and bytes per second, with bursts.
 *
 * <p>Threading: immutable.
 */
public final class ThrottleType extends FilterType {
    static final String TYPE = "features/throttle";
    static final String QUEUE_MAX = "queue-max";

    private static final OptionTable OPTIONS = table();

    public ThrottleType() {
        super(TYPE, OPTIONS);
    }

    private static OptionTable table() {
        List<Option> options = new ArrayList<>();
        for (String kind : List.of("total", "read", "write")) {
            String what = kind.equals("total") ? "requests" : kind + " requests";
            String where = " of each open file";
            String tenth = "; 0 for a tenth of a second's worth.";
            options.add(
                    Option.of(
                            "iops-" + kind,
                            Option.Type.INTEGER,
                            "0",
                            "The most " + what + " per second" + where + "; 0 for no limit."));
            options.add(
                    Option.of(
                            "iops-" + kind + "-burst",
                            Option.Type.INTEGER,
                            "0",
                            "How many " + what + " may come at once after a rest" + tenth));
            options.add(
                    Option.of(
                            "bps-" + kind,
                            Option.Type.SIZE,
                            "0",
                            "The most bytes of "
                                    + what
                                    + " per second"
                                    + where
                                    + "; 0 for no limit."));
            options.add(
                    Option.of(
                            "bps-" + kind + "-burst",
                            Option.Type.SIZE,
                            "0",
                            "How many bytes of "
                                    + what
                                    + " may come at once after a rest"
                                    + tenth));
        }
        options.add(
                Option.of(
                        QUEUE_MAX,
                        Option.Type.INTEGER,
                        "4096",
                        "How many reads, and how many writes, of a file may wait, up to 1048576; one"
                                + " more fails with ENOMEM."));
        return new OptionTable(options);
    }

    /** All of its options may be changed while it runs. */
    static Set<String> optionNames() {
        return OPTIONS.options().stream().map(Option::name).collect(Collectors.toSet());
    }

    @Override
    protected Xlator create(
            String name, OptionValues values, Xlator subvolume, GraphContext context) {
        return new Throttle(name, ThrottleLimits.of(values), subvolume);
    }
}
