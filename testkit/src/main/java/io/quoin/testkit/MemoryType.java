package io.quoin.testkit;

import io.quoin.xlator.Xlator;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.Option;
import io.quoin.xlator.graph.OptionTable;
import io.quoin.xlator.graph.OptionValues;
import io.quoin.xlator.graph.XlatorType;
import java.util.List;

/**
 * The type {@code testkit/memory}.
 *
 * <p>Threading: immutable.
 */
public final class MemoryType implements XlatorType {
    private static final OptionTable OPTIONS =
            OptionTable.of(
                    Option.choice(
                            "completion",
                            List.of("direct", "loop"),
                            "direct",
                            "Whether requests complete inside submit or in a later task of the"
                                    + " loop."));

    @Override
    public String type() {
        return MemoryXlator.TYPE;
    }

    @Override
    public OptionTable options() {
        return OPTIONS;
    }

    @Override
    public int subvolumesMin() {
        return 0;
    }

    @Override
    public int subvolumesMax() {
        return 0;
    }

    @Override
    public Xlator create(
            String name, OptionValues options, List<Xlator> subvolumes, GraphContext context) {
        return new MemoryXlator(name, options.string("completion").equals("direct"));
    }
}
