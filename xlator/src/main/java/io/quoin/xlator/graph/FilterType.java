package io.quoin.xlator.graph;

import io.quoin.xlator.Xlator;
import java.util.List;

/**
 * The type of an xlator that stands above exactly one other.
 *
 * <p>Threading: immutable.
 */
public abstract class FilterType implements XlatorType {
    private final String type;
    private final OptionTable options;

    protected FilterType(String type, OptionTable options) {
        this.type = type;
        this.options = options;
    }

    @Override
    public final String type() {
        return type;
    }

    @Override
    public final OptionTable options() {
        return options;
    }

    @Override
    public final int subvolumesMin() {
        return 1;
    }

    @Override
    public final int subvolumesMax() {
        return 1;
    }

    @Override
    public final Xlator create(
            String name, OptionValues values, List<Xlator> subvolumes, GraphContext context) {
        return create(name, values, subvolumes.get(0), context);
    }

    /** As {@link XlatorType#create}, with the one subvolume. */
    protected abstract Xlator create(
            String name, OptionValues values, Xlator subvolume, GraphContext context);
}
