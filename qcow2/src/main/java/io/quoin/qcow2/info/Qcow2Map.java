package io.quoin.qcow2.info;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.util.function.Consumer;

/**
 * Where the bytes of a disk are, over its backing chain, as {@code qemu-img map} tells it. Raw
 * backing files count as data from end to end: their holes are not looked for.
 *
 * <p>Threading: confined to its caller.
 */
public final class Qcow2Map {
    private final ImageChain chain;
    private final LayerMap[] layers;
    private final int depthEnd;
    private final ExtentJoiner joined;

    private Qcow2Map(ImageChain chain, int depthEnd, Consumer<MapExtent> consumer) {
        this.chain = chain;
        this.depthEnd = depthEnd;
        joined = new ExtentJoiner(consumer);
        this.layers = new LayerMap[chain.length()];
        for (int depth = 0; depth < layers.length; depth++) {
            layers[depth] = new LayerMap(chain.image(depth), chain.sizeBytes(depth));
        }
    }

    /**
     * Tells {@code consumer} all extents in order; neighbours that are alike are joined, so that
     * memory does not depend on the size.
     *
     * @throws BlockException EIO for a table entry that leads nowhere
     */
    public static void map(ImageChain chain, Consumer<MapExtent> consumer) {
        map(chain, chain.length(), consumer);
    }

    /**
     * As {@link #map(ImageChain, Consumer)}, without a look at the tables of the image at {@code
     * depthEnd} and those below, which may be changed meanwhile: what is theirs, whatever it is, is
     * told as not present at that depth.
     */
    public static void map(ImageChain chain, int depthEnd, Consumer<MapExtent> consumer) {
        new Qcow2Map(chain, depthEnd, consumer).run();
    }

    private void run() {
        long size = chain.sizeBytes(0);
        long at = 0;
        while (at < size) {
            MapExtent extent = extentAt(at, size - at);
            if (extent.length() <= 0) {
                throw new BlockException(
                        BlockError.EIO, "qcow2 map: no extent at guest offset " + at);
            }
            joined.add(extent);
            at += extent.length();
        }
        joined.end();
    }

    private MapExtent extentAt(long guestOffset, long lengthMax) {
        long length = lengthMax;
        for (int depth = 0; ; depth++) {
            LayerMap layer = layers[depth];
            layer.look(guestOffset, length);
            length = Math.min(length, layer.length());
            if (layer.state() != LayerMap.State.UNALLOCATED) {
                return new MapExtent(
                        guestOffset,
                        length,
                        depth,
                        true,
                        layer.state() == LayerMap.State.ZERO,
                        layer.state() != LayerMap.State.ZERO,
                        layer.state() == LayerMap.State.COMPRESSED,
                        layer.hostOffset());
            }
            boolean last = depth == layers.length - 1;
            // What lies beyond the end of the backing file reads as zeros, by the word of the
            // overlay.
            if (last || guestOffset >= layers[depth + 1].sizeBytes()) {
                return new MapExtent(
                        guestOffset, length, depth, false, true, false, false, layer.hostOffset());
            }
            length = Math.min(length, layers[depth + 1].sizeBytes() - guestOffset);
            if (depth + 1 == depthEnd) {
                return MapExtent.unknown(guestOffset, length, depthEnd);
            }
        }
    }
}
