package io.quoin.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Capabilities;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.graph.Graph;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.Volfile;
import io.quoin.xlator.graph.VolumeSpec;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.loop.NettyLoopGroup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Images as the offline tools open and make them. */
@Timeout(60)
class ImageSessionTest {
    private static final long SIZE_BYTES = 3L << 20;

    @TempDir private Path folder;

    private LocalImage image(String name, ImageFormat format) {
        return new LocalImage(folder.resolve(name), format);
    }

    @Test
    void shouldOpenQcow2OfAnyNameWhenTheFormatIsGiven() throws IOException {
        LocalImage odd = image("disk of vm1", ImageFormat.QCOW2);
        try (ImageSession session = new ImageSession()) {
            session.create(odd, CreateOptions.ofSize(SIZE_BYTES));
            try (OpenedImage opened = session.open(odd, OpenMode.READ_WRITE)) {
                assertThat(opened.geometry().sizeBytes()).isEqualTo(SIZE_BYTES);
                assertThat(opened.details()).containsEntry("format", "qcow2");
            }
            try (OpenedImage raw =
                    session.open(image("disk of vm1", ImageFormat.RAW), OpenMode.READ_ONLY)) {
                assertThat(raw.geometry().sizeBytes()).isLessThan(SIZE_BYTES);
            }
        }
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).as("nothing but the image").containsExactly(odd.path());
        }
    }

    @Test
    void shouldOpenBackingFileOfTheSameFolderWhenItsNameHasNoSuffix() {
        try (ImageSession session = new ImageSession()) {
            session.create(image("base", ImageFormat.QCOW2), CreateOptions.ofSize(SIZE_BYTES));
            session.create(
                    image("top", ImageFormat.QCOW2),
                    new CreateOptions(0, Map.of("backing_file", "base", "backing_fmt", "qcow2")));
            OpenedImage top = session.open(image("top", ImageFormat.QCOW2), OpenMode.READ_ONLY);
            assertThat(top.geometry().sizeBytes()).isEqualTo(SIZE_BYTES);
            assertThat(top.details()).containsEntry("backing-file", "base");
        }
    }

    @Test
    void shouldCloseTheFileWhenItCannotBeUsed() {
        AtomicInteger closed = new AtomicInteger();
        LocalImage image = image("disk.raw", ImageFormat.RAW);
        try (ImageSession session =
                new ImageSession(1, WrappedPosix.types(posix -> new Unusable(posix, closed)))) {
            session.create(image, CreateOptions.ofSize(SIZE_BYTES));
            assertThatThrownBy(() -> session.open(image, OpenMode.READ_WRITE))
                    .isInstanceOf(BlockException.class)
                    .hasMessageContaining("no capabilities");
            assertThat(closed).hasValue(1);
        }
    }

    /** Files whose capabilities cannot be told. */
    private static final class Unusable extends PassThroughXlator {
        private final AtomicInteger closed;

        Unusable(Xlator below, AtomicInteger closed) {
            super("unusable", "testkit/unusable", below);
            this.closed = closed;
        }

        @Override
        public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
            return subvolume().open(fileName, options, loop).thenApply(this::unusable);
        }

        private XlatorFile unusable(XlatorFile file) {
            return new PassThroughFile(file) {
                @Override
                public Capabilities capabilities() {
                    throw new IllegalStateException("no capabilities");
                }

                @Override
                public CompletionStage<Void> close() {
                    closed.incrementAndGet();
                    return super.close();
                }
            };
        }
    }

    @Test
    void shouldRefuseImageWhenItsFolderIsAServedBrick() throws Exception {
        VolumeSpec brick =
                new VolumeSpec(
                        "brick",
                        "storage/posix",
                        Map.of("directory", folder.toString()),
                        List.of());
        LocalImage image = image("vm1.qcow2", ImageFormat.QCOW2);
        try (NettyLoopGroup loops = new NettyLoopGroup(1)) {
            Graph served =
                    Graph.build(
                            Volfile.of(List.of(brick)),
                            new GraphContext(loops, Runnable::run, folder));
            Files.createFile(image.path());
            try (ImageSession session = new ImageSession()) {
                assertThatThrownBy(() -> session.open(image, OpenMode.READ_ONLY))
                        .isInstanceOfSatisfying(
                                BlockException.class,
                                e -> assertThat(e.error()).isEqualTo(BlockError.EBUSY))
                        .hasMessageContaining("pid=" + ProcessHandle.current().pid())
                        .hasMessageContaining("stop what serves it first");
            }
            served.close().toCompletableFuture().get();
        }
        Files.delete(image.path());
        try (ImageSession session = new ImageSession()) {
            session.create(image, CreateOptions.ofSize(SIZE_BYTES));
            session.open(image, OpenMode.READ_WRITE);
        }
    }

    @Test
    void shouldSayWhatIsMissingWhenThereIsNoSuchImage() {
        LocalImage image = image("none.raw", ImageFormat.RAW);
        try (ImageSession session = new ImageSession()) {
            assertThatThrownBy(() -> session.open(image, OpenMode.READ_ONLY))
                    .isInstanceOf(BlockException.class)
                    .hasMessageContaining("no such image file")
                    .hasMessageContaining(image.path().toString());
        }
    }

    @Test
    void shouldFollowLinkWhenTheImageIsBehindOne() throws IOException {
        LocalImage image = image("real.raw", ImageFormat.RAW);
        Path elsewhere = Files.createDirectory(folder.resolve("links"));
        Path link = Files.createSymbolicLink(elsewhere.resolve("l.raw"), image.path());
        try (ImageSession session = new ImageSession()) {
            session.create(image, CreateOptions.ofSize(SIZE_BYTES));
            LocalImage linked = new LocalImage(link, ImageFormat.RAW);
            OpenedImage opened = session.open(linked, OpenMode.READ_WRITE);
            assertThat(opened.geometry().sizeBytes()).isEqualTo(SIZE_BYTES);
            opened.resize(2 * SIZE_BYTES);
        }
        assertThat(image.path()).hasSize(2 * SIZE_BYTES);
    }
}
