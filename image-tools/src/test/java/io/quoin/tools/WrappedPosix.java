package io.quoin.tools;

import io.quoin.xlator.Xlator;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.OptionTable;
import io.quoin.xlator.graph.OptionValues;
import io.quoin.xlator.graph.XlatorType;
import io.quoin.xlator.graph.XlatorTypes;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * {@code storage/posix} with something of the test's own around it.
 *
 * <p>Threading: immutable.
 */
final class WrappedPosix implements XlatorType {
    private final XlatorType posix;
    private final UnaryOperator<Xlator> wrapper;

    private WrappedPosix(XlatorType posix, UnaryOperator<Xlator> wrapper) {
        this.posix = posix;
        this.wrapper = wrapper;
    }

    /** All types, this one among them. */
    static XlatorTypes types(UnaryOperator<Xlator> wrapper) {
        List<XlatorType> types = new ArrayList<>();
        for (XlatorType type : XlatorTypes.load().all()) {
            types.add(type.type().equals("storage/posix") ? new WrappedPosix(type, wrapper) : type);
        }
        return XlatorTypes.of(types);
    }

    @Override
    public String type() {
        return posix.type();
    }

    @Override
    public OptionTable options() {
        return posix.options();
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
        return wrapper.apply(posix.create(name, options, subvolumes, context));
    }
}
