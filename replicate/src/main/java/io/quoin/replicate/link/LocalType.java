package io.quoin.replicate.link;

import io.quoin.replicate.Layout;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.Option;
import io.quoin.xlator.graph.OptionTable;
import io.quoin.xlator.graph.OptionValues;
import io.quoin.xlator.graph.XlatorType;
import java.util.List;

/**
 * {@code protocol/local}: a brick of a replicated volume, in this process, on the files of its
 * subvolume.
 *
 * <p>Threading: immutable.
 */
public final class LocalType implements XlatorType {
    static final String TYPE = "protocol/local";
    private static final String LAYOUT = "layout";

    private static final OptionTable OPTIONS =
            OptionTable.of(
                    BrickOptions.VOLUME_OPTION,
                    BrickOptions.INDEX_OPTION,
                    new Option(
                            LAYOUT,
                            Option.Type.CHOICE,
                            null,
                            Layout.texts(),
                            "The layout of the replica set, as in the brick's label."),
                    BrickOptions.BRICK_OPTION);

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
        LocalBrick brick =
                new LocalBrick(
                        name,
                        subvolumes.get(0),
                        context.loops().next(),
                        BrickOptions.of(name, options),
                        Layout.of(options.string(LAYOUT)));
        return new BrickNode(name, TYPE, subvolumes, brick, brick::closeAndWait);
    }
}
