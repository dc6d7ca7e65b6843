package io.quoin.management.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.quoin.management.daemon.Daemon;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Options that are set, shown and taken back. */
@Timeout(120)
@SuppressWarnings("try") // a service runs meanwhile
class VolumeOptionsTest {
    private static final long HEADER_BYTES = 64 << 10;

    private final QuoinCommands quoin = new QuoinCommands();

    @BeforeEach
    void make() {
        quoin.ok(
                "volume",
                "create",
                "wide",
                "stripe",
                "2",
                quoin.path("a"),
                quoin.path("b"),
                "force");
        quoin.ok("volume", "start", "wide");
    }

    @AfterEach
    void removeTheFolder() {
        quoin.close();
    }

    private Path volfile() {
        return quoin.folder().volumes().resolve("wide/volume.vol");
    }

    private String value(String option) throws IOException {
        JsonNode shown = quoin.json("volume", "get", "wide", option);
        assertThat(shown).hasSize(1);
        return shown.path(0).path("value").asText();
    }

    @Test
    void shouldUseAnOptionFromTheNextStartOn() throws IOException {
        try (Daemon daemon = quoin.serve()) {
            quoin.ok("disk", "create", "wide/before", "1M", "--format", "raw");
            assertThat(quoin.ok("volume", "set", "wide", "stripe.block-size", "64K"))
                    .contains("stripe.block-size: in effect from the next start of wide on");
            assertThat(value("stripe.block-size")).isEqualTo("64K");
            assertThat(quoin.ok("volume", "info", "wide"))
                    .contains("Options Reconfigured:\nstripe.block-size: 64K");
            quoin.ok("volume", "stop", "wide");
            quoin.ok("volume", "start", "wide");
            quoin.ok("disk", "create", "wide/after", "1M", "--format", "raw");
        }
        assertThat(Files.size(quoin.path("a").resolve("before.raw")))
                .isEqualTo(HEADER_BYTES + (1 << 20));
        assertThat(Files.size(quoin.path("a").resolve("after.raw")))
                .isEqualTo(HEADER_BYTES + (512 << 10));
    }

    @Test
    void shouldUseAnOptionAtOnceWhereTheNodeCan() throws IOException {
        try (Daemon daemon = quoin.serve()) {
            assertThat(quoin.ok("volume", "set", "wide", "io-stats.latency-measurement", "off"))
                    .contains("io-stats.latency-measurement: in effect\n");
            assertThat(Files.readString(volfile())).contains("latency-measurement off");
            assertThat(quoin.ok("volume", "reset", "wide")).contains("in effect\n");
            assertThat(value("io-stats.latency-measurement")).isEqualTo("on");
            assertThat(quoin.ok("volume", "info", "wide")).doesNotContain("Options Reconfigured");
        }
    }

    @Test
    void shouldSetSeveralInAllNodesOfTheirTypeAndTakeOneBack() throws IOException {
        quoin.ok(
                "volume",
                "set",
                "wide",
                "posix.read-ahead",
                "2M",
                "cluster.stripe-block-size",
                "128K");
        assertThat(Files.readString(volfile())).containsOnlyOnce("block-size 128K");
        assertThat(Files.readString(volfile()).split("read-ahead 2M", -1)).hasSize(3);
        quoin.ok("volume", "reset", "wide", "posix.read-ahead");
        assertThat(Files.readString(volfile())).doesNotContain("read-ahead");
        assertThat(value("stripe.block-size")).isEqualTo("128K");
        try (Daemon daemon = quoin.serve()) {
            assertThat(quoin.ok("volume", "info", "wide")).contains("stripe.block-size: 128K");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "qcow2.cache-size|much|name=qcow2.cache-size, expected=bytes",
                "qcow2.detect-zeroes|maybe|expected=one of off, on, unmap",
                "stripe.block-size|3M|a power of two from 4096",
                "posix.io-threads|99|expected=1 to 64",
                "qcow2.cache-siez|1M|did you mean qcow2.cache-size",
                "posix.directory|/tmp|option cannot be set",
                "features.shard|on|option is not needed here",
                "client.ping-timeout|5s|option of the volume",
                "qcow2.cache-size|''|its default is set by",
            })
    void shouldRefuseAnOptionThatCannotBeAndChangeNothing(
            String option, String value, String expected) throws IOException {
        String before = Files.readString(volfile());
        assertThat(quoin.fails("volume", "set", "wide", "posix.write-size", "128K", option, value))
                .contains(expected);
        assertThat(Files.readString(volfile())).isEqualTo(before);
    }

    @Test
    void shouldReadADefinitionThatHasNoOptions() throws IOException {
        Path definition = quoin.folder().volumes().resolve("wide/volume.json");
        String text = Files.readString(definition);
        assertThat(text).contains(",\"options\":{}");
        Files.writeString(definition, text.replace(",\"options\":{}", ""));
        assertThat(quoin.ok("volume", "info", "wide")).contains("Volume Name: wide");
        quoin.ok("volume", "set", "wide", "posix.read-ahead", "2M");
        assertThat(value("posix.read-ahead")).isEqualTo("2M");
    }
}
