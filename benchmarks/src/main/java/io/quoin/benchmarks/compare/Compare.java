package io.quoin.benchmarks.compare;

import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.SocketFolder;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * The command {@code benchmarks/compare}. Exit code 0 with the report on standard output; 1 where a
 * server or fio fails or is missing; 2 for a wrong command line. Progress goes to standard error.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "compare",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Runs fio against Quoin, qemu-nbd and nbdkit and compares them.",
        footer = {
            "",
            "Examples:",
            "  benchmarks/compare --rows randread-qd32,randwrite-qd32 --rounds 3",
            "  benchmarks/compare --many --rows disks --disks 200 --rounds 3",
            "  benchmarks/compare --flood --rows block-status,reads --rounds 3",
            "  benchmarks/compare --snapshots --rows cut-1t --rounds 50 --seconds 1",
            "  benchmarks/compare --gluster --rows randread-qd32,randwrite-qd32,seqread,seqwrite"
        })
public final class Compare implements Callable<Integer> {
    /** The forms of the report. */
    enum Output {
        table,
        json
    }

    private static final long SIZE_MEBIBYTES = 1024;
    private static final long CONVERT_MEBIBYTES = 4096;

    private static final Map<String, List<Peer>> PEERS =
            Map.of(
                    Contender.QUOIN, List.of(),
                    Contender.QEMU_NBD, List.of(Peer.QEMU_NBD, Peer.QEMU_IMG),
                    Contender.NBDKIT, List.of(Peer.NBDKIT),
                    QuoinReplica.NAME, List.of(),
                    GlusterReplica.NAME,
                            List.of(Peer.GLUSTERD, Peer.UNSHARE, Peer.QEMU_NBD, Peer.QEMU_IMG));

    private static final Map<String, List<Peer>> FLOOD_PEERS =
            Map.of(
                    Contender.QUOIN, List.of(),
                    Contender.QEMU_NBD, List.of(Peer.QEMU_NBD, Peer.QEMU_IMG),
                    DiskServer.STORAGE_DAEMON, List.of(Peer.QEMU_STORAGE_DAEMON, Peer.QEMU_IMG));

    @Option(names = "--rows", split = ",", description = "Only these rows (see --list).")
    private List<String> chosenRows = List.of();

    @Option(names = "--list", description = "List the rows and end.")
    private boolean list;

    @Option(
            names = "--servers",
            split = ",",
            description = {
                "Default: quoin,qemu-nbd,nbdkit;",
                "with --gluster quoin-replica,quoin,glusterfs;",
                "with --flood quoin and qemu-storage-daemon, or qemu-nbd where that is not installed."
            })
    private List<String> servers = List.of();

    @ArgGroup private Mode mode = new Mode();

    @Option(
            names = "--disks",
            description = {
                "With --many: how many at once. Default: 200 disks, 100 overlays.",
                "With --snapshots: how many clones. Default: " + SnapshotComparison.CLONES + "."
            })
    private @Nullable Integer disks;

    @Option(
            names = "--stride",
            description = {
                "With --many: MiB from one 4 KiB of data to the next in the base and in the large disk.",
                "Default: ${DEFAULT-VALUE}."
            })
    private long strideMebibytes = 32;

    @Option(names = "--clients", description = "With --flood: how many flood. Default: 20.")
    private int clients = 20;

    @Option(
            names = "--threads",
            description = "With --convert: that compress. Default: one for each processor.")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(
            names = "--quoin-classpath",
            description = "With --convert: run Quoin on these classes, not on its jars.")
    private @Nullable String quoinClassPath;

    @Option(names = "--rounds", description = "Measured rounds, after one to warm up. Default: 5.")
    private int rounds = 5;

    @Option(names = "--seconds", description = "Of each timed row. Default: 5.")
    private int seconds = 5;

