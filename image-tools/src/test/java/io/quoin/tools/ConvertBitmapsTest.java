package io.quoin.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoOp;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.SocketFolder;
import io.quoin.tools.ConvertOptions.Bitmaps;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Dirty bitmaps on the way from one image to another, as QEMU sees them at both ends. */
@Timeout(120)
class ConvertBitmapsTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final int CLUSTER_BYTES = 65536;
    private static final int BITMAPS_EXTENSION = 0x23852875;

    private final SocketFolder folder = SocketFolder.create();

    @BeforeEach
    void needPeers() {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO, Peer.QEMU_NBD);
    }

    @AfterEach
    void remove() {
        folder.close();
    }

    private LocalImage image(String name) {
        return new LocalImage(folder.resolve(name), ImageFormat.choose(null, name));
    }

    /** "daily" records, with 64 KiB for a bit; "old" has what was written before it was stopped. */
    private LocalImage source() {
        LocalImage image = image("source.qcow2");
        String path = image.text();
        Peer.QEMU_IMG.command("create", "-qfqcow2", path, "24M").runOk();
        Peer.QEMU_IMG.command("bitmap", "--add", path, "old").runOk();
        Peer.QEMU_IO.command("-c", "write -P 1 1M 100k", path).runOk();
        Peer.QEMU_IMG.command("bitmap", "--disable", path, "old").runOk();
        Peer.QEMU_IMG.command("bitmap", "--add", "-g", "4096", path, "daily").runOk();
        Peer.QEMU_IO.command("-c", "write -P 2 5M 10k", "-c", "write -z 20M 3M", path).runOk();
        return image;
    }

    private static ConvertResult convert(
            ImageLocation from, ImageLocation to, ConvertOptions options) {
        try (ImageSession session = new ImageSession()) {
            return new Convert(session, options, (done, total) -> {}).run(from, to);
        }
    }

    private static ConvertOptions with(Bitmaps bitmaps) {
        return ConvertOptions.defaults().withBitmaps(bitmaps);
    }

    private static JsonNode bitmaps(LocalImage image) throws IOException {
        return JSON.readTree(
                        Peer.QEMU_IMG
                                .command("info", "-fqcow2", "--output=json", image.text())
                                .runOk()
                                .stdout())
                .path("format-specific")
                .path("data")
                .path("bitmaps");
    }

    /** What is marked, by qemu-nbd: QEMU's client tells marks as parts without data. */
    private JsonNode marks(LocalImage image, String bitmap) throws IOException {
        Path socket = folder.resolve("marks.sock");
        try (PeerProcess server =
                Peer.QEMU_NBD
                        .command("-rfqcow2", "-B", bitmap, "--socket=" + socket, image.text())
                        .start()
                        .awaitSocket(socket, LIMIT)) {
            String options =
                    "driver=nbd,server.type=unix,server.path="
                            + socket
                            + ",x-dirty-bitmap=qemu:dirty-bitmap:"
                            + bitmap;
            JsonNode map =
                    JSON.readTree(
                            Peer.QEMU_IMG
                                    .command("map", "--output=json", "--image-opts", options)
                                    .runOk()
                                    .stdout());
            server.awaitExit(LIMIT);
            return map;
        }
    }

    @Test
    void shouldCopyBitmapsWhenAsked() throws IOException {
        LocalImage source = source();
        LocalImage target = image("target.qcow2");
        Map<String, String> format =
                Map.of("cluster_size", "4096", "compression_type", "zstd", "extended_l2", "off");
        ConvertResult result =
                convert(
                        source,
                        target,
                        with(Bitmaps.ALL).withCompression().withCreateOptions(format));

        assertThat(result.bitmaps()).containsExactly("old", "daily");
        assertThat(result.staleBitmaps()).isFalse();
        assertThat(bitmaps(target)).hasSize(2).isEqualTo(bitmaps(source));
        for (String name : result.bitmaps()) {
            assertThat(marks(target, name))
                    .as(name)
                    .hasSizeGreaterThan(2)
                    .isEqualTo(marks(source, name));
        }
        Peer.QEMU_IMG.command("check", "-fqcow2", target.text()).runOk();
        Peer.QEMU_IMG.command("compare", source.text(), target.text()).runOk();
    }

    @Test
    void shouldCopyNoBitmapsUnlessAsked() throws IOException {
        LocalImage target = image("target.qcow2");
        assertThat(convert(source(), target, ConvertOptions.defaults()).bitmaps()).isEmpty();
        assertThat(bitmaps(target)).isEmpty();
    }

    @Test
    void shouldAddToAnImageThatIsThere() throws IOException {
        LocalImage source = source();
        LocalImage target = image("target.qcow2");
        Peer.QEMU_IMG.command("create", "-qfqcow2", target.text(), "24M").runOk();
        Peer.QEMU_IMG.command("bitmap", "--add", target.text(), "other").runOk();
        convert(source, target, with(Bitmaps.ALL).intoExisting(true));
        assertThat(bitmaps(target)).hasSize(3);
        assertThat(marks(target, "old")).isEqualTo(marks(source, "old"));

        assertThatThrownBy(() -> convert(source, target, with(Bitmaps.ALL).intoExisting(false)))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("target cannot take the bitmaps: target=" + target.text())
                .hasMessageContaining("bitmap exists already: bitmap=old");
    }

    @Test
    void shouldLeaveInconsistentBitmapsOutWhenAllowed() throws IOException {
        LocalImage source = source();
        changeFlags(source.path(), 1);
        LocalImage target = image("target.qcow2");

        assertThatThrownBy(() -> convert(source, target, with(Bitmaps.ALL)))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("bitmap is inconsistent")
                .hasMessageContaining("bitmap=old");
        assertThat(Files.exists(target.path())).isFalse();

        ConvertResult result = convert(source, target, with(Bitmaps.CONSISTENT));
        assertThat(result.bitmaps()).containsExactly("daily");
        assertThat(result.skippedBitmaps()).containsExactly("old");
        assertThat(bitmaps(target)).hasSize(1);
    }

    @Test
    void shouldNotTakeUnknownBitmapsForNone() throws IOException {
        LocalImage source = source();
        changeFlags(source.path(), 1 << 30);
        LocalImage target = image("target.qcow2");
        for (Bitmaps wanted : List.of(Bitmaps.ALL, Bitmaps.CONSISTENT)) {
            assertThatThrownBy(() -> convert(source, target, with(wanted)))
                    .isInstanceOf(BlockException.class)
                    .hasMessageContaining("flags");
        }
        assertThat(Files.exists(target.path())).isFalse();
    }

    @Test
    void shouldNotTakeStaleBitmapsForNone() throws IOException {
        LocalImage source = source();
        try (FileChannel file = FileChannel.open(source.path(), StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.allocate(8), 88); // as a program leaves it that knows no bitmaps
        }
        LocalImage target = image("target.qcow2");
        assertThatThrownBy(() -> convert(source, target, with(Bitmaps.ALL)))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("bitmaps are stale");
        ConvertResult result = convert(source, target, with(Bitmaps.CONSISTENT));
        assertThat(result.bitmaps()).isEmpty();
        assertThat(result.staleBitmaps()).isTrue();
    }

    @Test
    void shouldRefuseBeforeCopyingWhatTheTargetHasNoRoomFor() throws IOException {
        LocalImage source = large("source.qcow2", "s");
        Peer.QEMU_IO.command("-c", "write -P 1 0 64k", source.text()).runOk();
        LocalImage target = large("target.qcow2", "t");
        byte[] before = Files.readAllBytes(target.path());
        assertThatThrownBy(() -> convert(source, target, with(Bitmaps.ALL).intoExisting(true)))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("target cannot take the bitmaps")
                .hasMessageContaining("bitmaps would take too much memory: bitmap=s");
        assertThat(target.path()).hasBinaryContent(before);
    }

    /** With a bitmap of 40 MiB. */
    private LocalImage large(String name, String bitmap) {
        LocalImage image = image(name);
        Peer.QEMU_IMG.command("create", "-qfqcow2", image.text(), "20T").runOk();
        Peer.QEMU_IMG.command("bitmap", "--add", "-g", "64K", image.text(), bitmap).runOk();
        return image;
    }

    /** Sets flags of the first entry of the directory. */
    private static void changeFlags(Path path, int more) throws IOException {
        try (FileChannel file =
                FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer header = ByteBuffer.allocate(4096);
            file.read(header, 0);
            int at = header.getInt(100);
            while (header.getInt(at) != BITMAPS_EXTENSION) {
                at += 8 + (header.getInt(at + 4) + 7) / 8 * 8;
            }
            long directory = header.getLong(at + 8 + 16);
            ByteBuffer flags = ByteBuffer.allocate(4);
            file.read(flags, directory + 12);
            file.write(ByteBuffer.allocate(4).putInt(0, flags.getInt(0) | more), directory + 12);
        }
    }

    @Test
    void shouldRefuseBeforeCopyingWhereBitmapsCannotGo() throws IOException {
        LocalImage source = source();
        Peer.QEMU_IMG.command("snapshot", "-c", "s", source.text()).runOk();
        LocalImage larger = image("larger.qcow2");
        Peer.QEMU_IMG.command("create", "-qfqcow2", larger.text(), "25M").runOk();
        LocalImage target = image("target.qcow2");

        ImageLocation remote = ImageLocation.of("nbd+unix:///?socket=/none", null);
        requireRefused(remote, target, with(Bitmaps.ALL), "cannot have bitmaps");
        requireRefused(source, image("target.raw"), with(Bitmaps.ALL), "cannot have bitmaps");
        requireRefused(
                source,
                target,
                with(Bitmaps.ALL).withCreateOptions(Map.of("compat", "0.10")),
                "version 2 images cannot have bitmaps");
        requireRefused(source.at("s"), target, with(Bitmaps.ALL), "not of its snapshots");
        requireRefused(source, larger, with(Bitmaps.ALL).intoExisting(true), "images of one size");
        assertThat(bitmaps(larger)).isEmpty();
        try (Stream<Path> files = Files.list(source.folder())) {
            assertThat(files.map(file -> String.valueOf(file.getFileName())))
                    .containsExactlyInAnyOrder("source.qcow2", "larger.qcow2");
        }
    }

    private static void requireRefused(
            ImageLocation source, LocalImage target, ConvertOptions options, String reason) {
        assertThatThrownBy(() -> convert(source, target, options))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining(reason);
    }

    @Test
    void shouldLeaveNoBitmapsWhenCopyingFails() throws IOException {
        LocalImage source = source();
        LocalImage target = image("target.qcow2");
        Peer.QEMU_IMG.command("create", "-qfqcow2", target.text(), "24M").runOk();
        FaultyFiles.Fault fault =
                request ->
                        request.op() == IoOp.READ && request.lengthBytes() > CLUSTER_BYTES
                                ? BlockError.EIO
                                : BlockError.OK;
        assertThatThrownBy(
                        () -> {
                            try (ImageSession session =
                                    FaultyFiles.session("source.qcow2"::equals, fault)) {
                                new Convert(
                                                session,
                                                with(Bitmaps.ALL).intoExisting(true),
                                                (done, total) -> {})
                                        .run(source, target);
                            }
                        })
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("conversion failed");
        assertThat(bitmaps(target)).isEmpty();
    }
}
