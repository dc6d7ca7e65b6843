package io.quoin.brick.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.nio.file.Path;
import java.util.Map;
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
}