    @Option(
            names = "--size",
            description =
                    "Of the disk in MiB. Default: 1024; with --convert 4096, half of it data;"
                            + " with --many 1 TiB, 64 GiB, 16 TiB; with --flood the guest's;"
                            + " with --snapshots as --list says.")
    private @Nullable Long size;

    private long sizeMebibytes = SIZE_MEBIBYTES;

    @Option(names = "--folder", description = "Where the images go. Default: a temporary folder.")
    private Path folder = Path.of(System.getProperty("java.io.tmpdir"));

    @Option(names = "--output", description = "${COMPLETION-CANDIDATES}. Default: table.")
    private Output output = Output.table;

    private final Path quoin =
            Path.of(System.getProperty("quoin.root", "."), "bin", "quoin").toAbsolutePath();

    @Spec private CommandSpec spec = CommandSpec.create();

    /** What is measured instead of the rows; one at most. */
    static final class Mode {
        @Option(names = "--convert", description = "Compare conversions with qemu-img's instead.")
        private boolean convert;

        @Option(
                names = "--many",
                description = "Measure what many open disks cost, and a large one, instead.")
        private boolean many;

        @Option(
                names = "--flood",
                description = "Measure a guest beside clients that flood another disk instead.")
        private boolean flood;

        @Option(
                names = "--gluster",
                description = {
                    "Compare three copies on three brick daemons with one on a local brick, and with GlusterFS",
                    "(replica 3, qcow2 through qemu-nbd, in a network namespace: needs root)."
                })
        private boolean gluster;

        @Option(
                names = "--heal",
                description =
                        "Measure how a brick that has missed --size MiB (default: 4096) is healed beside a guest.")
        private boolean heal;

        @Option(
                names = "--snapshots",
                description = "Measure what snapshots and clones cost, instead.")
        private boolean snapshots;
    }

    /** Runs the command line and ends the process. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new Compare()).execute(arguments));
    }

    @Override
    public Integer call() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        if (list) {
            choices().forEach((name, title) -> out.printf("%-16s %s%n", name, title));
            return 0;
        }
        for (String name : chosenRows) {
            if (!choices().containsKey(name)) {
                throw usage("no such row: " + name + ", --list shows them");
            }
        }
        if (size != null) {
            sizeMebibytes = size;
        } else if (mode.convert || mode.heal) {
            sizeMebibytes = CONVERT_MEBIBYTES;
        }
        if (rounds < 1 || seconds < 1 || sizeMebibytes < 16 || threads < 1) {
            throw usage("--rounds, --seconds and --threads are at least 1, --size at least 16");
        }
        if ((disks != null && disks < 1) || clients < 1 || strideMebibytes < 1) {
            throw usage("--disks, --clients and --stride are at least 1");
        }
        if (mode.many) {
            return withBench(this::many, out);
        }
        if (mode.flood) {
            return withBench(this::flood, out);
        }
        if (mode.snapshots) {
            return withBench(this::snapshots, out);
        }
        if (mode.heal) {
            return withBench(this::heal, out);
        }
        return mode.convert ? compareConversions(out) : compareServers(out);
    }

    /** The rows of the mode with their titles. */
    private Map<String, String> choices() {
        Map<String, String> choices = new LinkedHashMap<>();
        if (mode.many) {
            ManyScenario.all().forEach(one -> choices.put(one.name(), one.title()));
        } else if (mode.flood) {
            FloodKind.all().forEach(one -> choices.put(one.label(), one.title()));
        } else if (mode.snapshots) {
            SnapshotScenario.all().forEach(one -> choices.put(one.label(), one.title()));
        } else if (mode.convert) {
            ConvertRow.ALL.forEach(one -> choices.put(one.name(), one.name()));
        } else {
            Row.ALL.forEach(one -> choices.put(one.name(), one.title()));
        }
        return choices;
    }

    private boolean isChosen(String name) {
        return chosenRows.isEmpty() || chosenRows.contains(name);
    }

    /** Measures, and returns the report. */
    private interface Measuring {
        String report(Bench bench) throws IOException;
    }

