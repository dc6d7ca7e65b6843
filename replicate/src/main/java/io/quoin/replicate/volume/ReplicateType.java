package io.quoin.replicate.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.replicate.BrickLink;
import io.quoin.replicate.Layout;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.Option;
import io.quoin.xlator.graph.OptionTable;
import io.quoin.xlator.graph.OptionValues;
import io.quoin.xlator.graph.XlatorType;
import io.quoin.xlator.loop.Loop;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * {@code cluster/replicate}: files with a copy on each of several bricks.
 *
 * <p>Threading: immutable.
 */
public final class ReplicateType implements XlatorType {
    static final String TYPE = "cluster/replicate";
    static final String LAYOUT = "layout";
    static final String VOLUME_ID = "volume-id";
    private static final int VOTERS_MAX = 3;

    private static final OptionTable OPTIONS =
            OptionTable.of(
                    new Option(
                            LAYOUT,
                            Option.Type.CHOICE,
                            null,
                            Layout.texts(),
                            "How many copies there are, and who votes."),
                    Option.required(
                            VOLUME_ID,
                            Option.Type.STRING,
                            "The UUID of the volume, which its bricks are labelled with."));

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
        return VOTERS_MAX;
    }

    @Override
    public Xlator create(
            String name, OptionValues options, List<Xlator> subvolumes, GraphContext context) {
        Layout layout = Layout.of(options.string(LAYOUT));
        if (subvolumes.size() != layout.voters()) {
            throw wrong(
                    name,
                    "subvolumes",
                    layout.voters() + " of them, as layout=" + layout.text(),
                    subvolumes.size());
        }
        List<BrickLink> bricks = new ArrayList<>();
        subvolumes.forEach(subvolume -> bricks.add(brick(name, subvolume)));
        Loop loop = context.loops().next();
        SeenStarts seen = SeenStarts.read(name, context.states(), context.blocking());
        Links links = new Links(name, volume(name, options), layout, bricks, seen, loop);
        links.open();
        return new ReplicateXlator(name, subvolumes, new LinkedFiles(name, links, loop), loop);
    }

    /**
     * The link of a subvolume.
     *
     * @throws BlockException EINVAL if it has none
     */
    static BrickLink brick(String name, Xlator subvolume) {
        return subvolume
                .extension(BrickLink.class)
                .orElseThrow(
                        () ->
                                wrong(
                                        name,
                                        "subvolumes",
                                        "protocol/local or protocol/client",
                                        subvolume.name() + " of type " + subvolume.type()));
    }

    private static UUID volume(String name, OptionValues options) {
        try {
            return UUID.fromString(options.string(VOLUME_ID));
        } catch (IllegalArgumentException e) {
            throw wrong(name, VOLUME_ID, "a UUID", options.string(VOLUME_ID));
        }
    }

    private static BlockException wrong(String name, String what, String expected, Object actual) {
        return new BlockException(
                BlockError.EINVAL,
                name + ": " + what + ": expected=" + expected + ", actual=" + actual);
    }
}
