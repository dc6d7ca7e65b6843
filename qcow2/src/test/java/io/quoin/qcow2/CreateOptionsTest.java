package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockException;
import io.quoin.testkit.peer.Peer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** New images with every option, beside those that qemu-img makes with the same ones. */
@Tag("format")
@Timeout(120)
class CreateOptionsTest {
    @TempDir Path folder;
    private ImageFixture images;

    @BeforeEach
    void start() {
        images = new ImageFixture(folder);
    }

    static Stream<String> combinations() {
        List<String> all = new ArrayList<>();
        for (String preallocation : List.of("off", "metadata", "falloc", "full")) {
            String with = ",preallocation=" + preallocation;
            for (String clusterSize : List.of("512", "4096", "65536", "2097152")) {
                all.add("cluster_size=" + clusterSize + with);
                all.add("compat=0.10,cluster_size=" + clusterSize + with);
                if (Integer.parseInt(clusterSize) >= 16384) {
                    all.add("extended_l2=on,cluster_size=" + clusterSize + with);
                }
            }
            for (int bits = 1; bits <= 64; bits *= 2) {
                all.add("refcount_bits=" + bits + ",cluster_size=4096" + with);
            }
            all.add("compression_type=zstd,lazy_refcounts=on" + with);
            all.add("data_file=DATA" + with);
            all.add("data_file=DATA,data_file_raw=on" + with);
            all.add("data_file=DATA,data_file_raw=on,extended_l2=on,refcount_bits=1" + with);
            all.add("extended_l2=on,backing_file=base.raw,backing_fmt=raw" + with);
        }
        all.add("data_file=DATA,backing_file=base.raw,backing_fmt=raw");
        return all.stream();
    }