    private int withBench(Measuring measuring, PrintWriter out) throws IOException {
        Set<Peer> peers = EnumSet.of(Peer.FIO);
        if (mode.flood) {
            floodServers().forEach(name -> peers.addAll(FLOOD_PEERS.getOrDefault(name, List.of())));
        } else {
            peers.add(Peer.QEMU_IMG);
            peers.add(mode.snapshots ? Peer.QEMU_SYSTEM : Peer.QEMU_NBD);
        }
        boolean present = true;
        for (Peer peer : peers) {
            present &= isPresent(peer);
        }
        if (!present) {
            return 1;
        }
        Path work = Files.createTempDirectory(folder, "quoin-compare-");
        try (SocketFolder sockets = SocketFolder.create()) {
            out.println(
                    measuring.report(
                            new Bench(
                                    quoin, work, sockets.path(), rounds, seconds, this::progress)));
            out.flush();
        } finally {
            delete(work);
        }
        return 0;
    }

    private String many(Bench bench) throws IOException {
        List<ManyScenario> scenarios =
                ManyScenario.all().stream().filter(one -> isChosen(one.name())).toList();
        Long sizeBytes = size == null ? null : Long.valueOf(size << 20);
        ManyComparison comparison =
                new ManyComparison(bench, disks, sizeBytes, strideMebibytes << 20);
        ManyReport report = new ManyReport(scenarios, comparison.run(scenarios));
        return output == Output.json ? report.json() : report.table();
    }

    private String heal(Bench bench) throws IOException {
        HealMeasurement.Found found = new HealMeasurement(bench, sizeMebibytes << 20).run();
        return output == Output.json ? found.json() : found.table();
    }

    private String snapshots(Bench bench) throws IOException {
        List<SnapshotScenario> scenarios =
                SnapshotScenario.all().stream().filter(one -> isChosen(one.label())).toList();
        Long sizeBytes = size == null ? null : Long.valueOf(size << 20);
        SnapshotComparison comparison = new SnapshotComparison(bench, disks, sizeBytes);
        SnapshotReport report = new SnapshotReport(scenarios, comparison.run(scenarios));
        return output == Output.json ? report.json() : report.table();
    }

    private String flood(Bench bench) throws IOException {
        List<FloodKind> kinds =
                FloodKind.all().stream().filter(one -> isChosen(one.label())).toList();
        FloodComparison comparison = new FloodComparison(bench, clients, sizeMebibytes << 20);
        List<String> names = floodServers();
        FloodReport report = new FloodReport(kinds, names, comparison.run(kinds, names));
        return output == Output.json ? report.json() : report.table();
    }

    private List<String> floodServers() {
        if (servers.isEmpty()) {
            boolean isDaemonThere = Peer.QEMU_STORAGE_DAEMON.available();
            return List.of(
                    Contender.QUOIN,
                    isDaemonThere ? DiskServer.STORAGE_DAEMON : Contender.QEMU_NBD);
        }
        requireKnown(FLOOD_PEERS.keySet());
        return servers;
    }

    private void requireKnown(Set<String> known) {
        for (String server : servers) {
            if (!known.contains(server)) {
                throw usage("no such server: " + server + ", there are " + known);
            }
        }
    }

    private int compareConversions(PrintWriter out) throws IOException {
        if (!isPresent(Peer.QEMU_IMG)) {
            return 1;
        }
        Path work = Files.createTempDirectory(folder, "quoin-compare-");
        try {
            ConvertComparison comparison =
                    new ConvertComparison(quoin, quoinClassPath, work, threads, this::progress);
            ConvertReport report =
                    new ConvertReport(
                            ConvertComparison.TOOLS, comparison.run(sizeMebibytes << 20, rounds));
            out.println(output == Output.json ? report.json() : report.table());
            out.flush();
        } finally {
            delete(work);
        }
        return 0;
    }

