package io.quoin.management.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(20)
class ConfigFileTest {
    private static final Path EXAMPLE =
            Path.of(System.getProperty("quoin.root"), "examples", "quoin.toml");

    @TempDir private Path folder;

    private ConfigFile file(String text) throws IOException {
        return ConfigFile.read(Files.writeString(folder.resolve("quoin.toml"), text), true);
    }

    private static List<String> applied(ConfigFile file, String... given) {
        return List.of(ServeSettings.apply(List.of(given), file));
    }

    @Test
    void shouldGiveItsSettingsToServe() throws IOException {
        ConfigFile file =
                file(
                        """
                        data = "/srv/quoin"
                        [serve]
                        listen = "none"
                        max-connections = 300
                        hide-snapshots = true
                        disk = ["vm1=10G", "vm2=1G"]
                        bitmap-name = { vm1 = "backup-vda" }
                        """);

        assertThat(file.data()).isEqualTo(Path.of("/srv/quoin"));
        assertThat(applied(file, "serve"))
                .startsWith("serve")
                .containsExactlyInAnyOrder(
                        "serve",
                        "--listen=none",
                        "--max-connections=300",
                        "--hide-snapshots",
                        "--disk=vm1=10G",
                        "--disk=vm2=1G",
                        "--bitmap-name=vm1=backup-vda");
    }

    @Test
    void shouldLetWhatIsGivenWin() throws IOException {
        ConfigFile file = file("[serve]\nlisten = \"none\"\ndisk = [\"vm1=10G\"]\n");

        assertThat(applied(file, "serve", "--listen=127.0.0.1:0", "--disk", "vm3=1G"))
                .containsExactly("serve", "--listen=127.0.0.1:0", "--disk", "vm3=1G");
    }

    @Test
    void shouldLeaveOutWhatIsFalse() throws IOException {
        assertThat(applied(file("[serve]\nhide-snapshots = false\n"), "serve"))
                .containsExactly("serve");
    }

    @Test
    void shouldHaveNothingWhereThereIsNoFile() {
        ConfigFile file = ConfigFile.read(folder.resolve("none.toml"), false);
        assertThat(file.data()).isNull();
        assertThat(applied(file, "serve")).containsExactly("serve");
        assertThatThrownBy(() -> ConfigFile.read(folder.resolve("none.toml"), true))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("none.toml");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "date = \"/a\"|unknown setting: name=date|did you mean data?",
                "data = 3|name=data|expected=a text in quotes",
                "data = \"here\"|name=data|expected=an absolute path",
                "serve = 3|name=serve|expected=a table",
                "[serve] listten = \"none\"|name=listten|did you mean listen?",
                "[serve] hide-snapshots = 1|name=serve.hide-snapshots|expected=true or false",
                "[serve] listen = true|name=serve.listen|expected=a text in quotes, or a whole",
                "[serve] data = \"/a\"|unknown setting of [serve]|name=data",
                "[serve|settings are no TOML|line=1"
            })
    void shouldNameWhatIsWrong(String text, String words, String more) {
        assertThatThrownBy(
                        () -> {
                            ConfigFile file = file(text.replace("[serve] ", "[serve]\n"));
                            file.data();
                            applied(file, "serve");
                        })
                .isInstanceOf(BlockException.class)
                .hasMessageContainingAll(words, more, "quoin.toml");
    }

    @Test
    void shouldHaveKnownSettingsAloneInTheExample() throws IOException {
        String example = Files.readString(EXAMPLE);
        assertThat(applied(file(example), "serve")).containsExactly("serve");

        String all =
                Pattern.compile("^#(?=[a-z-]+ = )", Pattern.MULTILINE)
                        .matcher(example)
                        .replaceAll("");
        assertThat(applied(file(all), "serve"))
                .hasSizeGreaterThan(7)
                .contains("--socket-group=kvm");
    }
}
