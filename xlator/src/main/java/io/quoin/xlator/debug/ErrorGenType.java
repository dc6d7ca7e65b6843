package io.quoin.xlator.debug;

import io.quoin.block.BlockError;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.graph.FilterType;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.Option;
import io.quoin.xlator.graph.OptionTable;
import io.quoin.xlator.graph.OptionValues;
import java.util.Arrays;

/**
 * The type {@code debug/error-gen}: some operations fail.
 *
 * <p>Threading: immutable.
 */
public final class ErrorGenType extends FilterType {
    static final String TYPE = "debug/error-gen";
    static final String FAILURE = "failure";
    static final String ERROR = "error-no";
    static final String ENABLE = "enable";
    static final String SEED = "seed";
    static final String SKIP = "skip-count";
    static final String MAX = "failure-count";

    private static final OptionTable OPTIONS =
            OptionTable.of(
                    Option.of(FAILURE, Option.Type.PERCENT, "10%", "How many operations fail."),
                    Option.choice(
                            ERROR,
                            Arrays.stream(BlockError.values())
                                    .filter(error -> !error.isOk())
                                    .map(Enum::name)
                                    .toList(),
                            "EIO",
                            "What they fail with."),
                    Option.of(
                            ENABLE,
                            Option.Type.STRING,
                            "",
                            "The operations that may fail, separated by commas; empty for all."
                                    + " close is carried out even when it fails."),
                    Option.of(
                            SKIP,
                            Option.Type.INTEGER,
                            "0",
                            "The first so many enabled operations never fail."),
                    Option.of(
                            MAX,
                            Option.Type.INTEGER,
                            "0",
                            "No more than so many fail; 0 for no limit."),
                    Option.of(
                            SEED,
                            Option.Type.INTEGER,
                            "0",
                            "What chance is drawn from; 0 draws one and logs it."));

    public ErrorGenType() {
        super(TYPE, OPTIONS);
    }

    @Override
    protected Xlator create(
            String name, OptionValues values, Xlator subvolume, GraphContext context) {
        return new ErrorGen(name, values, subvolume);
    }
}