    private int compareServers(PrintWriter out) throws IOException {
        if (servers.isEmpty()) {
            servers =
                    mode.gluster
                            ? List.of(QuoinReplica.NAME, Contender.QUOIN, GlusterReplica.NAME)
                            : List.of(Contender.QUOIN, Contender.QEMU_NBD, Contender.NBDKIT);
        }
        List<Row> rows = Row.ALL.stream().filter(row -> isChosen(row.name())).toList();
        requireKnown(PEERS.keySet());
        if (!peersPresent()) {
            return 1;
        }
        List<Measurement> measurements = measure(rows);
        Report report = new Report(rows, servers, measurements);
        out.println(output == Output.json ? report.json() : report.table());
        out.flush();
        return 0;
    }

    private CommandLine.ParameterException usage(String message) {
        return new CommandLine.ParameterException(spec.commandLine(), message);
    }

    private static List<Peer> peers(String server) {
        return PEERS.getOrDefault(server, List.of());
    }

    private boolean peersPresent() {
        boolean present = true;
        for (Peer peer :
                Stream.concat(
                                Stream.of(Peer.FIO),
                                servers.stream().flatMap(name -> peers(name).stream()))
                        .toList()) {
            present &= isPresent(peer);
        }
        return present;
    }

    private boolean isPresent(Peer peer) {
        if (!peer.available()) {
            progress(peer.program() + " is not installed (" + peer.debianPackage() + ")");
        }
        return peer.available();
    }

    private List<Measurement> measure(List<Row> rows) throws IOException {
        Path work = Files.createTempDirectory(folder, "quoin-compare-");
        List<Contender> contenders = new ArrayList<>();
        try (SocketFolder sockets = SocketFolder.create()) {
            for (String server : servers) {
                contenders.add(
                        Contender.start(server, quoin, work, sockets.path(), sizeMebibytes << 20));
            }
            return rounds(rows, contenders, new Fio(work, sizeMebibytes << 20, seconds));
        } finally {
            contenders.forEach(Contender::close);
            delete(work);
        }
    }

    /** Round 0 warms up what has to: a just-in-time compiler, caches; it is not counted. */
    private List<Measurement> rounds(List<Row> rows, List<Contender> contenders, Fio fio)
            throws IOException {
        List<Measurement> measurements = new ArrayList<>();
        for (int round = 0; round <= rounds; round++) {
            for (Contender contender : contenders) {
                fio.fill(contender.uri());
            }
            for (Row row : rows) {
                for (Contender contender : contenders) {
                    Measurement measurement = measure(row, contender, round, fio);
                    progress(
                            String.format(
                                    "round %d/%d  %-16s %-9s %10.0f %s",
                                    round,
                                    rounds,
                                    row.name(),
                                    contender.name(),
                                    measurement.figure(),
                                    row.unit().label()));
                    if (round > 0) {
                        measurements.add(measurement);
                    }
                }
            }
            // The first of a row runs on a cooler machine: the order goes round.
            Collections.rotate(contenders, 1);
        }
        return measurements;
    }

    private static Measurement measure(Row row, Contender contender, int round, Fio fio)
            throws IOException {
        if (row.trimmedFirst()) {
            fio.trim(contender.uri());
        }
        ProcessUsage before = contender.usage();
        Fio.Totals totals = fio.row(contender.uri(), row);
        ProcessUsage after = contender.usage();
        return new Measurement(
                row.name(),
                contender.name(),
                round,
                totals.figure(row.unit()),
                totals.p99Micros(),
                (after.cpuMicros() - before.cpuMicros()) / (double) Math.max(1, totals.requests()),
                after.residentBytes());
    }

    private void progress(String line) {
        PrintWriter err = spec.commandLine().getErr();
        err.println(line);
        err.flush();
    }

    private static void delete(Path tree) throws IOException {
        try (Stream<Path> content = Files.walk(tree)) {
            for (Path entry : content.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(entry);
            }
        }
    }
}
