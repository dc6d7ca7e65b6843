package io.quoin.management.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.testkit.peer.SocketFolder;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The real {@code bin/quoin} as a process, on the classes under test. */
@Timeout(300)
class LauncherTest {
    private static final Path LAUNCHER = Path.of(System.getProperty("quoin.root"), "bin", "quoin");
    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final int OTHER_USER = 65534;

    private final SocketFolder folder = SocketFolder.create();
    private final Path data = folder.resolve("data");

    @AfterEach
    void removeTheFolder() {
        folder.close();
    }

    @Test
    void shouldEndCleanlyWhenTerminated() {
        try (PeerProcess server = serve()) {
            assertThat(server.stdout())
                    .contains("disk vm1, 10 MiB", "nbd+unix:///vm1", "-blockdev");
            PeerResult second = command(LAUNCHER, serveArguments()).run();
            assertThat(second.exitCode()).isEqualTo(1);
            assertThat(second.stderr()).contains("pid=" + server.pid());

            PeerResult status =
                    command(LAUNCHER, List.of("status", "--wait", "30", "--data", data.toString()))
                            .runOk();
            assertThat(status.stdout()).contains("pid " + server.pid());

            server.terminate();
            PeerResult ended = server.awaitExit(LIMIT);
            assertThat(ended.exitCode()).as(ended.toString()).isZero();
        }
        assertThat(data.resolve("nbd.sock")).doesNotExist();
        assertThat(data.resolve("control.sock")).doesNotExist();
        assertThat(data.resolve("brick/vm1.qcow2")).exists();
    }

    @Test
    void shouldStartAgainAfterItWasKilled() {
        try (PeerProcess server = serve()) {
            server.kill();
            server.awaitExit(LIMIT);
        }
        assertThat(data.resolve("nbd.sock")).exists();
        try (PeerProcess again = serve()) {
            again.terminate();
            assertThat(again.awaitExit(LIMIT).exitCode()).isZero();
        }
    }

    @Test
    void shouldBeFoundThroughLinksFromAnyFolder() throws IOException {
        Path absolute = Files.createSymbolicLink(folder.resolve("quoin"), LAUNCHER);
        Path relative = Files.createSymbolicLink(folder.resolve("q"), Path.of("quoin"));
        assertThat(absolute).exists();

        PeerResult version =
                command(relative, List.of("--version")).directory(folder.path()).runOk();

        assertThat(version.stdout()).startsWith("quoin ");
    }

    @Test
    void shouldPassOverAJavaHomeThatWillNotDo() throws IOException {
        Path old = folder.resolve("jdk-11");
        Files.createDirectories(old.resolve("bin"));
        Files.writeString(old.resolve("release"), "JAVA_VERSION=\"11.0.2\"\n");
        Files.writeString(old.resolve("bin/java"), "#!/bin/sh\necho old\n");
        assertThat(old.resolve("bin/java").toFile().setExecutable(true)).isTrue();

        PeerResult version =
                command(LAUNCHER, List.of("--version"))
                        .environment("JAVA_HOME", old.toString())
                        .runOk();

        assertThat(version.stdout()).startsWith("quoin ");
    }

    @Test
    void shouldPassFailuresOn() {
        PeerResult wrong = command(LAUNCHER, List.of("disk", "create", "a b", "1 G x")).run();

        assertThat(wrong.exitCode()).isEqualTo(2);
        assertThat(wrong.stderr()).contains("value=1 G x");
    }

