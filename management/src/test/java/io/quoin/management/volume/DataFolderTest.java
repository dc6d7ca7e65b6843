package io.quoin.management.volume;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(10)
class DataFolderTest {
    private static final Path HOME = Path.of("/home/ann");

    @Test
    void shouldPreferTheVariableToEveryDefault() {
        Map<String, String> environment = Map.of("QUOIN_DATA", "/srv/q", "XDG_DATA_HOME", "/x");

        assertThat(DataFolder.byDefault(environment, true, HOME).path())
                .isEqualTo(Path.of("/srv/q"));
        assertThat(DataFolder.byDefault(environment, false, HOME).path())
                .isEqualTo(Path.of("/srv/q"));
    }

    @Test
    void shouldUseTheSystemFolderWhenRoot() {
        assertThat(DataFolder.byDefault(Map.of("QUOIN_DATA", ""), true, HOME).path())
                .isEqualTo(Path.of("/var/lib/quoin"));
    }

    @Test
    void shouldUseTheXdgFolderWhenNotRoot() {
        assertThat(DataFolder.byDefault(Map.of("XDG_DATA_HOME", "/x"), false, HOME).path())
                .isEqualTo(Path.of("/x/quoin"));
        assertThat(DataFolder.byDefault(Map.of(), false, HOME).path())
                .isEqualTo(Path.of("/home/ann/.local/share/quoin"));
        assertThat(DataFolder.byDefault(Map.of("XDG_DATA_HOME", "x"), false, HOME).path())
                .isEqualTo(Path.of("/home/ann/.local/share/quoin"));
    }

    @Test
    void shouldBeAbsoluteWhenGivenRelative() {
        assertThat(DataFolder.choose(Path.of("a/../b")).path())
                .isEqualTo(Path.of("b").toAbsolutePath());
    }
}
