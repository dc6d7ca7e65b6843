package io.quoin.tools.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.tools.command.ImageProgram.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Formats that are not given, or given twice. */
@Timeout(60)
class GuessedFormatTest extends ImageToolsBed {
    @BeforeEach
    void makeImages() throws IOException {
        qemuImg("create", "-qfqcow2", "cloud.img", "8M");
        qemuIo("qcow2", "cloud.img", "write -q -P 7 0 1M");
        qemuImg("create", "-qfqcow2", "good.qcow2", "8M");
    }

    private Outcome use(String line) {
        return run(
                List.of(line.split(" ")).stream()
                        .map(word -> word.matches("[a-z]+\\.(img|raw|qcow2)") ? at(word) : word)
                        .toList());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "convert cloud.img out.qcow2",
                "convert -O raw cloud.img out.raw",
                "convert -n good.qcow2 cloud.img",
                "compare cloud.img good.qcow2",
                "compare good.qcow2 cloud.img",
                "resize cloud.img 16M",
                "resize --shrink cloud.img 64K",
                "measure -O qcow2 cloud.img",
                "info cloud.img",
                "check cloud.img",
                "map cloud.img",
            })
    void shouldAskForTheFormatWhenAQcow2ImageIsNamedAsARawOne(String line) throws IOException {
        byte[] before = Files.readAllBytes(folder.resolve("cloud.img"));

        Outcome outcome = use(line);

        assertThat(outcome.exitCode()).isPositive();
        assertThat(outcome.out()).isEmpty();
        assertThat(outcome.err())
                .contains("begins as a qcow2 image", "cloud.img")
                .containsPattern("give -[fFO] qcow2, or -[fFO] raw");
        assertThat(folder.resolve("out.qcow2")).doesNotExist();
        assertThat(folder.resolve("out.raw")).doesNotExist();
        assertThat(folder.resolve("cloud.img")).hasBinaryContent(before);
    }

    @Test
    void shouldTakeTheFormatThatIsGivenWhateverTheContentIs() throws IOException {
        ok("convert", "-f", "qcow2", at("cloud.img"), at("disk.qcow2"));
        qemuImg("compare", "-f", "qcow2", "-F", "qcow2", "cloud.img", "disk.qcow2");

        // A guest may have written the header: its bytes stay bytes.
        ok("convert", "-f", "raw", at("cloud.img"), at("bytes.qcow2"));
        qemuImg("compare", "-f", "raw", "-F", "qcow2", "cloud.img", "bytes.qcow2");
    }

    @Test
    void shouldReplaceAnImageOfAnyContent() {
        ok("convert", at("good.qcow2"), at("cloud.img"));

        qemuImg("compare", "-f", "raw", "-F", "qcow2", "cloud.img", "good.qcow2");
    }

    @ParameterizedTest
    @CsvSource({
        "convert -B good.qcow2 -o backing_fmt=qcow2 -f qcow2 cloud.img out.qcow2, qcow2",
        "convert -B good.qcow2 -F qcow2 -o backing_fmt=qcow2 -f qcow2 cloud.img out.qcow2, qcow2",
        "'convert -o backing_file=good.qcow2,backing_fmt=qcow2 -f qcow2 cloud.img out.qcow2', qcow2",
        "convert -o backing_file=good.qcow2 -F raw -f qcow2 cloud.img out.qcow2, raw",
        "create -b good.qcow2 -o backing_fmt=qcow2 out.qcow2, qcow2",
        "create -o backing_file=good.qcow2 -F raw out.qcow2, raw",
    })
    void shouldTakeTheFormatOfTheBackingFileAsQemuImgDoes(String line, String format)
            throws IOException {
        List<String> arguments =
                List.of(line.split(" ")).stream()
                        .map(word -> word.matches("(out|cloud)\\..*") ? at(word) : word)
                        .toList();

        Outcome outcome = run(arguments);

        assertThat(outcome.exitCode()).as(outcome.err()).isZero();
        assertThat(json("info", at("out.qcow2")).path("backing-filename-format").asText())
                .isEqualTo(format);
        if (line.startsWith("convert")) {
            qemuImg("compare", "-f", "qcow2", "-F", "qcow2", "cloud.img", "out.qcow2");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "convert -B good.qcow2 -F raw -o backing_fmt=qcow2 good.qcow2 out.qcow2, contradict",
        "create -b good.qcow2 -F qcow2 -o backing_fmt=raw out.qcow2, contradict",
        "create -b good.qcow2 -o backing_file=other.qcow2 -F qcow2 out.qcow2, contradict",
        "convert -B good.qcow2 good.qcow2 out.qcow2, format of the backing file missing",
        "create -o backing_file=good.qcow2 out.qcow2, format of the backing file missing",
        "create -o backing_fmt=qcow2 out.qcow2 1M, expected=a backing file",
        "convert -o backing_fmt=qcow2 good.qcow2 out.qcow2, expected=a backing file",
    })
    void shouldRefuseABackingFileThatIsSaidInTwoWaysOrByHalf(String line, String message) {
        Outcome outcome = use(line);

        assertThat(outcome.exitCode()).isEqualTo(2);
        assertThat(outcome.err()).contains(message);
        assertThat(folder.resolve("out.qcow2")).doesNotExist();
    }
}
