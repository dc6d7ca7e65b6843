package io.quoin.xlator.debug;

import io.quoin.xlator.Xlator;
import io.quoin.xlator.graph.FilterType;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.Option;
import io.quoin.xlator.graph.OptionTable;
import io.quoin.xlator.graph.OptionValues;

/**
 * The type {@code debug/delay-gen}: some operations take longer.
 *
 * <p>Threading: immutable.
 */
public final class DelayGenType extends FilterType {
    static final String TYPE = "debug/delay-gen";
    static final String DURATION = "delay-duration";
    static final String PERCENTAGE = "delay-percentage";
    static final String ENABLE = "enable";
    static final String SEED = "seed";

    private static final OptionTable OPTIONS =
            OptionTable.of(
                    Option.of(
                            DURATION,
                            Option.Type.DURATION,
                            "100ms",
                            "How much later a delayed operation starts."),
                    Option.of(
                            PERCENTAGE,
                            Option.Type.PERCENT,
                            "10%",
                            "How many operations are delayed."),
                    Option.of(
                            ENABLE,
                            Option.Type.STRING,
                            "",
                            "The operations that may be delayed, separated by commas; empty for"
                                    + " all."),
                    Option.of(
                            SEED,
                            Option.Type.INTEGER,
                            "0",
                            "What chance is drawn from; 0 draws one and logs it."));

    public DelayGenType() {
        super(TYPE, OPTIONS);
    }

    @Override
    protected Xlator create(
            String name, OptionValues values, Xlator subvolume, GraphContext context) {
        return new DelayGen(name, values, subvolume, context.loops());
    }
}
