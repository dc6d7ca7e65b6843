package io.quoin.qcow2.info;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.file.BackingFiles;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.qcow2.layout.Qcow2Header;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An image and its backing files, open read-only.
 *
 * <p>Threading: confined to its user.
 */
public final class ImageChain implements Closeable {
    /** Longer chains are refused, among them those that lead back to themselves. */
    public static final int LENGTH_MAX = 256;

    private final List<Layer> layers;

    private ImageChain(List<Layer> layers) {
        this.layers = layers;
    }

    /**
     * Opens the chain of qcow2 image {@code top}, which is closed with it.
     *
     * @throws BlockException for a backing file without a format or of an unknown one, a chain
     *     longer than {@link #LENGTH_MAX}, and everything that {@code backing} or a header is
     *     refused for; {@code top} is closed then
     */
    public static ImageChain open(ImageFile top, BackingFiles backing) {
        List<Layer> layers = new ArrayList<>();
        ImageChain chain = new ImageChain(layers);
        boolean opened = false;
        try {
            chain.addQcow2(top);
            for (Layer last = chain.last(); last.hasBacking(); last = chain.last()) {
                if (layers.size() == LENGTH_MAX) {
                    throw new BlockException(
                                    BlockError.EINVAL,
                                    "backing chain: longer than "
                                            + LENGTH_MAX
                                            + " images, or a loop")
                            .about(top.name());
                }
                chain.addBacking(last, backing);
            }
            opened = true;
            return chain;
        } finally {
            if (!opened) {
                chain.closeQuietly();
            }
        }
    }

    private Layer last() {
        return layers.get(layers.size() - 1);
    }

    private void addBacking(Layer overlay, BackingFiles backing) {
        Qcow2Header header = overlay.header();
        String name = header.backingFile();
        String format = header.backingFormat();
        if ("qcow2".equals(format)) {
            addQcow2(backing.open(String.valueOf(name)));
        } else if ("raw".equals(format)) {
            ImageFile raw = backing.open(String.valueOf(name));
            layers.add(new Layer(raw, null));
        } else {
            throw new BlockException(
                            BlockError.ENOTSUP,
                            "backing file: name="
                                    + name
                                    + ", expected=its format in the header, qcow2 or raw, actual="
                                    + (format == null ? "none" : format))
                    .about(overlay.file().name());
        }
    }

    private void addQcow2(ImageFile file) {
        Layer layer = new Layer(file, null);
        layers.add(layer);
        layers.set(layers.size() - 1, new Layer(file, ClosedImage.open(file)));
    }

    /** Images of the chain, {@code top} among them. */
    public int length() {
        return layers.size();
    }

    /** The header of an image of the chain; null: it is raw. */
    public @Nullable Qcow2Header header(int depth) {
        ClosedImage image = layers.get(depth).image();
        return image == null ? null : image.header;
    }

    /** The virtual size of an image of the chain. */
    public long sizeBytes(int depth) {
        return layers.get(depth).sizeBytes();
    }

    @Nullable ClosedImage image(int depth) {
        return layers.get(depth).image();
    }

    @Override
    public void close() throws IOException {
        IOException failure = null;
        for (Layer layer : layers) {
            try {
                layer.file().close();
            } catch (IOException e) {
                failure = e;
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    private void closeQuietly() {
        try {
            close();
        } catch (IOException e) {
            // The reason why the chain could not be opened is on its way to the caller already.
            return;
        }
    }

    private record Layer(ImageFile file, @Nullable ClosedImage image) {
        boolean hasBacking() {
            return image != null && image.header.backingFile() != null;
        }

        Qcow2Header header() {
            if (image == null) {
                throw new IllegalStateException("a raw image has no header");
            }
            return image.header;
        }

        long sizeBytes() {
            try {
                return image == null ? file.sizeBytes() : image.header.sizeBytes();
            } catch (IOException e) {
                throw ClosedImage.failed(file, e);
            }
        }
    }
}
