package io.quoin.stripe;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.Option;
import io.quoin.xlator.graph.OptionTable;
import io.quoin.xlator.graph.OptionValues;
import io.quoin.xlator.graph.XlatorType;
import java.util.List;

/**
 * {@code cluster/stripe}: files striped over the subvolumes.
 *
 * <p>Threading: immutable.
 */
public final class StripeType implements XlatorType {
    static final String TYPE = "cluster/stripe";
    static final String BLOCK_SIZE = "block-size";

    private static final OptionTable OPTIONS =
            OptionTable.of(
                    Option.of(
                            BLOCK_SIZE,
                            Option.Type.SIZE,
                            "1M",
                            "How much of a new file goes to one subvolume before the next has its"
                                    + " turn: a power of two from 4K to 1G. A file keeps what it was"
                                    + " made with."));

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
        return PartHeaderLayout.COUNT_MIN;
    }

    @Override
    public int subvolumesMax() {
        return PartHeaderLayout.COUNT_MAX;
    }

    @Override
    public void check(String name, OptionValues options) {
        blockBytes(name, options);
    }

    @Override
    public Xlator create(
            String name, OptionValues options, List<Xlator> subvolumes, GraphContext context) {
        return new StripeXlator(name, subvolumes, blockBytes(name, options), context.loops());
    }

    private static long blockBytes(String name, OptionValues options) {
        long blockBytes = options.sizeBytes(BLOCK_SIZE);
        if (!PartHeaderLayout.isBlockSize(blockBytes)) {
            throw new BlockException(
                    BlockError.EINVAL,
                    name
                            + ": "
                            + BLOCK_SIZE
                            + ": expected=a power of two from "
                            + PartHeaderLayout.BLOCK_BYTES_MIN
                            + " to "
                            + PartHeaderLayout.BLOCK_BYTES_MAX
                            + ", actual="
                            + blockBytes);
        }
        return blockBytes;
    }
}
