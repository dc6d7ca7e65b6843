package io.quoin.qcow2;

import io.quoin.xlator.Xlator;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.Option;
import io.quoin.xlator.graph.OptionTable;
import io.quoin.xlator.graph.OptionValues;
import io.quoin.xlator.graph.XlatorType;
import java.util.List;

/**
 * {@code features/qcow2}: opens files named {@code *.qcow2} as images; others pass through
 * unchanged.
 *
 * <p>Threading: immutable.
 */
public final class Qcow2Type implements XlatorType {
    static final String TYPE = "features/qcow2";
    static final String CACHE_SIZE = "cache-size";
    static final String IMAGES = "images";
    static final String IMAGES_BY_SUFFIX = "suffix";
    static final String IMAGES_ALL = "all";

    private static final OptionTable OPTIONS =
            OptionTable.of(
                    Option.of(
                            CACHE_SIZE,
                            Option.Type.SIZE,
                            "32M",
                            "Memory for the L2 tables of one open image; 32M cover 256G of it at a"
                                    + " cluster size of 64K."),
                    Option.choice(
                            IMAGES,
                            List.of(IMAGES_BY_SUFFIX, IMAGES_ALL),
                            IMAGES_BY_SUFFIX,
                            "Which files are images: those named *.qcow2, or all."));

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
        return new Qcow2Xlator(
                name,
                subvolumes.get(0),
                context.loops(),
                options.sizeBytes(CACHE_SIZE),
                options.string(IMAGES).equals(IMAGES_ALL));
    }
}