    /** Code 3 would say that clusters are leaked and nothing else. */
    @Test
    void shouldSayNotCompletedWhenCheckIsOutOfMemory() throws IOException {
        Path image = folder.resolve("bitmaps.qcow2");
        int directoryBytes = 16 << 20;
        ByteBuffer header = ByteBuffer.allocate(1 << 16);
        header.putInt(0, 0x514649fb).putInt(4, 3).putInt(20, 16);
        header.putLong(48, 1 << 16).putInt(56, 1).putLong(88, 1).putInt(96, 4).putInt(100, 104);
        header.putInt(104, 0x23852875).putInt(108, 24).putInt(112, 1);
        header.putLong(120, directoryBytes).putLong(128, 1 << 20);
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.write(header.array());
            file.setLength((1 << 20) + directoryBytes);
        }
        PeerResult check =
                command(LAUNCHER, List.of("image", "check", image.toString()))
                        .environment("QUOIN_JAVA_OPTS", "-Xmx16m")
                        .run();
        assertThat(check.exitCode()).as(check.toString()).isEqualTo(1);
        assertThat(check.stderr()).contains("out of memory");
    }

    private PeerProcess serve() {
        PeerProcess server = command(LAUNCHER, serveArguments()).start();
        server.awaitLine(line -> line.strip().equals("ready"), LIMIT);
        return server;
    }

    private List<String> serveArguments() {
        return List.of(
                "serve", "--data", data.toString(), "--disk", "vm1=10M", "--listen", "127.0.0.1:0");
    }

    private static PeerCommand command(Path launcher, List<String> arguments) {
        List<String> argv = new ArrayList<>();
        argv.add(launcher.toString());
        argv.addAll(arguments);
        return environment(PeerCommand.of(argv));
    }

    private static PeerCommand environment(PeerCommand command) {
        return command.environment("QUOIN_CLASSPATH", System.getProperty("java.class.path"))
                .environment("JAVA_HOME", System.getProperty("java.home"));
    }

    @Test
    void shouldSayWhichFolderWhenNativeLibrariesCannotBeUnpacked() throws IOException {
        Path image = Files.writeString(folder.resolve("a.raw"), "content");
        PeerResult failed =
                command(LAUNCHER, List.of("image", "info", image.toString()))
                        .environment("QUOIN_JAVA_OPTS", "-Djava.io.tmpdir=" + image + "/tmp")
                        .run();
        assertThat(failed.exitCode()).isEqualTo(1);
        // JDK 25 has a word of its own for such a folder.
        assertThat(failed.stderr().lines().filter(line -> !line.startsWith("WARNING: java.io.tmp")))
                .singleElement(InstanceOfAssertFactories.STRING)
                .startsWith("quoin: native libraries cannot be loaded: folder=" + image + "/tmp,");
    }

    @Test
    void shouldUnpackNothingWhenTheInstallationHasTheNativeLibraries() throws IOException {
        Path installed = folder.resolve("native");
        for (String jar : System.getProperty("java.class.path").split(":", -1)) {
            if (jar.endsWith(".jar")) {
                unpack(Path.of(jar), installed);
            }
        }
        Path file = Files.createFile(folder.resolve("no-folder"));
        try (PeerProcess server =
                command(LAUNCHER, serveArguments())
                        .environment("QUOIN_NATIVE", installed.toString())
                        .environment("QUOIN_JAVA_OPTS", "-Djava.io.tmpdir=" + file + "/tmp")
                        .start()) {
            server.awaitLine(line -> line.strip().equals("ready"), LIMIT);
            server.terminate();
            assertThat(server.awaitExit(LIMIT).exitCode()).isZero();
        }
    }

    private static void unpack(Path jar, Path target) throws IOException {
        try (JarFile file = new JarFile(jar.toString())) {
            for (JarEntry entry : Collections.list(file.entries())) {
                if (entry.getName().endsWith(".so")) {
                    Path place = target.resolve(entry.getName());
                    Files.createDirectories(place.getParent());
                    try (InputStream in = file.getInputStream(entry)) {
                        Files.copy(in, place, StandardCopyOption.REPLACE_EXISTING);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"0000", "0077"})
    void shouldMakeEverythingForItsOwnerAloneWhateverTheMask(String mask) throws IOException {
        String script = "umask " + mask + "; exec \"$@\"";
        List<String> argv = new ArrayList<>(List.of("/bin/sh", "-c", script, "sh"));
        argv.add(LAUNCHER.toString());
        argv.addAll(List.of("disk", "create", "--data", data.toString(), "vm1", "1M"));
        environment(PeerCommand.of(argv)).runOk();
        try (Stream<Path> all = Files.walk(data)) {
            assertThat(all.toList())
                    .hasSizeGreaterThan(5)
                    .allSatisfy(
                            path ->
                                    assertThat(Files.getPosixFilePermissions(path))
                                            .as("%s", path)
                                            .isSubsetOf(
                                                    PosixFilePermissions.fromString("rwx------")));
        }
    }

    @Test
    void shouldLeaveNoFilesOfRootInAnotherUsersFolder() throws IOException {
        assumeTrue(
                Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid")),
                "needs root");
        Files.createDirectory(data);
        Files.setAttribute(data, "unix:uid", OTHER_USER);
        command(LAUNCHER, List.of("disk", "create", "--data", data.toString(), "vm1", "1M"))
                .runOk();
        Path brick = data.resolve("brick");
        command(
                        LAUNCHER,
                        List.of(
                                "image",
                                "convert",
                                "-q",
                                brick.resolve("vm1.qcow2").toString(),
                                brick.resolve("vm2.qcow2").toString()))
                .runOk();
        command(LAUNCHER, List.of("disk", "ls", "--data", data.toString())).runOk();
        try (Stream<Path> all = Files.walk(data)) {
            assertThat(all.toList())
                    .contains(brick.resolve("vm2.qcow2"))
                    .allSatisfy(
                            path ->
                                    assertThat(Files.getAttribute(path, "unix:uid"))
                                            .as("%s", path)
                                            .isEqualTo(OTHER_USER));
        }
    }

    @Test
    void shouldMakeNoVolumeWhenTheFolderIsMistyped() {
        for (List<String> looking :
                List.of(
                        List.of("disk", "ls"),
                        List.of("disk", "info", "vm1"),
                        List.of("disk", "rm", "vm1"))) {
            List<String> arguments = new ArrayList<>(looking);
            arguments.addAll(List.of("--data", data.toString()));
            PeerResult failed = command(LAUNCHER, arguments).run();
            assertThat(failed.exitCode()).isEqualTo(1);
            assertThat(failed.stderr())
                    .startsWith("quoin: no volume in the data folder: path=" + data + ",");
        }
        assertThat(data).doesNotExist();
    }
}
