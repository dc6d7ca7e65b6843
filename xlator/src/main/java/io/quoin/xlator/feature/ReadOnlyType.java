package io.quoin.xlator.feature;

import io.quoin.xlator.Xlator;
import io.quoin.xlator.graph.FilterType;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.Option;
import io.quoin.xlator.graph.OptionTable;
import io.quoin.xlator.graph.OptionValues;

/**
 * The type {@code features/read-only}: nothing below is changed.
 *
 * <p>Threading: immutable.
 */
public final class ReadOnlyType extends FilterType {
    static final String TYPE = "features/read-only";
    static final String READ_ONLY = "read-only";

    private static final OptionTable OPTIONS =
            OptionTable.of(
                    Option.of(
                            READ_ONLY,
                            Option.Type.BOOLEAN,
                            "on",
                            "Whether changes are refused; off passes everything through."));

    public ReadOnlyType() {
        super(TYPE, OPTIONS);
    }

    @Override
    protected Xlator create(
            String name, OptionValues values, Xlator subvolume, GraphContext context) {
        return new ReadOnly(name, values.bool(READ_ONLY), subvolume);
    }
}
