package io.quoin.xlator.debug;

import io.quoin.xlator.Xlator;
import io.quoin.xlator.graph.FilterType;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.Option;
import io.quoin.xlator.graph.OptionTable;
import io.quoin.xlator.graph.OptionValues;
import java.util.List;

/**
 * The type {@code debug/trace}: logs every operation and keeps the last ones.
 *
 * <p>Threading: immutable.
 */
public final class TraceType extends FilterType {
    static final String TYPE = "debug/trace";
    static final String INCLUDE = "include-ops";
    static final String EXCLUDE = "exclude-ops";
    static final String LOG = "log-file";
    static final String LEVEL = "force-log-level";
    static final String HISTORY = "log-history";
    static final String HISTORY_SIZE = "history-size";

    private static final OptionTable OPTIONS =
            OptionTable.of(
                    Option.of(
                            INCLUDE,
                            Option.Type.STRING,
                            "",
                            "The operations to trace, separated by commas; empty for all."),
                    Option.of(
                            EXCLUDE,
                            Option.Type.STRING,
                            "",
                            "Operations not to trace, separated by commas."),
                    Option.of(LOG, Option.Type.BOOLEAN, "on", "Whether each operation is logged."),
                    Option.choice(
                            LEVEL,
                            List.of("ERROR", "WARNING", "INFO", "DEBUG", "TRACE"),
                            "INFO",
                            "The level that operations are logged at."),
                    Option.of(
                            HISTORY,
                            Option.Type.BOOLEAN,
                            "on",
                            "Whether the last operations are kept in memory."),
                    Option.of(
                            HISTORY_SIZE,
                            Option.Type.INTEGER,
                            "1024",
                            "How many are kept, up to 1M; needs the graph to be built anew."));

    public TraceType() {
        super(TYPE, OPTIONS);
    }

    @Override
    protected Xlator create(
            String name, OptionValues values, Xlator subvolume, GraphContext context) {
        return new Trace(name, values, subvolume);
    }
}
