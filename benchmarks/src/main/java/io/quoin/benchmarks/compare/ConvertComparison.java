package io.quoin.benchmarks.compare;

import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.PeerResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Converts the same images with Quoin and with qemu-img, as a user would start them, in turns. All
 * of them go through the page cache and flush the result before they end. Each result is compared
 * with the source.
 *
 * <p>Threading: confined to the comparison's thread.
 */
final class ConvertComparison {
    static final String QUOIN = "quoin";

    /** Writes in order, which is what qemu-img does unless it is told otherwise. */
    static final String QEMU_IMG = "qemu-img";

    /** Writes out of order (-W). */
    static final String QEMU_IMG_W = "qemu-img -W";

    static final List<String> TOOLS = List.of(QUOIN, QEMU_IMG, QEMU_IMG_W);

    private static final Duration LIMIT = Duration.ofMinutes(30);
    private static final long POLL_MILLIS = 10;
    private static final long SEED = 1;

    private final Path quoin;
    private final @Nullable String quoinClassPath;
    private final Path folder;
    private final int threads;
    private final Consumer<String> progress;
    private final Path raw;
    private final Path compressed;

    /**
     * @param quoin its launcher
     * @param quoinClassPath the classes to run it with; null: as it was built
     * @param threads how many of them compress, or decompress, at once
     */
    ConvertComparison(
            Path quoin,
            @Nullable String quoinClassPath,
            Path folder,
            int threads,
            Consumer<String> progress) {
        this.quoin = quoin;
        this.quoinClassPath = quoinClassPath;
        this.folder = folder;
        this.threads = threads;
        this.progress = progress;
        raw = folder.resolve("source.raw");
        compressed = folder.resolve("source.qcow2");
    }

    /** Round 0 warms up the page cache and is not counted. */
    List<ConvertRun> run(long sizeBytes, int rounds) throws IOException {
        SourceImage.create(raw, sizeBytes, SEED);
        qemuImg(ConvertRow.ALL.get(0), compressed, List.of()).deadline(LIMIT).runOk();
        quoin(List.of("--version")).deadline(LIMIT).runOk();
        List<String> turns = new ArrayList<>(TOOLS);
        List<ConvertRun> runs = new ArrayList<>();
        for (int round = 0; round <= rounds; round++) {
            for (ConvertRow row : ConvertRow.ALL) {
                for (String tool : turns) {
                    ConvertRun run = convert(row, tool, round);
                    progress.accept(
                            String.format(
                                    Locale.ROOT,
                                    "round %d/%d  %-14s %-12s %8.2f s",
                                    round,
                                    rounds,
                                    row.name(),
                                    tool,
                                    run.seconds()));
                    if (round > 0) {
                        runs.add(run);
                    }
                }
            }
            Collections.rotate(turns, 1);
        }
        return runs;
    }

    private ConvertRun convert(ConvertRow row, String tool, int round) throws IOException {
        Path target = folder.resolve("target");
        PeerCommand command =
                switch (tool) {
                    case QUOIN -> quoin(quoinArguments(row, target));
                    case QEMU_IMG -> qemuImg(row, target, List.of());
                    default -> qemuImg(row, target, List.of("-W"));
                };
        long start = System.nanoTime();
        try (PeerProcess process = command.start()) {
            ProcessUsage usage = usageUntilEnd(process);
            double seconds = (System.nanoTime() - start) / 1e9;
            process.awaitExit(LIMIT).requireSuccess();
            compare(target, row.targetFormat());
            long fileBytes = Files.size(target);
            return new ConvertRun(
                    row.name(),
                    tool,
                    round,
                    seconds,
                    usage.cpuMicros() / 1e6,
                    usage.residentBytes(),
                    fileBytes);
        } finally {
            Files.deleteIfExists(target);
        }
    }

    private List<String> quoinArguments(ConvertRow row, Path target) {
        List<String> argv = new ArrayList<>(List.of("image", "convert", "--threads=" + threads));
        argv.addAll(List.of("-f", row.sourceFormat(), "-O", row.targetFormat()));
        argv.addAll(row.targetOptions());
        argv.add(source(row).toString());
        argv.add(target.toString());
        return argv;
    }

    private PeerCommand quoin(List<String> arguments) {
        List<String> argv = new ArrayList<>(List.of(quoin.toString()));
        argv.addAll(arguments);
        PeerCommand command =
                PeerCommand.of(argv).environment("JAVA_HOME", System.getProperty("java.home"));
        return quoinClassPath == null
                ? command
                : command.environment("QUOIN_CLASSPATH", quoinClassPath);
    }

    /** By default it would not flush: the cache mode of its target is "unsafe". */
    private PeerCommand qemuImg(ConvertRow row, Path target, List<String> options) {
        List<String> argv = new ArrayList<>(List.of("convert", "-t", "writeback", "-m"));
        argv.add(Integer.toString(threads));
        argv.addAll(options);
        argv.addAll(List.of("-f", row.sourceFormat(), "-O", row.targetFormat()));
        argv.addAll(row.targetOptions());
        argv.add(source(row).toString());
        argv.add(target.toString());
        return Peer.QEMU_IMG.command(argv);
    }

    private Path source(ConvertRow row) {
        return row.fromCompressed() ? compressed : raw;
    }

    private void compare(Path target, String format) {
        PeerResult result =
                Peer.QEMU_IMG
                        .command(
                                "compare",
                                "-f",
                                format,
                                "-F",
                                "raw",
                                target.toString(),
                                raw.toString())
                        .deadline(LIMIT)
                        .run();
        result.requireSuccess();
    }

    /** The last that was seen of it; it ends between two looks. */
    private static ProcessUsage usageUntilEnd(PeerProcess process) throws IOException {
        ProcessUsage last = new ProcessUsage(0, 0);
        ProcessHandle handle = ProcessHandle.of(process.pid()).orElse(null);
        Path proc = Path.of("/proc", Long.toString(process.pid()));
        while (handle != null && !hasEnded(handle)) {
            try {
                long cpuMicros = ProcessUsage.cpuMicros(Files.readString(proc.resolve("stat")));
                long peak = ProcessUsage.peakBytes(Files.readString(proc.resolve("status")));
                last = new ProcessUsage(cpuMicros, Math.max(last.residentBytes(), peak));
            } catch (IOException e) {
                // Read while it ended.
                if (handle.isAlive()) {
                    throw e;
                }
            }
        }
        return last;
    }

    /** Whether it has ended, or ends within a moment. */
    private static boolean hasEnded(ProcessHandle handle) throws IOException {
        try {
            handle.onExit().get(POLL_MILLIS, TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException running) {
            return false;
        } catch (ExecutionException e) {
            throw new IOException("cannot wait for the program", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
