package io.quoin.management.volume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

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
        assertThat(DataFolder.choose(Path.of("a/../b"), () -> null).path())
                .isEqualTo(Path.of("b").toAbsolutePath());
    }

    @Test
    void shouldBeForItsOwnerAloneWhenItIsMade(@TempDir Path folder) throws IOException {
        Path made = folder.resolve("a/b");
        new DataFolder(made).create();
        for (Path one : new Path[] {made, made.getParent()}) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(one)))
                    .isEqualTo("rwx------");
        }
        Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rwxr-x---"));
        new DataFolder(made).create();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(made)))
                .as("what an operator has set stays")
                .isEqualTo("rwxr-x---");
    }

    @Test
    void shouldSayWhatToDoWhenItCannotBeMade(@TempDir Path folder) throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        assertThatThrownBy(() -> new DataFolder(file.resolve("below")).create())
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("--data");
    }

    @Test
    void shouldMakeNothingWhenOnlyAVolumeThatIsThereWillDo(@TempDir Path folder)
            throws IOException {
        DataFolder missing = new DataFolder(folder.resolve("typo"));
        DataFolder empty = new DataFolder(folder);
        for (DataFolder none : List.of(missing, empty)) {
            assertThatThrownBy(() -> LocalVolume.openExisting(none, null, 1))
                    .isInstanceOfSatisfying(
                            BlockException.class,
                            e -> assertThat(e.error()).isEqualTo(BlockError.ENOENT))
                    .hasMessageContaining("path=" + none.path() + ",");
        }
        Path volfile = Files.createFile(folder.resolve("v.vol"));
        assertThatThrownBy(() -> LocalVolume.openExisting(missing, volfile, 1))
                .hasMessageContaining("no volume");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(volfile);
        }
    }

    @Test
    void shouldMakeTheGraphAnewWhenOnlyImagesAreThere(@TempDir Path folder) throws IOException {
        DataFolder lost = new DataFolder(folder);
        Files.createDirectory(folder.resolve("brick"));
        LocalVolume.openExisting(lost, null, 1).close();
        assertThat(lost.volfile()).hasContent(EmbeddedVolfile.text());
    }
}
