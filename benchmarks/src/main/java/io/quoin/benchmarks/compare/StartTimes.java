package io.quoin.benchmarks.compare;

import io.quoin.testkit.peer.SocketFolder;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * The command {@code benchmarks/start}: how long a user waits for {@code quoin serve} and for
 * {@code quoin disk ls}, with the launcher and the start of the virtual machine in the time.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "start",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Measures how long Quoin takes to start and to answer a command.",
        footer = {
            "",
            "Examples:",
            "  benchmarks/start --images 1000",
            "  benchmarks/start --quoin before/bin/quoin --quoin after/bin/quoin --rounds 20"
        })
public final class StartTimes implements Callable<Integer> {
    private static final String SERVE = "serve, until the first handshake";
    private static final String LIST = "disk ls, of a service";
    private static final String ALONE = "disk ls, without a service";
    private static final int LISTS = 3;
    private static final long POLL_NANOS = 500_000;
    private static final Duration LIMIT = Duration.ofMinutes(1);

    @Option(
            names = "--quoin",
            paramLabel = "LAUNCHER",
            description =
                    "bin/quoin of a checkout; repeatable, they take turns. Default: this one's.")
    private List<Path> launchers =
            List.of(Path.of(System.getProperty("quoin.root", "."), "bin", "quoin"));

    @Option(names = "--rounds", description = "After one to warm up. Default: 10.")
    private int rounds = 10;

    @Option(names = "--images", description = "How many the data folder has. Default: 1.")
    private int images = 1;

    @Spec private CommandSpec spec = CommandSpec.create();

    /** Runs the command line and ends the process. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new StartTimes()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        Map<Path, Map<String, List<Long>>> times = new LinkedHashMap<>();
        try (SocketFolder folder = SocketFolder.create()) {
            Path data = folder.resolve("data");
            makeImages(launchers.get(0), data);
            for (int round = 0; round <= rounds; round++) {
                for (Path launcher : launchers) {
                    Map<String, List<Long>> into = new LinkedHashMap<>();
                    measure(launcher, data, folder.resolve("nbd"), into);
                    if (round > 0) {
                        Map<String, List<Long>> all =
                                times.computeIfAbsent(launcher, none -> new LinkedHashMap<>());
                        into.forEach(
                                (what, nanos) ->
                                        all.computeIfAbsent(what, none -> new ArrayList<>())
                                                .addAll(nanos));
                    }
                }
            }
        }
        print(times);
        return 0;
    }

    private void makeImages(Path launcher, Path data) throws IOException, InterruptedException {
        run(launcher, "disk", "create", "vm0", "1G", "--data=" + data);
        Path image;
        try (Stream<Path> files = Files.walk(data)) {
            image = files.filter(file -> file.endsWith("vm0.qcow2")).findFirst().orElseThrow();
        }
        for (int i = 1; i < images; i++) {
            Files.copy(image, image.resolveSibling("vm" + i + ".qcow2"));
        }
    }

    private static void measure(
            Path launcher, Path data, Path socket, Map<String, List<Long>> times)
            throws IOException, InterruptedException {
        long start = System.nanoTime();
        Process service =
                start(launcher, "serve", "--data=" + data, "--socket=" + socket, "--listen=none");
        try (FloodClient client = awaitSocket(service, socket)) {
            client.greet();
            client.enter("vm0", false);
            add(times, SERVE, start);
            for (int i = 0; i < LISTS; i++) {
                start = System.nanoTime();
                run(launcher, "disk", "ls", "--data=" + data);
                add(times, LIST, start);
            }
        } finally {
            service.destroy();
            service.waitFor();
        }
        start = System.nanoTime();
        run(launcher, "disk", "ls", "--data=" + data);
        add(times, ALONE, start);
    }

    private static void add(Map<String, List<Long>> times, String what, long start) {
        times.computeIfAbsent(what, none -> new ArrayList<>()).add(System.nanoTime() - start);
    }

    private static FloodClient awaitSocket(Process service, Path socket) throws IOException {
        long end = System.nanoTime() + LIMIT.toNanos();
        while (true) {
            try {
                return FloodClient.connect(socket);
            } catch (IOException notYet) {
                if (!service.isAlive() || System.nanoTime() > end) {
                    throw notYet;
                }
                LockSupport.parkNanos(POLL_NANOS);
            }
        }
    }

    private static Process start(Path launcher, String... arguments) {
        List<String> command = new ArrayList<>(List.of(launcher.toAbsolutePath().toString()));
        command.addAll(List.of(arguments));
        try {
            return new ProcessBuilder(command)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void run(Path launcher, String... arguments)
            throws IOException, InterruptedException {
        int exitCode = start(launcher, arguments).waitFor();
        if (exitCode != 0) {
            throw new IOException(
                    "failed: command=quoin " + List.of(arguments) + ", exit code=" + exitCode);
        }
    }

    private void print(Map<Path, Map<String, List<Long>>> times) {
        PrintWriter out = spec.commandLine().getOut();
        out.println("| launcher | of | median ms | fastest ms |");
        out.println("|---|---|---:|---:|");
        times.forEach(
                (launcher, all) ->
                        all.forEach(
                                (what, nanos) -> {
                                    List<Long> sorted = nanos.stream().sorted().toList();
                                    out.printf(
                                            "| %s | %s | %d | %d |%n",
                                            launcher,
                                            what,
                                            millis(sorted.get(sorted.size() / 2)),
                                            millis(sorted.get(0)));
                                }));
        out.flush();
    }

    private static long millis(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(nanos);
    }
}
