package io.quoin.xlator.debug;

import io.quoin.xlator.Xlator;
import io.quoin.xlator.graph.FilterType;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.Option;
import io.quoin.xlator.graph.OptionTable;
import io.quoin.xlator.graph.OptionValues;

/**
 * The type {@code debug/io-stats}: counts, bytes, errors and latencies per file and operation.
 *
 * <p>Threading: immutable.
 */
public final class IoStatsType extends FilterType {
    static final String TYPE = "debug/io-stats";
    static final String LATENCY = "latency-measurement";

    private static final OptionTable OPTIONS =
            OptionTable.of(
                    Option.of(
                            LATENCY,
                            Option.Type.BOOLEAN,
                            "on",
                            "Whether the time that each request takes is measured too."));

    public IoStatsType() {
        super(TYPE, OPTIONS);
    }

    @Override
    protected Xlator create(
            String name, OptionValues values, Xlator subvolume, GraphContext context) {
        return new IoStats(name, values, subvolume);
    }
}
