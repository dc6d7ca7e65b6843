package io.quoin.tools;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerResult;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Comparing and measuring, with qemu-img beside it. */
@Timeout(120)
class CompareMeasureTest {
    private static final int SECTOR_BYTES = 512;

    @TempDir private Path folder;

    @BeforeEach
    void needPeers() {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
    }

    private LocalImage image(String name) {
        return new LocalImage(folder.resolve(name), ImageFormat.choose(null, name));
    }

    private LocalImage raw(String name, long sizeBytes) throws IOException {
        LocalImage image = image(name);
        try (FileChannel file =
                FileChannel.open(
                        image.path(), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            file.truncate(0);
            if (sizeBytes > 0) {
                file.write(ByteBuffer.wrap(new byte[1]), sizeBytes - 1);
            }
        }
        return image;
    }

    private static void write(LocalImage image, String... commands) {
        List<String> arguments = new ArrayList<>(List.of("-f", image.format().text()));
        for (String command : commands) {
            arguments.add("-c");
            arguments.add(command);
        }
        arguments.add(image.text());
        Peer.QEMU_IO.command(arguments).runOk();
    }

    private LocalImage copy(LocalImage from, String name) {
        LocalImage to = image(name);
        Peer.QEMU_IMG
                .command(
                        "convert",
                        "-f",
                        from.format().text(),
                        "-O",
                        to.format().text(),
                        from.text(),
                        to.text())
                .runOk();
        return to;
    }

    private static CompareResult compare(LocalImage first, LocalImage second, boolean strict) {
        try (ImageSession session = new ImageSession()) {
            Compare compare = new Compare(session, strict, (done, total) -> {});
            return compare.run(compare.open(first, second));
        }
    }

    /** Ours says the same as qemu-img, which tells offsets in sectors. */
    private static void requireAsQemuImg(CompareResult ours, LocalImage first, LocalImage second) {
        PeerResult theirs =
                Peer.QEMU_IMG
                        .command(
                                "compare",
                                "-f",
                                first.format().text(),
                                "-F",
                                second.format().text(),
                                first.text(),
                                second.text())
                        .run();
        assertThat(theirs.exitCode()).isEqualTo(ours.isSame() ? 0 : 1);
        if (ours.finding() == CompareResult.Finding.CONTENT) {
            long sector = ours.offsetBytes() / SECTOR_BYTES * SECTOR_BYTES;
            assertThat(theirs.stdout()).contains("offset " + sector + "!");
        }
    }

    @Test
    void shouldFindNoDifferenceWhenOnlyTheFormatDiffers() throws IOException {
        LocalImage first = raw("a.raw", 50 << 20);
        write(first, "write -P 1 3M 5M", "write -P 2 40M 70k");
        LocalImage second = copy(first, "b.qcow2");
        CompareResult result = compare(first, second, false);
        assertThat(result).isEqualTo(new CompareResult(CompareResult.Finding.SAME, 0, false));
        requireAsQemuImg(result, first, second);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 511, 512, 5_000_001, 29_999_999})
    void shouldTellTheFirstByteThatDiffers(long offset) throws IOException {
        LocalImage first = raw("a.raw", 30_000_000 / SECTOR_BYTES * SECTOR_BYTES + SECTOR_BYTES);
        write(first, "write -P 1 0 7M", "write -P 2 20M 6M");
        LocalImage second = copy(first, "b.qcow2");
        write(first, "write -P 3 " + offset + " 1", "write -P 3 29999999 10");
        CompareResult result = compare(first, second, false);
        assertThat(result)
                .isEqualTo(new CompareResult(CompareResult.Finding.CONTENT, offset, false));
        requireAsQemuImg(result, first, second);
        requireAsQemuImg(compare(second, first, false), second, first);
    }

    @Test
    void shouldTakeImagesAsTheSameWhenTheRestOfTheLongerOneIsZeros() throws IOException {
        LocalImage shorter = raw("a.raw", 4 << 20);
        LocalImage longer = raw("b.raw", 9 << 20);
        CompareResult same = compare(shorter, longer, false);
        assertThat(same.isSame()).isTrue();
        assertThat(same.sizesDiffer()).isTrue();
        requireAsQemuImg(same, shorter, longer);
        assertThat(compare(longer, shorter, true).finding()).isEqualTo(CompareResult.Finding.SIZE);
        write(longer, "write -P 4 8M 1");
        CompareResult different = compare(shorter, longer, false);
        assertThat(different.offsetBytes()).isEqualTo(8 << 20);
        requireAsQemuImg(different, shorter, longer);
    }

