package io.quoin.block.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class VolumesTest {
    @Test
    void shouldSayWhatIsMissingWhenThereIsNoProvider() {
        assertThatThrownBy(() -> Volumes.open(Path.of("nowhere")))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.ENOTSUP))
                .hasMessageContaining("quoin-management");
        assertThatThrownBy(() -> Volumes.openVolfile(Path.of("nowhere.vol")))
                .hasMessageContaining("class path");
    }

    @Test
    void shouldRefuseToCutNoDisk() {
        assertThatThrownBy(() -> Volumes.cut(List.of(), "now"))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("count=0");
    }
}
