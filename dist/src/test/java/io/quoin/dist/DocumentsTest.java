package io.quoin.dist;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerResult;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Each block of README and docs that is for a shell does what it says, with the package installed.
 * Those that need what is not here say so in a comment before them.
 */
@Timeout(600)
class DocumentsTest {
    private static final Path ROOT = Path.of(System.getProperty("quoin.root"));

    /** The first page: what it installs is what the others have. */
    private static final String INSTALLING = "docs/install.md";

    /** Goes on until it is ended, as the page is. */
    private static final Pattern LASTING =
            Pattern.compile("(?m)^((?:\\S*/)?quoin (?:serve|brick|disk top)\\b[^#\n]*).*$");

    private static final String RUN =
            Packages.ROOT
                    + """
                    mkdir "$root/run/packages"
                    cp "$2" "$3" "$root/run/packages/"
                    cp -r "$4" "$root/run/documents"
                    cp "$5" "$root/run/documents.sh"
                    exec unshare -n -p --fork --kill-child chroot "$root" bash /run/documents.sh
                    """;

    @TempDir private Path folder;

    private static List<ShellBlock> blocks() throws IOException {
        List<ShellBlock> blocks = new ArrayList<>(ShellBlock.of(ROOT, ROOT.resolve("README.md")));
        try (Stream<Path> pages = Files.walk(ROOT.resolve("docs"))) {
            for (Path page :
                    pages.filter(file -> file.toString().endsWith(".md")).sorted().toList()) {
                blocks.addAll(ShellBlock.of(ROOT, page));
            }
        }
        return blocks;
    }

    @Test
    void shouldDoWhatEachBlockSays() throws Exception {
        Packages.assumeMounts();
        Peer.assumeAll(Peer.QEMU_IMG, Peer.NBDCOPY, Peer.NBDINFO, Peer.BASH);
        if (PeerCommand.of("sh", "-c", "command -v ip curl openssl setpriv").run().exitCode()
                != 0) {
            Peer.abortOrFail("ip, curl, openssl and setpriv are not all installed");
        }
        List<String> run = new ArrayList<>();
        List<String> notRun = new ArrayList<>();
        for (ShellBlock block : blocks()) {
            if (block.whyNot() != null) {
                notRun.add(block.place() + " " + block.whyNot());
            } else if (!block.isSynopsis()) {
                write(block, run.size());
                run.add(block.place());
            }
        }
        System.out.println(
                "blocks of documents: run="
                        + run.size()
                        + ", not run="
                        + String.join("; ", notRun));
        assertThat(run).hasSizeGreaterThan(25);
        assertThat(notRun).hasSizeLessThan(12);

        PeerResult result =
                Packages.runApart(
                        RUN,
                        Packages.debianPackage().toString(),
                        Packages.debianPackage().toString(),
                        Packages.archive().toString(),
                        folder.resolve("documents").toString(),
                        ROOT.resolve("dist/src/test/documents.sh").toString());

        assertThat(result.stdout()).doesNotContain("FAILED");
        assertThat(result.stdout().lines().filter(line -> line.startsWith("PASSED")).count())
                .as(result.stdout())
                .isEqualTo(run.size() + pages());
    }

    private long pages() throws IOException {
        try (Stream<Path> pages = Files.list(folder.resolve("documents"))) {
            return pages.count();
        }
    }

    private void write(ShellBlock block, int number) throws IOException {
        Path page = folder.resolve("documents").resolve(flat(block.page()));
        if (Files.notExists(page)) {
            Files.createDirectories(page);
            script(page, "000-" + page.getFileName(), Preparations.of(block.page()));
        }
        script(
                page,
                "%03d-%s-%d".formatted(number + 1, page.getFileName(), block.line()),
                Preparations.of(block) + block.text());
    }

    private static void script(Path page, String name, String commands) throws IOException {
        Files.writeString(
                page.resolve(name + ".sh"), inBackground(commands), StandardCharsets.UTF_8);
    }

    private static String flat(String page) {
        return (page.equals(INSTALLING) ? "0-" : "") + page.replace('/', '-');
    }

    private static String inBackground(String commands) {
        StringBuilder text = new StringBuilder();
        Matcher lasting = LASTING.matcher(commands);
        while (lasting.find()) {
            String waiting = lasting.group(1).contains("serve") ? "quoin status --wait 60\n" : "";
            lasting.appendReplacement(
                    text,
                    Matcher.quoteReplacement(
                            lasting.group(1).strip()
                                    + " >>/run/log 2>&1 &\necho $! >>/run/background\n"
                                    + waiting));
        }
        return lasting.appendTail(text).toString();
    }
}
