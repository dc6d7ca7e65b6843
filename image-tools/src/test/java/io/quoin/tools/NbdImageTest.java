package io.quoin.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.SocketFolder;
import io.quoin.tools.ConvertOptions.Bitmaps;
import io.quoin.xlator.OpenMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** NBD servers of others as source and target. */
@Timeout(120)
class NbdImageTest {
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final int SIZE_BYTES = 24 << 20;

    private final SocketFolder folder = SocketFolder.create();
    private final List<PeerProcess> servers = new ArrayList<>();

    @AfterEach
    void stop() {
        servers.forEach(PeerProcess::close);
        folder.close();
    }

    private Path randomRaw(String name) throws IOException {
        long seed = Long.getLong("quoin.seed", new Random().nextInt());
        System.out.println("nbd image: seed=" + seed + " (repeat with -Dquoin.seed)");
        Random random = new Random(seed);
        Path file = folder.resolve(name);
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            for (int i = 0; i < 20; i++) {
                byte[] bytes = new byte[1 + random.nextInt(700_000)];
                random.nextBytes(bytes);
                channel.write(ByteBuffer.wrap(bytes), random.nextInt(SIZE_BYTES - bytes.length));
            }
            channel.write(ByteBuffer.wrap(new byte[1]), SIZE_BYTES - 1);
        }
        return file;
    }

    private String serve(Peer peer, String... arguments) {
        peer.assumeAvailable();
        Path socket = folder.resolve("s" + servers.size());
        List<String> argv = new ArrayList<>();
        if (peer == Peer.QEMU_NBD) {
            argv.addAll(List.of("--persistent", "--shared=4", "--socket=" + socket));
        } else {
            argv.addAll(List.of("-f", "-U", socket.toString()));
        }
        argv.addAll(List.of(arguments));
        servers.add(peer.command(argv).start().awaitSocket(socket, LIMIT));
        return "nbd+unix:///?socket=" + socket;
    }

    private static ImageLocation at(String text) {
        return ImageLocation.of(text, null);
    }

    private static ConvertResult convert(String from, String to, ConvertOptions options) {
        try (ImageSession session = new ImageSession()) {
            return new Convert(session, options, (done, total) -> {}).run(at(from), at(to));
        }
    }

    private static CompareResult compare(String first, String second) {
        try (ImageSession session = new ImageSession()) {
            Compare compare = new Compare(session, false, (done, total) -> {});
            return compare.run(compare.open(at(first), at(second)));
        }
    }

    private static void requireSame(String first, String second) {
        assertThat(compare(first, second).isSame()).isTrue();
    }

    @Test
    void shouldCopyToAndFromQemuNbd() throws IOException {
        Peer.assumeAll(Peer.QEMU_NBD, Peer.QEMU_IMG);
        String source = randomRaw("a.raw").toString();
        String image = folder.resolve("b.qcow2").toString();
        Peer.QEMU_IMG.command("create", "-q", "-f", "qcow2", image, "" + SIZE_BYTES).runOk();
        String uri = serve(Peer.QEMU_NBD, "--format=qcow2", "--discard=unmap", image);
        convert(source, uri, ConvertOptions.defaults().intoExisting(true));
        requireSame(source, uri);
        String back = folder.resolve("c.qcow2").toString();
        ConvertResult result = convert(uri, back, ConvertOptions.defaults());
        assertThat(result.readBytes()).as("holes are not read").isLessThan(SIZE_BYTES);
        Peer.QEMU_IMG.command("compare", "-f", "raw", source, back).runOk();
        servers.get(0).terminate();
        servers.get(0).awaitExit(LIMIT);
        Peer.QEMU_IMG.command("compare", "-f", "raw", source, image).runOk();
        Peer.QEMU_IMG.command("check", image).runOk();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "--no-sr", "--filter=nozero", "--filter=noextents", "--filter=fua"})
    void shouldMakeDoWhenNbdkitCannotDoAll(String lack) throws IOException {
        String source = randomRaw("a.raw").toString();
        List<String> arguments = new ArrayList<>();
        if (!lack.isEmpty()) {
            arguments.add(lack);
        }
        arguments.addAll(List.of("memory", "" + SIZE_BYTES));
        String uri = serve(Peer.NBDKIT, arguments.toArray(String[]::new));
        convert(source, uri, ConvertOptions.defaults().intoExisting(false));
        requireSame(source, uri);
        String back = folder.resolve("back.raw").toString();
        convert(uri, back, ConvertOptions.defaults());
        assertThat(Files.mismatch(Path.of(source), Path.of(back))).isEqualTo(-1);
    }

    @Test
    void shouldKeepToTheBlockSizesOfTheServer() throws IOException {
        String source = randomRaw("a.raw").toString();
        String uri =
                serve(
                        Peer.NBDKIT,
                        "--filter=blocksize-policy",
                        "memory",
                        "" + SIZE_BYTES,
                        "blocksize-minimum=64k",
                        "blocksize-preferred=128k",
                        "blocksize-maximum=256k",
                        "blocksize-error-policy=error");
        convert(source, uri, ConvertOptions.defaults().intoExisting(false));
        requireSame(source, uri);
    }

    private String serveInBlocks(String plugin, String argument, String minimum) {
        return serve(
                Peer.NBDKIT,
                "--filter=blocksize-policy",
                plugin,
                argument,
                "blocksize-minimum=" + minimum,
                "blocksize-preferred=64k",
                "blocksize-maximum=256k",
                "blocksize-error-policy=error");
    }

    @Test
    void shouldConvertWhenAClusterIsLargerThanWhatTheServerTakes() throws IOException {
        Peer.QEMU_IMG.assumeAvailable();
        String source = randomRaw("a.raw").toString();
        String uri = serveInBlocks("file", source, "512");
        String target = folder.resolve("b.qcow2").toString();
        convert(
                uri,
                target,
                ConvertOptions.defaults().withCreateOptions(Map.of("cluster_size", "1M")));
        Peer.QEMU_IMG.command("compare", "-f", "raw", source, target).runOk();
        String back = serveInBlocks("memory", "" + SIZE_BYTES, "512");
        convert(target, back, ConvertOptions.defaults().intoExisting(true));
        requireSame(source, back);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4095, 4097, 10_000})
    void shouldCompareWithAFileThatEndsWithinABlockOfTheServer(int sizeBytes) throws IOException {
        byte[] content = new byte[sizeBytes];
        new Random(sizeBytes).nextBytes(content);
        content[sizeBytes - 1] = 1;
        int served = (sizeBytes + 4095) / 4096 * 4096;
        String local = Files.write(folder.resolve("a.raw"), content).toString();
        Path file = Files.write(folder.resolve("b.raw"), Arrays.copyOf(content, served));
        String uri = serveInBlocks("file", file.toString(), "4k");
        requireSame(local, uri);
        requireSame(uri, local);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(new byte[] {2}), sizeBytes - 1);
            channel.write(ByteBuffer.wrap(new byte[] {2}), served - 1);
        }
        assertThat(compare(local, uri).offsetBytes()).isEqualTo(sizeBytes - 1);
        Files.write(file, Arrays.copyOf(content, served));
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(new byte[] {2}), served - 1);
        }
        CompareResult behindTheEnd = compare(uri, local);
        assertThat(behindTheEnd.offsetBytes()).isEqualTo(served - 1);
        assertThat(behindTheEnd.sizesDiffer()).isTrue();
    }

    @Test
    void shouldWriteWholeBlocksWhenTheSparseSizeIsNoMultipleOfThem() throws IOException {
        Path source = randomRaw("a.raw");
        byte[] content = Files.readAllBytes(source);
        for (int at = 0; at < content.length; at += 48 << 10) {
            content[at] = 1; // all over, so that blocks of zeros begin and end everywhere
        }
        Files.write(source, content);
        String uri =
                serve(
                        Peer.NBDKIT,
                        "--filter=blocksize-policy",
                        "memory",
                        "" + SIZE_BYTES,
                        "blocksize-minimum=4k",
                        "blocksize-preferred=4k",
                        "blocksize-maximum=32M",
                        "blocksize-error-policy=error");
        convert(
                source.toString(),
                uri,
                ConvertOptions.defaults().withSparseBytes(6 << 10).intoExisting(false));
        requireSame(source.toString(), uri);
    }

    @Test
    void shouldLeaveNothingWhenTheServerDiesInTheMiddle() throws IOException {
        randomRaw("a.raw");
        String uri =
                serve(
                        Peer.NBDKIT,
                        "--filter=delay",
                        "--filter=noextents",
                        "file",
                        folder.resolve("a.raw").toString(),
                        "rdelay=50ms");
        String target = folder.resolve("target.qcow2").toString();
        AtomicReference<Boolean> killed = new AtomicReference<>(false);
        ConvertOptions oneByOne =
                new ConvertOptions(false, Map.of(), false, false, 4096, 1, Bitmaps.NONE);
        assertThatThrownBy(
                        () -> {
                            try (ImageSession session = new ImageSession()) {
                                new Convert(
                                                session,
                                                oneByOne,
                                                (done, total) -> {
                                                    if (!killed.getAndSet(true)) {
                                                        servers.get(0).kill();
                                                    }
                                                })
                                        .run(at(uri), at(target));
                            }
                        })
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("failed: image=" + uri)
                .hasMessageContaining("connection to the NBD server lost");
        try (Stream<Path> files = Files.list(folder.path())) {
            assertThat(files.map(file -> String.valueOf(file.getFileName())))
                    .noneMatch(name -> name.contains("target") || name.startsWith(".quoin"));
        }
    }

    @Test
    void shouldTellWhenAWriteFails() throws IOException {
        String source = randomRaw("a.raw").toString();
        String uri =
                serve(
                        Peer.NBDKIT,
                        "--filter=error",
                        "memory",
                        "" + SIZE_BYTES,
                        "error-pwrite=ENOSPC",
                        "error-pwrite-rate=1");
        assertThatThrownBy(() -> convert(source, uri, ConvertOptions.defaults().intoExisting(true)))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.ENOSPC))
                .hasMessageContaining("write failed: image=" + uri)
                .hasMessageContaining("no space left");
    }

    @Test
    void shouldSayWhatIsWrongWhenAnExportCannotBeOpened() throws IOException {
        String readOnly = serve(Peer.NBDKIT, "-r", "memory", "1M");
        try (ImageSession session = new ImageSession()) {
            assertThatThrownBy(() -> session.open(at(readOnly), OpenMode.READ_WRITE))
                    .hasMessageContaining("the export is read-only");
            assertThatThrownBy(
                            () ->
                                    session.open(
                                            at("nbd+unix:///?socket=/nowhere/at/all"),
                                            OpenMode.READ_ONLY))
                    .hasMessageContaining("cannot connect")
                    .hasMessageContaining("/nowhere/at/all");
            assertThatThrownBy(() -> at("nbds://host/x"))
                    .hasMessageContaining("kind that is not supported");
            assertThatThrownBy(() -> at("nbd+unix:///x"))
                    .hasMessageContaining("expected=one socket");
        }
        Path file = Files.write(folder.resolve("x.raw"), new byte[512]);
        String named = serve(Peer.QEMU_NBD, "--format=raw", "--export-name=one", file.toString());
        try (ImageSession session = new ImageSession()) {
            assertThatThrownBy(() -> session.open(at(named), OpenMode.READ_ONLY))
                    .isInstanceOfSatisfying(
                            BlockException.class,
                            e -> assertThat(e.error()).isEqualTo(BlockError.ENOENT))
                    .hasMessageContaining("it has no such export");
            String right = named.replace("///", "///one");
            assertThat(session.open(at(right), OpenMode.READ_ONLY).geometry().sizeBytes())
                    .isEqualTo(512);
        }
    }
}
