package io.quoin.dist;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The archive: unpacked anywhere, it runs with a JRE and nothing else. */
@Timeout(600)
class ArchiveTest {
    /**
     * As an ordinary user without a home, in a locale of ASCII, where nothing in /tmp can be run.
     */
    private static final String SERVE =
            """
            installed=$1
            java=$2
            mount --bind "$installed" /mnt
            mount -o remount,bind,ro /mnt
            mount -t tmpfs -o noexec,mode=1777 none /tmp
            quoin="setpriv --reuid 65534 --regid 65534 --clear-groups
                env -i LC_ALL=C PATH=/usr/bin:/bin JAVA_HOME=$java /mnt/bin/quoin"
            cd /
            $quoin --version
            $quoin serve --data /tmp/data --disk vm1=10M --listen none >/tmp/out 2>/tmp/err &
            server=$!
            $quoin status --wait 60 --data /tmp/data
            $quoin disk create --data /tmp/data vm2 1G
            $quoin snapshot create --data /tmp/data vm1@monday
            $quoin disk ls --data /tmp/data
            kill "$server"
            wait "$server" || { cat /tmp/out /tmp/err; exit 1; }
            cat /tmp/err
            """;

    /** The first command makes an archive of classes, which takes its time on a busy machine. */
    private static final Duration LIMIT = Duration.ofMinutes(5);

    @TempDir private Path folder;
    private Path installed;

    @BeforeEach
    void unpack() {
        PeerCommand.of(
                        "tar",
                        "-xzf",
                        Packages.archive().toString(),
                        "-C",
                        folder.toString(),
                        "--no-same-owner")
                .runOk();
        installed = folder.resolve("quoin-" + Packages.VERSION);
    }

    @Test
    void shouldStartFromAnArchiveOfClassesInTheUsersCache() throws IOException {
        PeerResult first = startShared("--version");
        assertThat(first.stderr()).contains("preparing the class-data archive");
        String commit = Files.readString(installed.resolve("lib/commit")).strip();
        assertThat(commit).isNotEmpty();
        assertThat(first.stdout())
                .startsWith(
                        "quoin "
                                + Packages.VERSION
                                + " (commit "
                                + commit
                                + ", Java "
                                + Runtime.version().feature())
                .hasLineCount(1);
        try (var archives = Files.list(folder.resolve("cache/quoin"))) {
            assertThat(archives)
                    .singleElement()
                    .satisfies(file -> assertThat(Files.size(file)).isGreaterThan(1 << 20));
        }
        PeerResult second = startShared("job", "--help");
        assertThat(second.stderr()).doesNotContain("preparing the class-data archive");
        assertThat(second.stdout()).contains("Usage: quoin job");
    }

    /** Fails where the archive does not fit. */
    private PeerResult startShared(String... arguments) {
        List<String> argv = new ArrayList<>(List.of(installed.resolve("bin/quoin").toString()));
        argv.addAll(List.of(arguments));
        return PeerCommand.of(argv)
                .environment("JAVA_HOME", System.getProperty("java.home"))
                .environment("XDG_CACHE_HOME", folder.resolve("cache").toString())
                .environment("QUOIN_JAVA_OPTS", "-Xshare:on")
                .deadline(LIMIT)
                .runOk();
    }

    @Test
    void shouldServeAsAnyUserWhereNothingCanBeWrittenOrRunBesideIt() throws IOException {
        Packages.assumeMounts();
        List<String> before = files();

        PeerResult run =
                Packages.runApart(SERVE, installed.toString(), System.getProperty("java.home"));

        assertThat(run.stdout()).contains("nbd socket: /tmp/data/nbd.sock", "vm2");
        assertThat(run.stderr()).doesNotContain("ERROR", "WARN");
        assertThat(files()).isEqualTo(before);
    }

    private List<String> files() throws IOException {
        try (var all = Files.walk(installed)) {
            return all.map(Path::toString).sorted().toList();
        }
    }

    @Test
    void shouldHaveAManualPageForEachCommand() {
        Path pages = installed.resolve("share/man/man1");
        assertThat(pages.resolve("quoin.1")).exists();
        assertThat(pages.resolve("quoin-disk-create.1"))
                .content()
                .contains(
                        ".TH \"QUOIN\\-DISK\\-CREATE\"",
                        ".SH \"EXAMPLES\"",
                        "\\fB\\-\\-data DIR\\fR",
                        "quoin disk create vm1 10G".replace("-", "\\-"));
        assertThat(pages.resolve("quoin-rehearse.1")).doesNotExist();
    }

    @Test
    void shouldRenderItsManualPagesWithoutAWarning() throws IOException {
        PeerResult man = PeerCommand.of("sh", "-c", "command -v man groff").run();
        if (man.exitCode() != 0) {
            Peer.abortOrFail("man and groff are not installed");
        }
        try (var pages = Files.list(installed.resolve("share/man/man1"))) {
            for (Path page : pages.sorted().toList()) {
                PeerResult rendered =
                        PeerCommand.of("man", "--warnings", "-E", "UTF-8", "-l", page.toString())
                                .environment("MANWIDTH", "80")
                                .runOk();
                assertThat(rendered.stderr()).as(page.toString()).isEmpty();
                assertThat(rendered.stdout()).contains("SYNOPSIS");
            }
        }
    }

    @Test
    void shouldCompleteCommandsAndTheNamesOfDisksInBash() {
        String run =
                """
                export PATH=$1/bin:$PATH
                quoin completion --disks
                quoin serve --listen none --disk vm1=10M --disk web-1=10M >"$QUOIN_DATA.log" 2>&1 &
                server=$!
                quoin status --wait 60 >/dev/null
                source "$1/share/bash-completion/completions/quoin"
                complete() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _complete_quoin_disks; echo "${COMPREPLY[*]}"; }
                complete quoin disk cr
                complete quoin disk rm ''
                complete quoin disk rm w
                complete quoin disk rm --no
                complete quoin disk create ''
                kill "$server"
                wait "$server"
                """;
        PeerResult completed =
                PeerCommand.of("bash", "-c", run, "bash", installed.toString())
                        .environment("QUOIN_DATA", folder.resolve("data").toString())
                        .environment("XDG_CACHE_HOME", folder.resolve("cache").toString())
                        .environment("JAVA_HOME", System.getProperty("java.home"))
                        .deadline(LIMIT)
                        .runOk();
        assertThat(completed.stdout().lines())
                .containsExactly("create", "vm1 web-1", "web-1", "--now", "");
    }

    @Test
    void shouldHaveACompletionThatZshTakes() {
        if (PeerCommand.of("sh", "-c", "command -v zsh").run().exitCode() != 0) {
            Assumptions.abort("zsh is not installed");
        }
        String load =
                """
                fpath=($1/share/zsh/site-functions $fpath)
                autoload -U compinit && compinit -D
                [[ ${_comps[quoin]} == _quoin ]]
                source $1/share/bash-completion/completions/quoin
                whence -w _complete_quoin_disks
                """;
        PeerResult loaded =
                PeerCommand.of("zsh", "-fec", load, "zsh", installed.toString()).runOk();
        assertThat(loaded.stdout()).contains("_complete_quoin_disks: function");
    }
}
