package io.quoin.testkit.peer;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;

/**
 * The command bin/quoin as a process of its own, on the classes under test. Tests start it some
 * hundred times, so it has a class-data archive as an installation has, for which folders of
 * classes are packed into jars, once for all virtual machines that run tests of a module.
 *
 * <p>Threading: thread-safe.
 */
public final class QuoinProgram {
    /** The launcher, for a command line that starts it somehow; see {@link #environment}. */
    public static final Path LAUNCHER = Path.of(System.getProperty("quoin.root"), "bin", "quoin");

    private static final Duration LIMIT = Duration.ofMinutes(3);

    private QuoinProgram() {}

    /** A command line of it; nothing runs yet. */
    public static PeerCommand command(List<String> arguments) {
        List<String> argv = new ArrayList<>();
        argv.add(LAUNCHER.toString());
        argv.addAll(arguments);
        return environment(PeerCommand.of(argv));
    }

    /** For a command line that starts the launcher somehow. */
    public static PeerCommand environment(PeerCommand command) {
        Classes.ENVIRONMENT.forEach(command::environment);
        return command;
    }

    /** Runs it to its end, whatever its exit code. */
    public static PeerResult run(String... arguments) {
        return command(List.of(arguments)).run();
    }

    /** What the launcher is told; made when it is first needed. */
    private static final class Classes {
        private static final Path FOLDER =
                Path.of(System.getProperty("java.io.tmpdir"), "program").toAbsolutePath();
        static final Map<String, String> ENVIRONMENT = environment();

        private static Map<String, String> environment() {
            try {
                Files.createDirectories(FOLDER);
                try (FileChannel lock =
                        FileChannel.open(
                                FOLDER.resolve("lock"),
                                StandardOpenOption.CREATE,
                                StandardOpenOption.WRITE)) {
                    lock.lock(); // until it is closed
                    return archived(jars());
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** Has the launcher make the archive, unless it is there and newer than the jars. */
        private static Map<String, String> archived(String classPath) {
            String archive = "jdk" + Runtime.version().feature() + ".jsa";
            Map<String, String> environment =
                    Map.of(
                            "JAVA_HOME", System.getProperty("java.home"),
                            "QUOIN_CLASSPATH", classPath,
                            "QUOIN_ARCHIVE", FOLDER.resolve(archive).toString());
            PeerCommand first = PeerCommand.of(LAUNCHER.toString(), "--version");
            environment.forEach(first::environment);
            first.deadline(LIMIT).runOk();
            return environment;
        }

        private static String jars() throws IOException {
            List<String> entries = new ArrayList<>();
            for (String entry :
                    System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
                Path path = Path.of(entry).toAbsolutePath();
                if (Files.isDirectory(path)) {
                    entries.add(jar(path).toString());
                } else if (Files.exists(path)) {
                    entries.add(path.toString());
                }
            }
            return String.join(File.pathSeparator, entries);
        }

        /** The jar of a folder, made anew if anything in it is newer. */
        private static Path jar(Path folder) throws IOException {
            String name = folder.toString().replace('/', '+');
            Path jar = FOLDER.resolve(name + ".jar");
            if (!Files.exists(jar) || newest(folder).compareTo(modified(jar)) >= 0) {
                Path made = FOLDER.resolve(name + ".new");
                int exitCode =
                        ToolProvider.findFirst("jar")
                                .orElseThrow()
                                .run(
                                        System.out,
                                        System.err,
                                        "--create",
                                        "--no-compress",
                                        "--file=" + made,
                                        "-C",
                                        folder.toString(),
                                        ".");
                if (exitCode != 0) {
                    throw new IOException("cannot be packed: folder=" + folder);
                }
                Files.move(made, jar, StandardCopyOption.ATOMIC_MOVE);
            }
            return jar;
        }

        private static FileTime newest(Path folder) throws IOException {
            try (Stream<Path> content = Files.walk(folder)) {
                FileTime newest = FileTime.fromMillis(0);
                for (Path path : content.toList()) {
                    FileTime modified = modified(path);
                    newest = modified.compareTo(newest) > 0 ? modified : newest;
                }
                return newest;
            }
        }

        private static FileTime modified(Path path) throws IOException {
            return Files.getLastModifiedTime(path);
        }
    }
}
