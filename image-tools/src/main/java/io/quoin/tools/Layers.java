package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.qcow2.file.BackingFiles;
import io.quoin.qcow2.info.ImageChain;
import io.quoin.qcow2.info.MapExtent;
import io.quoin.qcow2.info.Qcow2Map;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * An image and its backing files by their names, and which of them has what. They are looked at
 * beside those that have them open: a caller that walks the {@link #map} may write to the image in
 * the places that the walk has left behind.
 *
 * <p>Threading: confined to its user.
 */
final class Layers implements AutoCloseable {
    private final ImageChain chain;
    private final Path folder;

    private Layers(ImageChain chain, Path folder) {
        this.chain = chain;
        this.folder = folder;
    }

    /** Of the qcow2 image {@code path}, which is no link. */
    static Layers open(ImageSession session, Path path) {
        Path folder = Objects.requireNonNull(path.getParent());
        return new Layers(
                ImageChain.open(
                        session.beside(path), BackingFiles.inFolder(folder, session::beside)),
                folder);
    }

    /** Images of the chain, the first among them. */
    int count() {
        return chain.length();
    }

    /** Names of the backing files, that at depth 1 first. */
    List<String> backingNames() {
        List<String> names = new ArrayList<>();
        for (int depth = 0; depth < chain.length() - 1; depth++) {
            names.add(String.valueOf(header(depth).backingFile()));
        }
        return names;
    }

    /** The backing file at {@code depth}, from 1 on. */
    LocalImage backing(int depth) {
        Qcow2Header overlay = header(depth - 1);
        return new LocalImage(
                folder.resolve(NameText.path(String.valueOf(overlay.backingFile()))),
                ImageFormat.RAW.text().equals(overlay.backingFormat())
                        ? ImageFormat.RAW
                        : ImageFormat.QCOW2);
    }

    /** The size of clusters of the image at depth 0. */
    int clusterSizeBytes() {
        return header(0).clusterSizeBytes();
    }

    private Qcow2Header header(int depth) {
        return Objects.requireNonNull(chain.header(depth));
    }

    /**
     * All extents, in order; those of the image at {@code depthEnd} and below, which are not looked
     * into, as not present at that depth.
     */
    void map(int depthEnd, Consumer<MapExtent> consumer) {
        Qcow2Map.map(chain, depthEnd, consumer);
    }

    @Override
    public void close() {
        try {
            chain.close();
        } catch (IOException e) {
            throw new BlockException(
                    BlockError.EIO, "image cannot be closed: reason=" + Reason.of(e), e);
        }
    }
}
