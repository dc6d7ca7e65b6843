package io.quoin.tools.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.quoin.tools.command.ImageProgram.Outcome;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Images that a tool must leave alone, or is the way out of. */
@Timeout(60)
class DamagedImageToolsTest extends ImageToolsBed {
    private static final int BACKING_FORMAT = 0xe2792aca;
    private static final int FEATURE_NAMES = 0x6803f857;
    private static final int HEADER_BYTES = 112;

    private void patch(String file, long offset, byte... bytes) throws IOException {
        try (RandomAccessFile image = new RandomAccessFile(at(file), "rw")) {
            image.seek(offset);
            image.write(bytes);
        }
    }

    private ByteBuffer content(String file) throws IOException {
        return ByteBuffer.wrap(Files.readAllBytes(folder.resolve(file)));
    }

    private Outcome use(String... arguments) {
        return run(java.util.List.of(arguments));
    }

    @ParameterizedTest
    @ValueSource(strings = {"raw", "qcow2", "a format with a name too long"})
    void shouldWriteTheBackingFormatAnewWhenThereAreSeveral(String second) throws IOException {
        qemuImg("create", "-qfqcow2", "base.qcow2", "1M");
        qemuIo("qcow2", "base.qcow2", "write -q -P 5 0 1M");
        qemuImg("create", "-qfqcow2", "-b", "base.qcow2", "-F", "qcow2", "top.qcow2");
        ByteBuffer before = content("top.qcow2");
        assertThat(before.getInt(HEADER_BYTES)).isEqualTo(BACKING_FORMAT);
        int names = HEADER_BYTES + 16;
        assertThat(before.getInt(names)).isEqualTo(FEATURE_NAMES);
        byte[] format = second.getBytes(StandardCharsets.US_ASCII);
        ByteBuffer extension = ByteBuffer.allocate(8 + (format.length + 7 & ~7) + 8);
        extension.putInt(BACKING_FORMAT).putInt(format.length).put(format);
        patch("top.qcow2", names, extension.array());

        Outcome refused = use("info", at("top.qcow2"));
        assertThat(refused.exitCode()).isEqualTo(1);
        assertThat(refused.err()).contains("top.qcow2", "at most once", "rebase -u");

        ok("rebase", "-u", "-b", "base.qcow2", "-F", "qcow2", at("top.qcow2"));

        JsonNode info = json("info", at("top.qcow2"));
        assertThat(info.path("backing-filename").asText()).isEqualTo("base.qcow2");
        assertThat(info.path("backing-filename-format").asText()).isEqualTo("qcow2");
        checkClean("top.qcow2");
        compare("base.qcow2", "top.qcow2");
    }

    /** The count of a cluster of data, or where the counts are. */
    @ParameterizedTest
    @ValueSource(strings = {"table", "count"})
    void shouldNotShrinkWhenTheRefcountsAreBroken(String what) throws IOException {
        qemuImg("create", "-qfqcow2", "disk.qcow2", "8M");
        qemuIo("qcow2", "disk.qcow2", "write -q -P 5 0 8M");
        long table = content("disk.qcow2").getLong(48);
        if (what.equals("table")) {
            patch("disk.qcow2", table + 6, (byte) 2);
        } else {
            long block = content("disk.qcow2").getLong((int) table);
            patch("disk.qcow2", block + 2 * 20, (byte) 0, (byte) 0);
        }
        byte[] before = Files.readAllBytes(folder.resolve("disk.qcow2"));

        Outcome refused = use("resize", "--shrink", at("disk.qcow2"), "1M");

        assertThat(refused.exitCode()).isEqualTo(1);
        assertThat(refused.err()).contains("disk.qcow2", "corrupt", "check --repair all");
        assertThat(folder.resolve("disk.qcow2")).hasBinaryContent(before);

        ok("check", "--repair", "all", at("disk.qcow2"));
        ok("resize", "--shrink", at("disk.qcow2"), "1M");
        checkClean("disk.qcow2");
    }

    @Test
    void shouldRemoveABitmapWhenItIsTooLargeToBeLoaded() throws IOException {
        qemuImg("create", "-qfqcow2", "disk.qcow2", "300G");
        qemuIo("qcow2", "disk.qcow2", "write -q -P 5 0 1M");
        qemuImg("bitmap", "--add", "disk.qcow2", "small");
        qemuImg("bitmap", "--add", "-g", "512", "disk.qcow2", "large");
        qemuIo("qcow2", "disk.qcow2", "write -q -P 6 1G 1M");
        Outcome refused = use("bitmap", "--add", at("disk.qcow2"), "other");
        assertThat(refused.err()).contains("disk.qcow2", "too large");
        assertThat(use("bitmap", "--remove", at("disk.qcow2"), "none").err())
                .contains("disk.qcow2", "no such bitmap");

        ok("bitmap", "--remove", at("disk.qcow2"), "large");

        checkClean("disk.qcow2");
        assertThat(qemuImg("info", "disk.qcow2")).contains("small").doesNotContain("large");
        ok("bitmap", "--add", at("disk.qcow2"), "other");
        ok("bitmap", "--remove", at("disk.qcow2"), "small");
        checkClean("disk.qcow2");
    }

    @Test
    void shouldRemoveTheLastBitmapWhenItIsTooLargeToBeLoadedOrInUse() throws IOException {
        qemuImg("create", "-qfqcow2", "disk.qcow2", "300G");
        qemuImg("bitmap", "--add", "-g", "512", "disk.qcow2", "large");
        copy("disk.qcow2", "used.qcow2");
        int directory = bitmapDirectory("used.qcow2");
        patch("used.qcow2", directory + 15, (byte) 1);

        for (String file : new String[] {"disk.qcow2", "used.qcow2"}) {
            ok("bitmap", "--remove", at(file), "large");

            checkClean(file);
            assertThat(qemuImg("info", file)).doesNotContain("large");
            ok("bitmap", "--add", at(file), "other");
        }
    }

    private int bitmapDirectory(String file) throws IOException {
        ByteBuffer image = content(file);
        int at = HEADER_BYTES;
        while (image.getInt(at) != 0x23852875) {
            at += 8 + (image.getInt(at + 4) + 7 & ~7);
        }
        return (int) image.getLong(at + 24);
    }
}
