package io.quoin.management.cli.image;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.image.ImageFormat;
import io.quoin.management.image.LocalImage;
import io.quoin.management.volume.Stages;
import io.quoin.xlator.graph.Graph;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.Volfile;
import io.quoin.xlator.graph.VolumeSpec;
import io.quoin.xlator.loop.NettyLoopGroup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * The image file that an offline command is about, and its format: by option, else by suffix, never
 * by content, since a guest can write a qcow2 header into a raw image.
 *
 * <p>Threading: confined to the main thread.
 */
final class ImageSource {
    @Parameters(index = "0", paramLabel = "FILE", description = "an image file")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path file;

    @Option(
            names = {"-f", "--format"},
            paramLabel = "FORMAT",
            description = "qcow2 or raw (default: raw for *.raw and *.img, else qcow2)")
    private @Nullable ImageFormat format;

    Path file() {
        if (!Files.isRegularFile(file)) {
            throw new BlockException(
                    BlockError.ENOENT, "no such image file: path=" + file.toAbsolutePath());
        }
        return file;
    }

    /** Which need not exist. */
    LocalImage image() {
        return new LocalImage(file, ImageFormat.choose(format, file.toString()));
    }

    boolean isRaw() {
        return image().format() == ImageFormat.RAW;
    }

    Path folder() {
        return Objects.requireNonNull(file.toAbsolutePath().normalize().getParent());
    }

    /**
     * Keeps the brick, if the image lies in one, from being served until it is closed.
     *
     * @throws BlockException EBUSY with the process id, while it is served
     */
    AutoCloseable hold() {
        if (!Files.exists(folder().resolve(".quoin/lock"))) {
            return () -> {};
        }
        VolumeSpec brick =
                new VolumeSpec(
                        "brick",
                        "storage/posix",
                        Map.of("directory", folder().toString()),
                        List.of());
        NettyLoopGroup loops = new NettyLoopGroup(1);
        try {
            Graph graph =
                    Graph.build(
                            Volfile.of(List.of(brick)),
                            new GraphContext(loops, Runnable::run, folder()));
            return () -> {
                try {
                    Stages.await(graph.close());
                } finally {
                    loops.close();
                }
            };
        } catch (BlockException e) {
            loops.close();
            throw new BlockException(
                    e.error(),
                    "image is in a brick that cannot be had: "
                            + e.getMessage()
                            + "; stop what serves it first",
                    e);
        }
    }
}
