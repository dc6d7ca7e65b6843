package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.testkit.peer.QuoinProgram;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Names of files on the command line of the real program, in locales that know them and that do
 * not. A shell makes the names: a Java program can give no other one a name that is not text.
 */
@Timeout(240)
class NamesTest {
    private static final String LATIN_A = "\uDCE4";
    private static final String LATIN_O = "\uDCF6";

    @TempDir private Path folder;

    /** {@code q} is the program, {@code $a} and {@code $o} are no UTF-8, {@code $u} is. */
    private PeerCommand shell(String locale, String script) {
        String prologue =
                """
                set -e; q() { "$QUOIN" "$@"; }
                a=$(printf '\\344'); o=$(printf '\\366'); u=$(printf 'gr\\303\\266\\303\\237e')
                """;
        return QuoinProgram.environment(PeerCommand.of(List.of("/bin/sh", "-c", prologue + script)))
                .directory(folder)
                .environment("QUOIN", QuoinProgram.LAUNCHER.toString())
                .environment("LC_ALL", locale);
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(NameText::lastOf).sorted().toList();
        }
    }

    private byte[] content(String name) throws IOException {
        return Files.readAllBytes(folder.resolve(NameText.path(name)));
    }

    private void write(String name, char content) throws IOException {
        Files.writeString(
                folder.resolve(NameText.path(name)), String.valueOf(content).repeat(1 << 16));
    }

    @ParameterizedTest
    @ValueSource(strings = {"C", "C.UTF-8", "no_SUCH.locale"})
    void shouldKeepFilesApartWhenTheirNamesDiffer(String locale) throws IOException {
        write("a.raw", 'A');
        write("b.raw", 'B');
        shell(
                        locale,
                        """
                q image convert -q a.raw $a.raw; q image convert -q b.raw $o.raw
                q image convert -q a.raw "$u.raw"; mkdir $o; cd $o
                q image create -q -f raw $a 64K; q image create -q $u.qcow2 1M
                q image create -q -b $u.qcow2 -F qcow2 over.qcow2
                q image check over.qcow2 >&2; q image map over.qcow2 >&2""")
                .runOk();
        assertThat(names())
                .containsExactlyInAnyOrder(
                        "a.raw",
                        "b.raw",
                        LATIN_A + ".raw",
                        LATIN_O + ".raw",
                        "gr\u00F6\u00DFe.raw",
                        LATIN_O);
        assertThat(content(LATIN_A + ".raw")).isEqualTo(content("a.raw"));
        assertThat(content(LATIN_O + ".raw")).isEqualTo(content("b.raw"));
        assertThat(content("gr\u00F6\u00DFe.raw")).isEqualTo(content("a.raw"));
        for (String name : List.of(LATIN_A, "gr\u00F6\u00DFe.qcow2", "over.qcow2")) {
            assertThat(folder.resolve(NameText.path(LATIN_O + "/" + name))).exists();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"C", "C.UTF-8"})
    void shouldShowNamesEscapedWhenTheyAreNoText(String locale) throws IOException {
        write(LATIN_A + ".raw", 'A');
        write("two\nlines.raw", 'B');
        write("gr\u00F6\u00DFe.raw", 'C');
        PeerResult shown =
                shell(
                                locale,
                                """
                q image info $a.raw; q image info two?lines.raw; q image info $u.raw
                q image info $o.raw 2>&1 || q image info --output json $a.raw""")
                        .runOk();
        assertThat(shown.stdout())
                .contains("filename: \\xe4.raw\n")
                .contains("filename: two\\x0alines.raw\n")
                .contains("filename: gr\u00F6\u00DFe.raw\n")
                .contains("no such image file: path=" + folder + "/\\xf6.raw\n");
        String json = shown.stdout().substring(shown.stdout().indexOf('{'));
        assertThat(new ObjectMapper().readTree(json).path("filename").asText())
                .isEqualTo(LATIN_A + ".raw");
    }

    @Test
    void shouldTakeANameAsItIsWhenItLooksLikeSomethingElse() throws IOException {
        Files.writeString(folder.resolve("notes.txt"), "secret-word");
        write("@notes.txt", 'A');
        write("-n.raw", 'B');
        write("--", 'C');
        PeerResult shown =
                shell(
                                "C",
                                """
                q image info -f raw @notes.txt; q image info -- -n.raw
                q image info -f raw -- --
                q image info -f raw -- @notes.txt; q image info @none 2>&1 || true""")
                        .runOk();
        assertThat(shown.stdout())
                .contains("filename: @notes.txt")
                .contains("filename: -n.raw")
                .contains("filename: --")
                .contains("/@none")
                .doesNotContain("secret-word");
    }

    @Test
    void shouldKeepTheServiceOutOfOtherFoldersWhenTheDataFolderIsNoText() throws IOException {
        PeerResult ran =
                shell(
                                "C",
                                """
                q disk create --data $a vm1 1M; QUOIN_DATA=$PWD/$u q disk create vm2 2M
                q disk ls --data $u
                q serve --data $a --listen none 2>&1 || q disk ls --data $a""")
                        .runOk();
        assertThat(names()).containsExactlyInAnyOrder(LATIN_A, "gr\u00F6\u00DFe");
        assertThat(ran.stdout())
                .contains("vm1")
                .contains("vm2")
                .contains("cannot listen: socket=" + folder + "/\\xe4/")
                .contains("expected=in a folder whose path is UTF-8");
        assertThat(folder.resolve(NameText.path(LATIN_A + "/brick/vm1.qcow2"))).exists();
        assertThat(folder.resolve(NameText.path("gr\u00F6\u00DFe/brick/vm2.qcow2"))).exists();
    }
}
