package io.quoin.snapshot;

import io.quoin.xlator.Xlator;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.Option;
import io.quoin.xlator.graph.OptionTable;
import io.quoin.xlator.graph.OptionValues;
import io.quoin.xlator.graph.XlatorType;
import java.time.Duration;
import java.util.List;

/**
 * {@code features/snapshot}: disks by name above image files.
 *
 * <p>Threading: immutable.
 */
public final class SnapshotXlatorType implements XlatorType {
    static final String TYPE = "features/snapshot";

    private static final String TRASH_TIME = "trash-time";
    private static final OptionTable OPTIONS =
            OptionTable.of(
                    Option.of(
                            TRASH_TIME,
                            Option.Type.DURATION,
                            "168h",
                            "For how long a removed disk is kept in the trash; 0s: it is gone at once."));

    @Override
    public String type() {
        return TYPE;
    }

    @Override
    public OptionTable options() {
        return OPTIONS;
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
        return new SnapshotXlator(
                name, subvolumes.get(0), Duration.ofNanos(options.durationNanos(TRASH_TIME)));
    }
}
