package io.quoin.management.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.testkit.peer.SocketFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@code bin/quoin} in a checkout that was not built, with a Maven and a JDK that do little. */
@Timeout(120)
class FirstLaunchTest {
    private static final Path BIN = Path.of(System.getProperty("quoin.root"), "bin");
    private static final Duration LIMIT = Duration.ofMinutes(1);

    /** Says that it builds, and builds once it is told to. */
    private static final String MAVEN =
            """
            #!/bin/sh
            echo build >>"$CHECKOUT/builds"
            read -r line <"$CHECKOUT/go"
            mkdir -p management/target/lib
            : >management/target/quoin-management-1.jar
            : >management/target/lib/other.jar
            """;

    /** Leaves the files that it is asked for, and shows what it is asked to run. */
    private static final String JAVA =
            """
            #!/bin/sh
            for argument; do
                case $argument in
                    -XX:DumpLoadedClassList=*) echo classes >"${argument#*=}"; exit 0 ;;
                    -XX:SharedArchiveFile=*) file=${argument#*=} ;;
                    -Xshare:dump) dump=yes ;;
                esac
            done
            if [ -n "${dump:-}" ]; then
                echo archive >>"$CHECKOUT/archives"
                : >"$file"
                exit 0
            fi
            echo ran
            """;

    private final SocketFolder folder = SocketFolder.create();
    private final Path target = folder.resolve("management/target");

    @BeforeEach
    void layOut() throws IOException {
        script("mvn", MAVEN);
        script("jdk/bin/java", JAVA);
        Files.writeString(folder.resolve("jdk/release"), "JAVA_VERSION=\"17.0.1\"\n");
        Files.createDirectory(folder.resolve("bin"));
        for (String name : List.of("quoin", "jvm.options")) {
            Files.copy(BIN.resolve(name), folder.resolve("bin").resolve(name));
        }
        assertThat(folder.resolve("bin/quoin").toFile().setExecutable(true)).isTrue();
        PeerCommand.of("mkfifo", folder.resolve("go").toString()).runOk();
    }

    @AfterEach
    void removeTheFolder() {
        folder.close();
    }

    private void script(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
        assertThat(file.toFile().setExecutable(true)).isTrue();
    }

    /** One whose words on stderr can be waited for. */
    private PeerProcess launch() {
        String quoin = folder.resolve("bin/quoin").toString();
        return PeerCommand.of("/bin/sh", "-c", "exec \"$0\" status 2>&1", quoin)
                .environment("PATH", folder.path() + ":" + System.getenv("PATH"))
                .environment("JAVA_HOME", folder.resolve("jdk").toString())
                .environment("CHECKOUT", folder.path().toString())
                .environment("QUOIN_CLASSPATH", "")
                .start();
    }

    private void assertRan(PeerProcess launch) {
        PeerResult ended = launch.awaitExit(LIMIT);
        assertThat(ended.exitCode()).as(ended.toString()).isZero();
        assertThat(ended.stdout().lines()).contains("ran");
    }

    @Test
    void shouldBuildOnceWhenTwoAreLaunchedAtATime() throws IOException {
        assumeTrue(PeerCommand.of("which", "flock").run().exitCode() == 0, "needs flock");
        try (PeerProcess first = launch()) {
            first.awaitLine(line -> line.startsWith("quoin: building"), LIMIT);
            try (PeerProcess second = launch()) {
                second.awaitLine(line -> line.startsWith("quoin: waiting"), LIMIT);
                Files.writeString(folder.resolve("go"), "go\n");
                assertRan(first);
                assertRan(second);
            }
        }
        assertThat(folder.resolve("builds")).hasContent("build");
        assertThat(folder.resolve("archives")).hasContent("archive");
    }

    @Test
    void shouldLeaveNoTemporaryFiles() throws IOException {
        Files.createDirectories(target);
        Path stale = Files.createFile(target.resolve("quoin-jdk17.jsa.4711.list"));
        try (PeerProcess launch = launch()) {
            launch.awaitLine(line -> line.startsWith("quoin: building"), LIMIT);
            Files.writeString(folder.resolve("go"), "go\n");
            assertRan(launch);
        }
        try (Stream<Path> left = Files.list(target)) {
            assertThat(left.map(path -> path.getFileName().toString()))
                    .containsExactlyInAnyOrder("lib", "quoin-management-1.jar", "quoin-jdk17.jsa")
                    .doesNotContain(stale.getFileName().toString());
        }
    }
}
