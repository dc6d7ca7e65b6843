package io.quoin.brick.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.graph.Option;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class PosixOptionsTest {
    @TempDir Path folder;

    @ParameterizedTest
    @CsvSource({
        "write-size, 4095",
        "write-size, 2G",
        "io-threads, 0",
        "io-threads, 65",
        "flush-threads, 0",
        "read-ahead, 65M",
        "direct-io, perhaps"
    })
    void shouldRefuseTheValueWhenItIsOutOfRange(String name, String value) {
        assertThatThrownBy(() -> TestBrick.open(folder.resolve("brick"), Map.of(name, value)))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.EINVAL))
                .hasMessageContaining(name);
        assertThat(folder.resolve("brick")).doesNotExist();
    }

    @Test
    void shouldSayInTheDocumentationWhatTheTableSays() throws IOException {
        Path page = Path.of(System.getProperty("quoin.root"), "docs/xlators/posix.md");
        List<String> rows =
                Files.readAllLines(page).stream()
                        .filter(line -> line.startsWith("| ") && !line.startsWith("| option |"))
                        .toList();
        List<String> expected =
                PosixOptions.TABLE.options().stream().map(PosixOptionsTest::row).toList();
        assertThat(rows).isEqualTo(expected);
    }

    private static String row(Option option) {
        String value = option.defaultValue();
        if (value == null) {
            value = "(required)";
        } else if (value.isEmpty()) {
            value = "(empty)";
        }
        String type = option.type().name().toLowerCase(Locale.ROOT);
        return "| " + String.join(" | ", option.name(), type, value, option.description()) + " |";
    }

    @ParameterizedTest
    @CsvSource({
        "28, ENOSPC", "122, ENOSPC", "27, ENOSPC", "5, EIO", "30, EROFS", "13, EPERM", "1, EPERM",
        "2, ENOENT", "17, EEXIST", "24, EIO", "23, EIO", "95, ENOTSUP", "12, ENOMEM", "116, ESTALE",
        "0, OK"
    })
    void shouldMapTheKernelsErrors(int errno, BlockError error) {
        assertThat(Errno.blockError(errno)).isEqualTo(error);
    }

    @Test
    void shouldNotBlameTheRequestWhenTheStorageMisbehaves() {
        for (int errno : List.of(22, 2, 17, 16)) {
            assertThat(Errno.requestError(errno)).isEqualTo(BlockError.EIO);
        }
        assertThat(Errno.requestError(28)).isEqualTo(BlockError.ENOSPC);
        assertThat(Errno.exception("open the file", "file=a", 24))
                .hasMessage("cannot open the file: file=a, errno=EMFILE (input/output error)");
        assertThat(Errno.exception("do it", "file=a", 999)).hasMessageContaining("errno 999");
    }
}
