package io.quoin.replicate.link;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.replicate.BrickIdentity;
import io.quoin.xlator.graph.Option;
import io.quoin.xlator.graph.OptionValues;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Which brick a node is to reach.
 *
 * <p>Threading: immutable.
 *
 * @param index which of the volume's bricks, from 0
 * @param brick null: whichever has the index
 */
record BrickOptions(UUID volume, int index, @Nullable UUID brick) {
    static final String VOLUME_ID = "volume-id";
    static final String BRICK_INDEX = "brick-index";
    static final String BRICK_ID = "brick-id";
    private static final int INDEX_MAX = 3;

    static final Option VOLUME_OPTION =
            Option.required(
                    VOLUME_ID, Option.Type.STRING, "The UUID of the volume that the brick is of.");
    static final Option INDEX_OPTION =
            Option.required(
                    BRICK_INDEX,
                    Option.Type.INTEGER,
                    "Which brick of its replica set it is, from 0, as in its label.");
    static final Option BRICK_OPTION =
            Option.of(
                    BRICK_ID,
                    Option.Type.STRING,
                    "",
                    "The UUID of the brick, as in its label: another brick that was formatted with"
                            + " the same index is refused. Empty: not checked.");

    static BrickOptions of(String node, OptionValues options) {
        long index = options.integer(BRICK_INDEX);
        if (index > INDEX_MAX) {
            throw new BlockException(
                    BlockError.EINVAL,
                    node
                            + ": "
                            + BRICK_INDEX
                            + ": expected=0 to "
                            + INDEX_MAX
                            + ", actual="
                            + index);
        }
        boolean isAny = options.string(BRICK_ID).isEmpty();
        return new BrickOptions(
                uuid(node, options, VOLUME_ID),
                (int) index,
                isAny ? null : uuid(node, options, BRICK_ID));
    }

    private static UUID uuid(String node, OptionValues options, String name) {
        try {
            return UUID.fromString(options.string(name));
        } catch (IllegalArgumentException e) {
            throw new BlockException(
                    BlockError.EINVAL,
                    node + ": " + name + ": expected=a UUID, actual=" + options.string(name),
                    e);
        }
    }

    /** Why a brick is not the one that is wanted; null if it is. */
    @Nullable String refusal(BrickIdentity identity) {
        if (!identity.volume().equals(volume)) {
            return "brick is of another volume: volume=" + identity.volume();
        } else if (identity.index() != index) {
            return "brick has another index: index=" + identity.index() + ", expected=" + index;
        } else if (brick != null && !identity.brick().equals(brick)) {
            return "another brick with the same index: brick="
                    + identity.brick()
                    + ", expected="
                    + brick;
        }
        return null;
    }
}
