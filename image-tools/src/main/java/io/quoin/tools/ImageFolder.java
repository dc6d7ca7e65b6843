package io.quoin.tools;

import io.quoin.xlator.NameText;
import io.quoin.xlator.Stages;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.graph.Graph;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.Volfile;
import io.quoin.xlator.graph.VolumeSpec;
import io.quoin.xlator.graph.XlatorTypes;
import io.quoin.xlator.loop.LoopGroup;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;

/**
 * A private graph on one folder: its files as they are, and its files as qcow2 images. Backing
 * files come from the same folder. Files are locked as QEMU does it, and the folder is if it is a
 * brick, so that nothing is touched that is in use.
 *
 * <pre>
 *   images (features/qcow2, every file) -> files (storage/posix, no brick)
 * </pre>
 *
 * <p>Threading: thread-safe.
 */
final class ImageFolder implements AutoCloseable {
    private static final String FILES = "files";
    private static final String IMAGES = "images";

    private final Graph graph;

    /**
     * @param locking off: nothing is locked, and may change while it is read
     * @param compressionThreads 0: one for each processor
     * @param types among them those of the two nodes
     */
    ImageFolder(
            Path folder,
            boolean locking,
            LoopGroup loops,
            Executor blocking,
            int compressionThreads,
            XlatorTypes types) {
        VolumeSpec files =
                new VolumeSpec(
                        FILES,
                        "storage/posix",
                        Map.of(
                                "directory",
                                NameText.of(folder),
                                "brick",
                                "off",
                                "locking",
                                locking ? "on" : "off"),
                        List.of());
        VolumeSpec images =
                new VolumeSpec(
                        IMAGES,
                        "features/qcow2",
                        Map.of(
                                "images",
                                "all",
                                "protect-parents",
                                "off",
                                "compression-threads",
                                String.valueOf(compressionThreads)),
                        List.of(FILES));
        graph =
                Graph.build(
                        Volfile.of(List.of(files, images)),
                        new GraphContext(loops, blocking, folder),
                        types);
    }

    /** The namespace in which files have that format. */
    Xlator as(ImageFormat format) {
        return graph.node(format == ImageFormat.RAW ? FILES : IMAGES);
    }

    @Override
    public void close() {
        Stages.await(graph.close());
    }
}