    @Test
    void shouldFindStatusDifferenceOnlyWhenStrict() throws IOException {
        LocalImage first = raw("a.raw", 4 << 20);
        LocalImage second = raw("b.raw", 4 << 20);
        write(second, "write -P 0 1M 1M");
        assertThat(compare(first, second, false).isSame()).isTrue();
        assertThat(compare(first, second, true))
                .isEqualTo(new CompareResult(CompareResult.Finding.STATUS, 1 << 20, false));
    }

    private static Map<String, Object> theirMeasure(List<String> arguments) throws IOException {
        List<String> all = new ArrayList<>(List.of("measure", "--output", "json"));
        all.addAll(arguments);
        JsonNode json = new ObjectMapper().readTree(Peer.QEMU_IMG.command(all).runOk().stdout());
        Map<String, Object> fields = new LinkedHashMap<>();
        json.fieldNames().forEachRemaining(name -> fields.put(name, json.get(name).asLong()));
        return fields;
    }

    private static Map<String, Object> ourMeasure(
            LocalImage source, ImageFormat format, Map<String, String> options) throws IOException {
        try (ImageSession session = new ImageSession()) {
            return new Measure(format, options).of(session, source).toMap();
        }
    }

    private static String join(Map<String, String> options) {
        return String.join(
                ",",
                options.entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).toList());
    }

    private void requireSameMeasures(LocalImage source, Map<String, String> options)
            throws IOException {
        List<String> arguments =
                new ArrayList<>(List.of("-f", source.format().text(), "-O", "qcow2"));
        if (!options.isEmpty()) {
            arguments.addAll(List.of("-o", join(options)));
        }
        arguments.add(source.text());
        assertThat(ourMeasure(source, ImageFormat.QCOW2, options))
                .as("%s with %s", source.text(), options)
                .isEqualTo(theirMeasure(arguments));
        assertThat(ourMeasure(source, ImageFormat.RAW, Map.of()))
                .isEqualTo(
                        theirMeasure(
                                List.of("-f", source.format().text(), "-O", "raw", source.text())));
    }

    @ParameterizedTest
    @ValueSource(strings = {"512", "1024", "4096", "65536", "2097152"})
    void shouldMeasureAsQemuImgDoesForEachClusterSize(String clusterSize) throws IOException {
        LocalImage source = raw("a.raw", 33 << 20);
        write(source, "write -P 1 3M 5000k", "write -P 2 30000k 700", "write -P 3 20M 1");
        LocalImage converted = copy(source, "a.qcow2");
        write(converted, "write -z 4M 1M", "write -P 9 25M 64k");
        for (LocalImage image : List.of(source, converted)) {
            requireSameMeasures(image, Map.of("cluster_size", clusterSize));
            requireSameMeasures(image, Map.of("cluster_size", clusterSize, "refcount_bits", "1"));
            requireSameMeasures(image, Map.of("cluster_size", clusterSize, "refcount_bits", "64"));
            requireSameMeasures(
                    image, Map.of("cluster_size", clusterSize, "preallocation", "falloc"));
            requireSameMeasures(
                    image, Map.of("cluster_size", clusterSize, "preallocation", "metadata"));
        }
    }

    @Test
    void shouldMeasureAsQemuImgDoesWithOtherOptions() throws IOException {
        LocalImage source = raw("a.raw", 5_000_000);
        LocalImage converted = copy(source, "a.qcow2");
        for (LocalImage image : List.of(source, converted)) {
            requireSameMeasures(image, Map.of());
            requireSameMeasures(image, Map.of("extended_l2", "on"));
            requireSameMeasures(image, Map.of("compat", "0.10"));
            requireSameMeasures(image, Map.of("backing_file", "a.raw", "backing_fmt", "raw"));
        }
        Peer.QEMU_IMG.command("bitmap", "--add", converted.text(), "one").runOk();
        Peer.QEMU_IMG.command("bitmap", "--add", "-g", "512", converted.text(), "other").runOk();
        requireSameMeasures(converted, Map.of());
        requireSameMeasures(converted, Map.of("cluster_size", "4096"));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 65536",
        "1, 65536",
        "1000, 512",
        "10737418240, 65536",
        "1099511627776, 65536",
        "1099511627776, 2097152",
        "4398046511104, 65536",
        "1073741824, 512"
    })
    void shouldMeasureSizesAsQemuImgDoes(long sizeBytes, String clusterSize) throws IOException {
        Map<String, String> options = Map.of("cluster_size", clusterSize);
        assertThat(new Measure(ImageFormat.QCOW2, options).empty(sizeBytes).toMap())
                .isEqualTo(
                        theirMeasure(
                                List.of(
                                        "-O",
                                        "qcow2",
                                        "-o",
                                        join(options),
                                        "--size",
                                        "" + sizeBytes)));
        assertThat(new Measure(ImageFormat.RAW, Map.of()).empty(sizeBytes).toMap())
                .isEqualTo(theirMeasure(List.of("-O", "raw", "--size", "" + sizeBytes)));
    }
}
