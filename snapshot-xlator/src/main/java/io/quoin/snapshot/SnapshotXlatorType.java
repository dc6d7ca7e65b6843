package io.quoin.snapshot;

import io.quoin.xlator.Xlator;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.OptionTable;
import io.quoin.xlator.graph.OptionValues;
import io.quoin.xlator.graph.XlatorType;
import java.util.List;

/**
 * {@code features/snapshot}: disks by name above image files. It has no options.
 *
 * <p>Threading: immutable.
 */
public final class SnapshotXlatorType implements XlatorType {
    static final String TYPE = "features/snapshot";

    @Override
    public String type() {
        return TYPE;
    }

    @Override
    public OptionTable options() {
        return OptionTable.of();
    }

    @Override
    public int subvolumesMin() {
        return 1;
    }

    @Override
    public int subvolumesMax() {
        return 1;
    }

    @Override
    public Xlator create(
            String name, OptionValues options, List<Xlator> subvolumes, GraphContext context) {
        return new SnapshotXlator(name, subvolumes.get(0));
    }
}
