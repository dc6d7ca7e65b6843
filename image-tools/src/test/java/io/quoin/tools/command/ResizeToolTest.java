package io.quoin.tools.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code image resize} beside qemu-img's own on the same image. */
@Timeout(120)
class ResizeToolTest extends ImageToolsBed {
    @ParameterizedTest
    @CsvSource({
        "off, compat=1.1",
        "metadata, compat=1.1",
        "metadata, compat=0.10",
        "metadata, extended_l2=on",
        "falloc, compat=1.1",
        "falloc, cluster_size=512",
        "falloc, extended_l2=on",
        "full, compat=1.1",
    })
    void shouldGrowAsQemuDoes(String preallocation, String options) throws IOException {
        ok("create", "-o", options, at("ours.qcow2"), "1000K");
        qemuIo("qcow2", "ours.qcow2", "write -P 7 0 1000K");
        copy("ours.qcow2", "theirs.qcow2");

        ok("resize", "--preallocation", preallocation, at("ours.qcow2"), "+3M");
        qemuImg("resize", "--preallocation=" + preallocation, "theirs.qcow2", "+3M");

        checkClean("ours.qcow2");
        compare("ours.qcow2", "theirs.qcow2");
        boolean isReserved = preallocation.equals("falloc") || preallocation.equals("full");
        assertThat(isAllocated("ours.qcow2")).isEqualTo(!preallocation.equals("off"));
        assertThat(json("info", at("ours.qcow2")).path("actual-size").asLong() > 4000 << 10)
                .isEqualTo(isReserved);
    }

    private boolean isAllocated(String image) throws IOException {
        for (JsonNode extent : JSON.readTree(qemuImg("map", "--output=json", image))) {
            if (!extent.has("offset") || !extent.path("data").asBoolean()) {
                return false;
            }
        }
        return true;
    }

    @ParameterizedTest
    @CsvSource({
        "metadata, compat=1.1",
        "metadata, compat=0.10",
        "metadata, extended_l2=on",
        "metadata, data_file=top.data",
        "metadata, 'data_file=top.data,data_file_raw=on'",
        "falloc, compat=1.1",
        "falloc, extended_l2=on",
        "falloc, data_file=top.data",
        "falloc, 'data_file=top.data,data_file_raw=on'",
        "full, extended_l2=on",
    })
    void shouldReadZerosInANewPartThatIsAllocated(String preallocation, String options)
            throws IOException {
        byte[] longer = new byte[4 << 20];
        new Random(SEED).nextBytes(longer);
        Files.write(folder.resolve("base.raw"), longer);
        List<String> create = new ArrayList<>(List.of("create", "-f", "qcow2", "-o", options));
        if (!options.contains("data_file_raw")) {
            create.addAll(List.of("-b", "base.raw", "-F", "raw"));
        }
        create.addAll(List.of("top.qcow2", "1000K"));
        qemuImg(create.toArray(String[]::new));
        // Clusters that are free and not empty.
        qemuIo("qcow2", "top.qcow2", "write -P 9 64k 800k");
        qemuIo("qcow2", "top.qcow2", "discard 64k 800k");
        qemuImg("convert", "-O", "raw", "top.qcow2", "expected.raw");
        qemuImg("resize", "-f", "raw", "expected.raw", "4M");

        ok("resize", "--preallocation", preallocation, at("top.qcow2"), "4M");

        checkClean("top.qcow2");
        compare("top.qcow2", "expected.raw");
        if (preallocation.equals("falloc")) {
            String data = options.contains("data_file") ? "top.data" : "top.qcow2";
            assertThat(json("info", "-f", "raw", at(data)).path("actual-size").asLong())
                    .isGreaterThan(3 << 20);
        }
        ok("resize", at("top.qcow2"), "5M");
        checkClean("top.qcow2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"off", "falloc", "full"})
    void shouldResizeRawImages(String preallocation) throws IOException {
        ok("create", at("disk.raw"), "1M");
        ok("resize", "--preallocation", preallocation, at("disk.raw"), "4M");
        assertThat(folder.resolve("disk.raw")).hasSize(4 << 20);
        assertThat(json("info", at("disk.raw")).path("actual-size").asLong() >= 3 << 20)
                .isEqualTo(!preallocation.equals("off"));
        ok("resize", "--shrink", at("disk.raw"), "-3M");
        assertThat(folder.resolve("disk.raw")).hasSize(1 << 20);
    }

    @ParameterizedTest
    @ValueSource(strings = {"65536", "512"})
    void shouldShrinkAsQemuDoes(String clusterSize) throws IOException {
        qemuImg("create", "-f", "qcow2", "-o", "cluster_size=" + clusterSize, "ours.qcow2", "6M");
        qemuIo("qcow2", "ours.qcow2", "write -P 7 300k 5M");
        copy("ours.qcow2", "theirs.qcow2");

        ok("resize", "--shrink", at("ours.qcow2"), "-5M");
        qemuImg("resize", "--shrink", "theirs.qcow2", "1M");

        checkClean("ours.qcow2");
        compare("ours.qcow2", "theirs.qcow2");
        assertThat(json("info", at("ours.qcow2")).path("virtual-size").asLong()).isEqualTo(1 << 20);
        assertThat(json("info", at("ours.qcow2")).path("actual-size").asLong()).isLessThan(4 << 20);
    }
}