    @ParameterizedTest
    @MethodSource("combinations")
    @DisplayName("QCOW2 146: a new image is clean, and has the options of QEMU's own")
    void shouldMakeTheImageThatQemuMakes(String options) throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG);
        images.brick.put("base.raw", new byte[1 << 20]);
        images.export("base.raw");
        long sizeBytes = 3_333_120;

        images.create("disk.qcow2", sizeBytes, options("data.raw", options));
        if (options.contains("DATA")) {
            assertThat(images.export("data.raw")).hasSize(sizeBytes);
        }
        Peer.QEMU_IMG
                .command(
                        "create",
                        "-q",
                        "-f",
                        "qcow2",
                        "-o",
                        options.replace("DATA", "theirs.raw"),
                        "theirs.qcow2",
                        String.valueOf(sizeBytes))
                .directory(folder)
                .runOk();

        images.checkClean("disk.qcow2");
        assertThat(info("disk.qcow2")).isEqualTo(info("theirs.qcow2"));
        // QEMU leaves the subclusters unallocated here, and then reads zeros, not the data file.
        boolean showsDataFile = options.contains("data_file_raw=on,extended_l2=on");
        assertThat(map("disk.qcow2"))
                .isEqualTo(showsDataFile ? List.of("present=true from 0") : map("theirs.qcow2"));
        Peer.QEMU_IMG
                .command("compare", "-f", "qcow2", "-F", "qcow2", "disk.qcow2", "theirs.qcow2")
                .directory(folder)
                .runOk();
    }

    private static Map<String, String> options(String dataFile, String text) {
        Map<String, String> options = new HashMap<>();
        for (String option : text.replace("DATA", dataFile).split(",", -1)) {
            String[] pair = option.split("=", 2);
            options.put(pair[0], pair[1]);
        }
        return options;
    }

    /** All options, and the sizes that do not depend on where things are. */
    private List<String> info(String image) {
        return qemu("info", image)
                .lines()
                .filter(line -> !line.matches("(image|disk size|file length):.*"))
                .map(line -> line.replaceFirst("data file: .*", "data file: named"))
                .toList();
    }

    /** Which ranges are allocated; not where, and not what the file system makes of it. */
    private List<String> map(String image) {
        Matcher extents =
                Pattern.compile(
                                "\"start\": (\\d+), \"length\": (\\d+), \"depth\": \\d+,"
                                        + " \"present\": (\\w+)")
                        .matcher(qemu("map", "--output=json", image));
        List<String> changes = new ArrayList<>();
        String last = "";
        while (extents.find()) {
            if (!extents.group(3).equals(last)) {
                last = extents.group(3);
                changes.add("present=" + last + " from " + extents.group(1));
            }
        }
        assertThat(changes).isNotEmpty();
        return changes;
    }

    private String qemu(String verb, String... arguments) {
        List<String> all = new ArrayList<>(List.of(verb, "-f", "qcow2"));
        all.addAll(List.of(arguments));
        return Peer.QEMU_IMG.command(all.toArray(String[]::new)).directory(folder).runOk().stdout();
    }

    @Test
    void shouldNeedNoMoreMemoryWhenTheImageIsLarger() {
        ImageOptions options = ImageOptions.of(Map.of("preallocation", "metadata"));
        NewImage image = new NewImage(options, 1L << 40);

        assertThat(image.metadataBytes()).isBetween(160L << 20, 170L << 20);
        assertThat(image.fileSizeBytes()).isEqualTo(image.metadataBytes() + (1L << 40));
        ByteBuffer last = ByteBuffer.allocate(65536);
        image.encode((image.metadataBytes() >> 16) - 1, last);
        assertThat(last.getLong(65528))
                .as("the last entry of the last L2 table")
                .isEqualTo(image.fileSizeBytes() - 65536 | 1L << 63);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "compat=0.10,refcount_bits=8 | refcount_bits, expected=with compat=0.10 only 16",
                "compat=0.10,lazy_refcounts=on | lazy_refcounts",
                "compat=0.10,extended_l2=on | extended_l2",
                "compat=0.10,compression_type=zstd | compression_type",
                "compat=0.10,data_file=d.raw | data_file",
                "extended_l2=on,cluster_size=8K | off with clusters below 16K",
                "data_file=d.raw,data_file_raw=on,backing_file=b,backing_fmt=raw | data_file_raw",
                "preallocation=full,backing_file=b,backing_fmt=raw | preallocation",
                "preallocation=metadata,cluster_size=512,refcount_bits=64 | larger than 8 MiB",
                "compresion_type=zstd | did you mean compression_type?",
            })
    @DisplayName("QCOW2 7, 31, 59: options that do not go together are refused")
    void shouldRefuseWhatDoesNotGoTogether(String options, String message) {
        assertThatThrownBy(() -> images.create("disk.qcow2", 60L << 30, options("d.raw", options)))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining(message);
        assertThat(images.loops.await(images.brick.list())).isEmpty();
    }

    @Test
    void shouldLeaveADataFileAloneWhenItIsThereAlready() {
        byte[] theirs = {1, 2, 3};
        images.brick.put("data.raw", theirs);

        assertThatThrownBy(
                        () -> images.create("disk.qcow2", 1 << 20, Map.of("data_file", "data.raw")))
                .hasMessageContaining("not overwritten: name=data.raw");
        assertThat(images.brick.content("data.raw")).isEqualTo(theirs);
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 65536})
    @DisplayName("QCOW2 16: a backing name that does not fit is refused and nothing is left behind")
    void shouldLeaveNothingBehindWhenTheHeaderDoesNotFit(int clusterSize) {
        String name = "b".repeat(clusterSize == 512 ? 500 : 1024);
        images.brick.put(name, new byte[512]);
        Map<String, String> options =
                Map.of(
                        "cluster_size",
                        String.valueOf(clusterSize),
                        "backing_file",
                        name,
                        "backing_fmt",
                        "raw",
                        "data_file",
                        "data.raw");

        assertThatThrownBy(() -> images.create("disk.qcow2", 0, options))
                .isInstanceOf(BlockException.class);
        assertThat(images.loops.await(images.brick.list())).hasSize(1);
    }

    @Test
    void shouldRoundTheSizeUpToASector() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG);
        images.create("disk.qcow2", 1000, Map.of());
        images.export("disk.qcow2");
        assertThat(qemu("info", "disk.qcow2")).contains("(1024 bytes)");
        assertThat(Files.size(folder.resolve("disk.qcow2"))).isPositive();
    }
}
