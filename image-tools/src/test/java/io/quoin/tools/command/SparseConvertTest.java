package io.quoin.tools.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a conversion stores, and what it does not. */
@Timeout(120)
class SparseConvertTest extends ImageToolsBed {
    private JsonNode map(String file) throws IOException {
        return JSON.readTree(qemuImg("map", "-f", "qcow2", "--output=json", file));
    }

    @Test
    void shouldStoreNothingWhereNeitherTheSourceNorTheBackingFileHasAnything() throws IOException {
        qemuImg("create", "-qfqcow2", "base.qcow2", "64G");
        qemuIo("qcow2", "base.qcow2", "write -q -P 1 0 64k");
        qemuIo("qcow2", "base.qcow2", "write -q -P 1 32G 64k");
        qemuImg("create", "-qfqcow2", "-b", "base.qcow2", "-F", "qcow2", "top.qcow2");
        qemuIo("qcow2", "top.qcow2", "write -q -P 3 1M 64k");
        qemuIo("qcow2", "top.qcow2", "write -q -z 32G 64k");

        ok("convert", "-B", "base.qcow2", "-F", "qcow2", at("top.qcow2"), at("out.qcow2"));

        compare("top.qcow2", "out.qcow2");
        checkClean("out.qcow2");
        long stored = 0;
        for (JsonNode extent : map("out.qcow2")) {
            boolean isOwn = extent.path("depth").asInt() == 0 && extent.path("present").asBoolean();
            stored += isOwn ? extent.path("length").asLong() : 0;
        }
        assertThat(stored).as("a cluster of data and one of zeros").isEqualTo(2 * 65_536);
        assertThat(Files.size(folder.resolve("out.qcow2"))).isLessThan(1 << 20);
    }

    /** Ends that lie in clusters of one of the three images, or in one behind another's end. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5})
    void shouldReadTheSameWhateverIsBelow(int round) throws IOException {
        Random random = new Random(SEED + round);
        String[] clusters = {"4k", "64k", "256k"};
        String base = "cluster_size=" + clusters[round % 3];
        String top = "cluster_size=" + clusters[(round + 1) % 3];
        long sizeBytes = (4 << 20) + 512L * random.nextInt(4096);
        long baseBytes = (2 << 20) + 512L * random.nextInt(8192);
        qemuImg("create", "-qfqcow2", "-o", base, "base.qcow2", String.valueOf(baseBytes));
        scatter(random, "base.qcow2", baseBytes);
        qemuImg("create", "-qfqcow2", "-o", top, "source.qcow2", String.valueOf(sizeBytes));
        scatter(random, "source.qcow2", sizeBytes);

        ok(
                "convert",
                "-B",
                "base.qcow2",
                "-o",
                "backing_fmt=qcow2,cluster_size=" + clusters[(round + 2) % 3],
                at("source.qcow2"),
                at("out.qcow2"));

        compare("source.qcow2", "out.qcow2");
        checkClean("out.qcow2");
    }

    @Test
    void shouldCommitNoZerosToWhereTheBackingFileHasThemAlready() throws IOException {
        qemuImg("create", "-qfqcow2", "base.qcow2", "3G");
        qemuIo("qcow2", "base.qcow2", "write -q -P 1 0 64k");
        qemuIo("qcow2", "base.qcow2", "write -q -P 1 1G 64k");
        qemuImg("create", "-qfqcow2", "-b", "base.qcow2", "-F", "qcow2", "top.qcow2", "4G");
        qemuIo("qcow2", "top.qcow2", "write -q -z 64k 1G");
        qemuIo("qcow2", "top.qcow2", "write -q -z 2G 1G");
        qemuIo("qcow2", "top.qcow2", "write -q -z 3G 1G");
        qemuIo("qcow2", "top.qcow2", "write -q -P 2 2G 64k");
        qemuImg("convert", "-f", "qcow2", "-O", "qcow2", "top.qcow2", "expected.qcow2");

        ok("commit", at("top.qcow2"));

        compare("expected.qcow2", "base.qcow2");
        compare("expected.qcow2", "top.qcow2");
        checkClean("base.qcow2");
        long stored = 0;
        for (JsonNode extent : map("base.qcow2")) {
            stored += extent.path("present").asBoolean() ? extent.path("length").asLong() : 0;
        }
        assertThat(stored).isEqualTo(3 * 65_536);
    }

    private void scatter(Random random, String file, long sizeBytes) {
        StringBuilder writes = new StringBuilder();
        for (int i = 0; i < 12; i++) {
            long at = 512L * random.nextInt((int) (sizeBytes / 512));
            long length = Math.min(sizeBytes - at, 512L * (1 + random.nextInt(1024)));
            String what = random.nextInt(3) == 0 ? "-z" : "-P " + random.nextInt(3);
            qemuIo("qcow2", file, "write -q " + what + " " + at + " " + length);
            writes.append(' ').append(what).append(' ').append(at).append('+').append(length);
        }
        System.out.println(file + ":" + writes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"zlib", "zstd"})
    void shouldStoreAllZerosCompressedWhenToldTo(String type) throws IOException {
        qemuImg("create", "-qfqcow2", "source.qcow2", "9M");
        qemuIo("qcow2", "source.qcow2", "write -q -P 1 0 3M");

        String option = "compression_type=" + type;
        ok("convert", "-c", "-S", "0", "-o", option, at("source.qcow2"), at("all.qcow2"));
        ok("convert", "-c", "-o", option, at("source.qcow2"), at("sparse.qcow2"));

        for (JsonNode extent : map("all.qcow2")) {
            assertThat(extent.path("zero").asBoolean()).as(extent.toString()).isFalse();
        }
        JsonNode check = JSON.readTree(qemuImg("check", "--output=json", "all.qcow2"));
        assertThat(check.path("compressed-clusters").asInt()).isEqualTo(9 * 16);
        check = JSON.readTree(qemuImg("check", "--output=json", "sparse.qcow2"));
        assertThat(check.path("allocated-clusters").asInt()).isEqualTo(3 * 16);
        compare("source.qcow2", "all.qcow2");
        compare("source.qcow2", "sparse.qcow2");
    }
}
