package io.quoin.tools;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockException;
import io.quoin.testkit.log.LogsErrors;
import io.quoin.testkit.peer.Peer;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Conversions of images, judged by qemu-img. */
@Timeout(120)
@LogsErrors("image is corrupt: ")
class ConvertTest {
    private static final long SIZE_BYTES = (40L << 20) + 12 * 512;
    private static final int PIECES = 60;

    @TempDir private Path folder;

    private final long seed = Long.getLong("quoin.seed", new Random().nextInt());

    @BeforeEach
    void printSeed() {
        Peer.QEMU_IMG.assumeAvailable();
        System.out.println("convert: seed=" + seed + " (repeat with -Dquoin.seed)");
    }

    /** Data of random sizes at random places, and zeros among them. */
    private Path randomRaw(String name, long sizeBytes) throws IOException {
        Random random = new Random(seed);
        Path file = folder.resolve(name);
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (int i = 0; i < PIECES; i++) {
                byte[] bytes = new byte[1 + random.nextInt(300_000)];
                if (i % 4 != 0) {
                    random.nextBytes(bytes);
                }
                long offset = (long) (random.nextDouble() * (sizeBytes - bytes.length));
                channel.write(ByteBuffer.wrap(bytes), offset);
            }
        }
        try (RandomAccessFile end = new RandomAccessFile(file.toFile(), "rw")) {
            end.setLength(sizeBytes);
        }
        return file;
    }

    private LocalImage image(String name) {
        return new LocalImage(folder.resolve(name), ImageFormat.choose(null, name));
    }

    private ConvertResult convert(LocalImage from, LocalImage to, ConvertOptions options) {
        try (ImageSession session = new ImageSession()) {
            return new Convert(session, options, (done, total) -> {}).run(from, to);
        }
    }

    private static String format(LocalImage image) {
        return image.format().text();
    }

    private static void requireSame(LocalImage first, LocalImage second) {
        Peer.QEMU_IMG
                .command(
                        "compare",
                        "-f",
                        format(first),
                        "-F",
                        format(second),
                        first.text(),
                        second.text())
                .runOk();
    }

    private static void requireClean(LocalImage image) {
        Peer.QEMU_IMG.command("check", "-f", "qcow2", image.text()).runOk();
    }

    private void requireNothingElse(String... names) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.map(file -> String.valueOf(file.getFileName())))
                    .containsExactlyInAnyOrder(names);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"512", "4096", "65536", "2097152"})
    void shouldReadTheSameWhenConvertedThereAndBack(String clusterSize) throws IOException {
        randomRaw("source.raw", SIZE_BYTES);
        LocalImage source = image("source.raw");
        LocalImage middle = image("middle.qcow2");
        LocalImage back = image("back.raw");
        ConvertOptions options =
                ConvertOptions.defaults().withCreateOptions(Map.of("cluster_size", clusterSize));
        convert(source, middle, options);
        requireClean(middle);
        requireSame(source, middle);
        convert(middle, back, ConvertOptions.defaults());
        assertThat(Files.mismatch(source.path(), back.path())).isEqualTo(-1);
        requireNothingElse("source.raw", "middle.qcow2", "back.raw");
    }

    @Test
    void shouldReadWhatQemuImgWroteWhenItIsAChain() throws IOException {
        randomRaw("base.raw", SIZE_BYTES);
        Peer.QEMU_IMG
                .command(
                        "create",
                        "-q",
                        "-f",
                        "qcow2",
                        "-b",
                        "base.raw",
                        "-F",
                        "raw",
                        folder.resolve("top.qcow2").toString(),
                        "64M")
                .runOk();
        Peer.QEMU_IO
                .command(
                        "-c",
                        "write -P 7 1M 3M",
                        "-c",
                        "write -z 5M 2M",
                        "-c",
                        "write -P 9 63M 1M",
                        folder.resolve("top.qcow2").toString())
                .runOk();
        LocalImage top = image("top.qcow2");
        convert(top, image("flat.qcow2"), ConvertOptions.defaults());
        convert(top, image("flat.raw"), ConvertOptions.defaults());
        requireSame(top, image("flat.qcow2"));
        requireSame(top, image("flat.raw"));
        LocalImage thin = image("thin.qcow2");
        convert(
                top,
                thin,
                ConvertOptions.defaults()
                        .withCreateOptions(
                                Map.of("backing_file", "base.raw", "backing_fmt", "raw")));
        requireSame(top, thin);
        requireClean(thin);
        assertThat(Files.size(thin.path())).isLessThan(8L << 20);
    }

    @Test
    void shouldStoreNoZerosUnlessAskedTo() throws IOException {
        Path file = folder.resolve("zeros.raw");
        Files.write(file, new byte[8 << 20]);
        LocalImage zeros = image("zeros.raw");
        ConvertResult result = convert(zeros, image("sparse.raw"), ConvertOptions.defaults());
        assertThat(result.storedBytes()).isZero();
        assertThat(image("sparse.raw").path()).hasSize(8 << 20);
        result = convert(zeros, image("full.raw"), ConvertOptions.defaults().withSparseBytes(0));
        assertThat(result.storedBytes()).isEqualTo(8 << 20);
    }

    @Test
    void shouldPadToASectorWhenARawImageEndsWithinOne() throws IOException {
        randomRaw("odd.raw", (5L << 20) + 77);
        LocalImage odd = image("odd.raw");
        LocalImage padded = image("padded.qcow2");
        convert(odd, padded, ConvertOptions.defaults());
        requireClean(padded);
        requireSame(odd, padded);
    }

    @Test
    void shouldOverwriteOldDataWhenTheTargetExists() throws IOException {
        randomRaw("source.raw", SIZE_BYTES);
        LocalImage target = image("target.qcow2");
        Peer.QEMU_IMG.command("create", "-q", "-f", "qcow2", target.text(), "50M").runOk();
        Peer.QEMU_IO.command("-c", "write -P 5 0 50M", target.text()).runOk();
        convert(image("source.raw"), target, ConvertOptions.defaults().intoExisting(false));
        requireClean(target);
        try (RandomAccessFile longer =
                new RandomAccessFile(image("source.raw").path().toFile(), "rw")) {
            longer.setLength(50L << 20);
            longer.seek(SIZE_BYTES);
            byte[] old = new byte[(int) ((50L << 20) - SIZE_BYTES)];
            java.util.Arrays.fill(old, (byte) 5);
            longer.write(old);
        }
        requireSame(image("source.raw"), target);
    }

    @Test
    void shouldChangeNothingWhenTheTargetIsTooSmall() throws IOException {
        randomRaw("source.raw", SIZE_BYTES);
        Files.write(folder.resolve("small.raw"), new byte[1000]);
        assertThatThrownBy(
                        () ->
                                convert(
                                        image("source.raw"),
                                        image("small.raw"),
                                        ConvertOptions.defaults().intoExisting(false)))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("target is smaller than the source")
                .hasMessageContaining("actual=1000");
        assertThat(folder.resolve("small.raw")).hasBinaryContent(new byte[1000]);
    }

    @Test
    void shouldLeaveTheOldTargetWhenTheSourceCannotBeRead() throws IOException {
        LocalImage broken = image("broken.qcow2");
        Peer.QEMU_IMG.command("create", "-q", "-f", "qcow2", broken.text(), "64M").runOk();
        Peer.QEMU_IO.command("-c", "write -P 5 0 32M", broken.text()).runOk();
        try (FileChannel channel = FileChannel.open(broken.path(), StandardOpenOption.WRITE)) {
            channel.truncate(Files.size(broken.path()) / 2);
        }
        Files.writeString(folder.resolve("target.raw"), "old");
        assertThatThrownBy(() -> convert(broken, image("target.raw"), ConvertOptions.defaults()))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("failed: image=" + broken.text())
                .hasMessageContaining("offset=");
        assertThat(folder.resolve("target.raw")).hasContent("old");
        requireNothingElse("broken.qcow2", "target.raw");
    }

    @ParameterizedTest
    @ValueSource(strings = {"off", "on"})
    @DisplayName("QCOW2 26: convert makes an image with an external data file")
    void shouldPutTheDataIntoADataFileWhenAskedTo(String raw) throws IOException {
        randomRaw("source.raw", SIZE_BYTES);
        ConvertOptions options =
                ConvertOptions.defaults()
                        .withCreateOptions(Map.of("data_file", "data.bin", "data_file_raw", raw));
        convert(image("source.raw"), image("target.qcow2"), options);
        // QEMU looks for a data file in its own folder.
        Peer.QEMU_IMG
                .command("compare", "-f", "raw", "-F", "qcow2", "source.raw", "target.qcow2")
                .directory(folder)
                .runOk();
        Peer.QEMU_IMG.command("check", "target.qcow2").directory(folder).runOk();
        if (raw.equals("on")) {
            requireSame(
                    image("source.raw"),
                    new LocalImage(folder.resolve("data.bin"), ImageFormat.RAW));
        }
        byte[] before = Files.readAllBytes(folder.resolve("data.bin"));
        assertThatThrownBy(() -> convert(image("source.raw"), image("other.qcow2"), options))
                .hasMessageContaining("data file exists already");
        assertThat(folder.resolve("data.bin")).hasBinaryContent(before);
        requireNothingElse("source.raw", "target.qcow2", "data.bin");
    }

    @Test
    void shouldLeaveNoDataFileWhenTheSourceCannotBeRead() throws IOException {
        LocalImage broken = image("broken.qcow2");
        Peer.QEMU_IMG.command("create", "-q", "-f", "qcow2", broken.text(), "64M").runOk();
        Peer.QEMU_IO.command("-c", "write -P 5 0 32M", broken.text()).runOk();
        try (FileChannel channel = FileChannel.open(broken.path(), StandardOpenOption.WRITE)) {
            channel.truncate(Files.size(broken.path()) / 2);
        }
        ConvertOptions options =
                ConvertOptions.defaults().withCreateOptions(Map.of("data_file", "data.bin"));
        assertThatThrownBy(() -> convert(broken, image("target.qcow2"), options))
                .isInstanceOf(BlockException.class);
        requireNothingElse("broken.qcow2");
    }

    @Test
    void shouldReplaceTheTargetWhenAllIsDone() throws IOException {
        randomRaw("source.raw", SIZE_BYTES);
        Files.writeString(folder.resolve("target.qcow2"), "old");
        convert(image("source.raw"), image("target.qcow2"), ConvertOptions.defaults());
        requireSame(image("source.raw"), image("target.qcow2"));
        assertThatThrownBy(
                        () ->
                                convert(
                                        image("target.qcow2"),
                                        image("target.qcow2"),
                                        ConvertOptions.defaults()))
                .hasMessageContaining("target is an image that is read");
        requireSame(image("source.raw"), image("target.qcow2"));
    }

    @ParameterizedTest
    @CsvSource({"zlib, 65536", "zstd, 65536", "zstd, 4096", "zlib, 2097152"})
    void shouldCompressSoThatQemuImgReadsIt(String type, String clusterSize) throws IOException {
        randomRaw("source.raw", SIZE_BYTES);
        LocalImage source = image("source.raw");
        byte[] text = "a line that compresses well\n".repeat(100_000).getBytes(UTF_8);
        try (FileChannel channel = FileChannel.open(source.path(), StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(text), 17 << 20);
        }
        LocalImage small = image("small.qcow2");
        convert(
                source,
                small,
                ConvertOptions.defaults()
                        .withCompression()
                        .withCreateOptions(
                                Map.of("compression_type", type, "cluster_size", clusterSize)));
        requireSame(source, small);
        requireClean(small);
        assertThat(Peer.QEMU_IMG.command("check", small.text()).runOk().stdout())
                .doesNotContain(" 0.00% compressed")
                .contains("compressed clusters");
        LocalImage back = image("back.raw");
        convert(small, back, ConvertOptions.defaults());
        assertThat(Files.mismatch(source.path(), back.path())).isEqualTo(-1);
    }

    @Test
    void shouldReadAnInternalSnapshotWhenAskedTo() throws IOException {
        randomRaw("source.raw", SIZE_BYTES);
        LocalImage disk = image("disk.qcow2");
        convert(image("source.raw"), disk, ConvertOptions.defaults());
        Peer.QEMU_IMG.command("snapshot", "-c", "before", disk.text()).runOk();
        Peer.QEMU_IO.command("-c", "write -P 5 0 20M", disk.text()).runOk();
        convert(disk.at("before"), image("back.raw"), ConvertOptions.defaults());
        assertThat(Files.mismatch(image("source.raw").path(), image("back.raw").path()))
                .isEqualTo(-1);
    }

    @Test
    void shouldRefuseToCompressWhenTheTargetCannot() throws IOException {
        randomRaw("source.raw", SIZE_BYTES);
        assertThatThrownBy(
                        () ->
                                convert(
                                        image("source.raw"),
                                        image("target.raw"),
                                        ConvertOptions.defaults().withCompression()))
                .hasMessageContaining("raw images cannot be compressed");
        requireNothingElse("source.raw");
    }
}
