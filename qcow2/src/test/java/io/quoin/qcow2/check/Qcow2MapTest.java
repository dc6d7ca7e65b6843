package io.quoin.qcow2.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockException;
import io.quoin.qcow2.check.QemuImages.Kind;
import io.quoin.qcow2.file.BackingFiles;
import io.quoin.qcow2.file.ChannelImageFile;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.qcow2.info.ImageChain;
import io.quoin.qcow2.info.MapExtent;
import io.quoin.qcow2.info.Qcow2Info;
import io.quoin.qcow2.info.Qcow2Map;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerResult;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds map and info against QEMU's. Checklist sections 4, 6, 8. */
@Timeout(120)
class Qcow2MapTest {
    @TempDir Path folder;

    @ParameterizedTest
    @EnumSource(Kind.class)
    void shouldMapAndDescribeAsQemuDoes(Kind kind) throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        long seed = kind.name().hashCode() + 1L;
        System.out.println(kind + " seed " + seed);
        Path image = QemuImages.make(folder, kind, new Random(seed));
        assertThat(ownMap(image)).isEqualTo(qemuMap(image));
        String info =
                Peer.QEMU_IMG.command("info", "--output=json", image.toString()).runOk().stdout();
        try (ImageFile file = ChannelImageFile.open(image, false)) {
            assertAllIn(info, Qcow2Info.describe(file));
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Kind.class,
            names = {"V3", "V2", "CLUSTER_512", "CLUSTER_2M", "EXTENDED_L2", "COMPRESSED"})
    void shouldMapChainAsQemuDoes(Kind kind) throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        long seed = kind.name().hashCode() + 2L;
        System.out.println(kind + " seed " + seed);
        Random random = new Random(seed);
        byte[] filled = new byte[768 << 10];
        Arrays.fill(filled, (byte) 3);
        Files.write(folder.resolve("base.raw"), filled);
        Path middle = folder.resolve("middle.qcow2");
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
                        middle.toString(),
                        "2M")
                .runOk();
        Peer.QEMU_IO
                .command(
                        "-f",
                        "qcow2",
                        "-c",
                        "write -z 64k 100k",
                        "-c",
                        "write 1M 300k",
                        middle.toString())
                .runOk();
        Path image =
                QemuImages.make(folder, kind, random, List.of("-b", "middle.qcow2", "-F", "qcow2"));
        assertThat(ownMap(image)).isEqualTo(qemuMap(image));
    }

    @Test
    @DisplayName("QCOW2 48: a chain that leads back to itself is refused")
    void shouldRefuseChainThatLeadsBackToItself() throws IOException {
        Peer.QEMU_IMG.assumeAvailable();
        Path image = folder.resolve("self.qcow2");
        Peer.QEMU_IMG.command("create", "-q", "-f", "qcow2", image.toString(), "1M").runOk();
        Peer.QEMU_IMG
                .command("rebase", "-u", "-b", "self.qcow2", "-F", "qcow2", image.toString())
                .run();
        assertThatThrownBy(() -> ownMap(image))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("loop");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/etc/passwd",
                "../outside",
                "json:{}",
                "nbd:localhost:1",
                "file:x",
                "sub/../../outside",
                "link"
            })
    @DisplayName("QCOW2 47: a backing file outside of the folder is refused")
    void shouldRefuseBackingFileOutsideOfFolder(String name) throws IOException {
        Path inside = Files.createDirectory(folder.resolve("inside"));
        Files.write(folder.resolve("outside"), new byte[512]);
        Files.createSymbolicLink(inside.resolve("link"), folder.resolve("outside"));
        BackingFiles backing =
                BackingFiles.inFolder(inside, path -> ChannelImageFile.open(path, false));
        assertThatThrownBy(() -> backing.open(name)).isInstanceOf(BlockException.class);
    }

    @Test
    @DisplayName("QCOW2 66: an L2 table beyond the end of the file is an error")
    void shouldFailWhenEntryLeadsBeyondEndOfFile() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        Path image = QemuImages.make(folder, Kind.V3, new Random(1));
        breakL1(image);
        assertThatThrownBy(() -> ownMap(image))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("beyond");
    }

    @Test
    void shouldNotLookIntoImagesFromTheDepthEndOn() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        Path base = folder.resolve("base.qcow2");
        Path image = folder.resolve("top.qcow2");
        Peer.QEMU_IMG.command("create", "-qfqcow2", base.toString(), "1M").runOk();
        Peer.QEMU_IMG
                .command("create", "-qfqcow2", "-bbase.qcow2", "-Fqcow2", image.toString(), "2M")
                .runOk();
        Peer.QEMU_IO.command("-fqcow2", "-cwrite 128k 64k", image.toString()).runOk();
        breakL1(base);

        List<String> extents = new ArrayList<>();
        try (ImageChain chain = open(image)) {
            Qcow2Map.map(
                    chain,
                    1,
                    extent ->
                            extents.add(
                                    extent.length() / 1024
                                            + (extent.present() ? " own" : " ")
                                            + (extent.zero() ? "zero" : "")
                                            + " at "
                                            + extent.depth()));
        }

        assertThat(extents)
                .containsExactly("128  at 1", "64 own at 0", "832  at 1", "1024 zero at 0");
        assertThatThrownBy(() -> ownMap(image)).hasMessageContaining("beyond");
    }

    /** Its first entry leads beyond the end of the file. */
    private static void breakL1(Path image) throws IOException {
        try (ImageFile file = ChannelImageFile.open(image, false);
                RandomAccessFile raw = new RandomAccessFile(image.toFile(), "rw")) {
            raw.seek(ClosedImage.open(file).header.l1TableOffset());
            raw.write(ByteBuffer.allocate(8).putLong(1L << 40).array());
        }
    }

    private static ImageChain open(Path image) {
        return ImageChain.open(
                ChannelImageFile.open(image, false),
                BackingFiles.inFolder(
                        image.getParent(), path -> ChannelImageFile.open(path, false)));
    }

    private static List<String> ownMap(Path image) throws IOException {
        List<String> extents = new ArrayList<>();
        try (ImageChain chain = open(image)) {
            Qcow2Map.map(chain, extent -> extents.add(text(extent)));
        }
        return extents;
    }

    /**
     * Where QEMU looked for holes in the file and says zero and data: it is the data that the
     * tables say.
     */
    private static List<String> qemuMap(Path image) {
        PeerResult result =
                Peer.QEMU_IMG
                        .command("map", "-f", "qcow2", "--output=json", image.toString())
                        .runOk();
        List<MapExtent> joined = new ArrayList<>();
        Matcher object = Pattern.compile("\\{([^}]*)}").matcher(result.stdout());
        while (object.find()) {
            Map<String, String> fields = new TreeMap<>();
            Matcher field = Pattern.compile("\"(\\w+)\": (\\w+)").matcher(object.group(1));
            while (field.find()) {
                fields.put(field.group(1), field.group(2));
            }
            boolean data = Boolean.parseBoolean(fields.get("data"));
            MapExtent extent =
                    new MapExtent(
                            Long.parseLong(fields.get("start")),
                            Long.parseLong(fields.get("length")),
                            Integer.parseInt(fields.get("depth")),
                            Boolean.parseBoolean(fields.get("present")),
                            Boolean.parseBoolean(fields.get("zero")) && !data,
                            data,
                            false,
                            Long.parseLong(fields.getOrDefault("offset", "-1")));
            MapExtent last = joined.isEmpty() ? null : joined.get(joined.size() - 1);
            if (last != null && last.isContinuedBy(extent)) {
                joined.set(joined.size() - 1, last.joined(extent));
            } else {
                joined.add(extent);
            }
        }
        return joined.stream().map(Qcow2MapTest::text).toList();
    }

    private static String text(MapExtent extent) {
        Map<String, Object> fields = new TreeMap<>(extent.toMap());
        // Told since QEMU 8.2.
        fields.remove("compressed");
        return fields.toString();
    }

    private static void assertAllIn(String json, Map<?, ?> fields) {
        fields.forEach(
                (name, value) -> {
                    if (value instanceof Map<?, ?> map) {
                        assertAllIn(json, map);
                    } else if (value instanceof List<?> list
                            && !list.isEmpty()
                            && list.get(0) instanceof Map<?, ?>) {
                        list.forEach(element -> assertAllIn(json, (Map<?, ?>) element));
                    } else if (!(value instanceof List<?>) && !"file-size".equals(name)) {
                        String text =
                                value instanceof String
                                        ? "\"" + value + "\""
                                        : String.valueOf(value);
                        assertThat(json).contains("\"" + name + "\": " + text);
                    }
                });
    }
}
