package io.quoin.management.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.block.BlockException;
import io.quoin.management.job.JobFailure;
import io.quoin.management.job.JobState;
import io.quoin.management.job.JobView;
import io.quoin.management.operation.DiskInfo;
import io.quoin.management.operation.DiskResize;
import io.quoin.management.operation.JobFollower;
import io.quoin.management.operation.OperationType;
import io.quoin.management.operation.SnapshotCreate;
import io.quoin.management.operation.SnapshotInfo;
import io.quoin.management.operation.SnapshotRm;
import io.quoin.management.volume.DataFolder;
import io.quoin.management.volume.LocalVolume;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.testkit.peer.SocketFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What differs between two snapshots, over NBD, as backup programs ask for it. */
@Timeout(300)
class SnapshotRangeExportTest {
    private static final long SEED = Long.getLong("quoin.seed", System.nanoTime());
    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SINCE_A = "qemu:dirty-bitmap:since-a";
    private static final long MIB = 1 << 20;

    private final SocketFolder sockets = SocketFolder.create();
    private final DataFolder folder = new DataFolder(sockets.resolve("data"));
    private final Path brick = folder.path().resolve("brick");

    @BeforeEach
    void makeTheFolder() {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO, Peer.NBDINFO, Peer.NBDCOPY, Peer.NBDSH);
        System.out.println("SnapshotRangeExportTest: -Dquoin.seed=" + SEED);
        try (LocalVolume volume = LocalVolume.open(folder, null, 1)) {
            volume.disks().create("other", MIB, Map.of("format", "raw"));
        }
    }

    @AfterEach
    void removeTheFolder() {
        sockets.close();
    }

    private Daemon start(Map<String, String> bitmapNames) {
        DaemonOptions plain =
                new DaemonOptions(
                        folder, null, List.of(), null, folder.nbdSocket(), 0600, 2, "test");
        Daemon daemon =
                Daemon.start(
                        new DaemonOptions(
                                plain.folder(),
                                plain.volfile(),
                                plain.disks(),
                                plain.listen(),
                                plain.socket(),
                                plain.connectionsMax(),
                                plain.connectionsPerPeerMax(),
                                plain.loopCount(),
                                plain.version(),
                                plain.memoryBytes(),
                                plain.api(),
                                plain.listsSnapshots(),
                                bitmapNames));
        assertThat(daemon.disks()).isNotEmpty();
        return daemon;
    }

    private static String uri(Daemon daemon, String export) {
        return daemon.addresses().uris(export).get(0);
    }

    private <Q extends Record, R extends Record> R call(OperationType<Q, R> type, Q request) {
        try (ControlClient client = ControlClient.connect(folder).orElseThrow()) {
            return client.call(type, request);
        }
    }

    private <Q extends Record> JobView run(OperationType<Q, JobView> type, Q request) {
        try (ControlClient client = ControlClient.connect(folder).orElseThrow()) {
            String id = client.call(type, request).id();
            return JobFollower.follow(client, id, progress -> {}, finding -> {});
        }
    }

    private void snapshot(String name) {
        JobView job = run(SnapshotCreate.TYPE, new SnapshotCreate.Request("vm1", name));
        assertThat(job.state()).as("%s", job).isEqualTo(JobState.DONE);
    }

    private void makeImage(String options, boolean overlay, String size) {
        Path image = brick.resolve("vm1.qcow2");
        List<String> arguments = new ArrayList<>(List.of("create", "-q", "-f", "qcow2"));
        if (overlay) {
            Path base = brick.resolve("base.qcow2");
            Peer.QEMU_IMG.command("create", "-q", "-f", "qcow2", base.toString(), "48M").runOk();
            Peer.QEMU_IO.command("-c", "write -P 3 1M 30M", base.toString()).runOk();
            arguments.addAll(List.of("-b", "base.qcow2", "-F", "qcow2"));
        }
        if (!options.isEmpty()) {
            arguments.addAll(List.of("-o", options));
        }
        arguments.addAll(List.of(image.toString(), size));
        Peer.QEMU_IMG.command(arguments.toArray(String[]::new)).runOk();
    }

    private static void python(String... lines) {
        Peer.NBDSH.command("-c", String.join("\n", lines)).runOk();
    }

    /** Writes, zeroes and discards at random. */
    private static void change(String uri, long seed) {
        python(
                "import random",
                "h.connect_uri('" + uri + "')",
                "r = random.Random(" + seed + ")",
                "for i in range(120):",
                "    length = r.choice((512, 4096, 65536, 300000 // 512 * 512))",
                "    offset = r.randrange((h.get_size() - length) // 512) * 512",
                "    kind = r.randrange(5)",
                "    if kind < 3: h.pwrite(r.randbytes(length), offset)",
                "    elif kind == 3: h.zero(length, offset, r.choice((0, nbd.CMD_FLAG_NO_HOLE)))",
                "    else: h.trim(length, offset)",
                "h.flush()");
    }

    /** Reads all extents, in steps, and has them follow the rules that programs rely on. */
    private static final String EXTENTS =
            """
            import random
            h.add_meta_context('base:allocation')
            h.add_meta_context(BITMAP)
            h.connect_uri(URI)
            assert h.is_read_only() and h.can_meta_context(BITMAP)
            size = h.get_size()
            def ask(offset, count, flags=0):
                got = {}
                def seen(name, start, entries, error):
                    assert name not in got and start == offset
                    got[name] = list(zip(entries[0::2], entries[1::2]))
                h.block_status(count, offset, seen, flags)
                assert sorted(got) == ['base:allocation', BITMAP], got
                ends = set()
                for name, extents in got.items():
                    assert 0 < len(extents) <= (1 if flags else 1 << 20)
                    allowed = (0, 2) if name == 'base:allocation' else (0, 1)
                    assert all(l > 0 and l % 512 == 0 and f in allowed for l, f in extents), got
                    ends.add(sum(l for l, f in extents))
                assert len(ends) == 1 and max(ends) <= count, got
                return got[BITMAP], got['base:allocation'], ends.pop()
            def add(runs, start, extents):
                for length, flags in extents:
                    if runs and runs[-1][2] == flags:
                        runs[-1][1] += length
                    else:
                        runs.append([start, length, flags])
                    start += length
            def walk(step, flags=0):
                dirty, base, at = [], [], 0
                while at < size:
                    d, b, covered = ask(at, min(step(), size - at), flags)
                    add(dirty, at, d)
                    add(base, at, b)
                    at += covered
                return dirty, base
            dirty, base = walk(lambda: 2**32 - 4096)
            """;

    /** Writes what is dirty over a copy of the older snapshot, as an incremental restore does. */
    private static final String RESTORE =
            """
            r = random.Random(SEED)
            assert walk(lambda: r.randrange(1, 9000) * 512) == (dirty, base)
            assert walk(lambda: size, nbd.CMD_FLAG_REQ_ONE) == (dirty, base)
            with open(FILE, 'r+b') as out:
                out.truncate(size)
                for start, length, is_dirty in dirty:
                    for at, bytes, flags in base if is_dirty else ():
                        low, high = max(at, start), min(at + bytes, start + length)
                        if low < high:
                            out.seek(low)
                            out.write(bytearray(high - low) if flags & 2 else h.pread(high - low, low))
            print(sum(length for start, length, is_dirty in dirty if is_dirty))
            """;

    private static String script(String uri, String bitmap, String... parts) {
        return "URI='" + uri + "'\nBITMAP='" + bitmap + "'\n" + String.join("\n", parts);
    }

    private static Path copy(Daemon daemon, String export, Path target) {
        Peer.NBDCOPY.command(uri(daemon, export), target.toString()).runOk();
        return target;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "cluster_size=4k",
                "cluster_size=512",
                "extended_l2=on",
                "compat=0.10",
                "overlay",
                "overlay,extended_l2=on"
            })
    void shouldGiveTheNewerSnapshotWhenWhatIsDirtyIsWrittenOverTheOlder(String kind)
            throws Exception {
        boolean overlay = kind.startsWith("overlay");
        makeImage(overlay ? kind.replaceFirst("overlay,?", "") : kind, overlay, "64M");
        try (Daemon daemon = start(Map.of())) {
            change(uri(daemon, "vm1"), SEED);
            snapshot("a");
            change(uri(daemon, "vm1"), SEED + 1);
            if (!kind.equals("compat=0.10")) {
                call(DiskResize.TYPE, new DiskResize.Request("vm1", 72 * MIB + 512));
                change(uri(daemon, "vm1"), SEED + 2);
            }
            snapshot("b");
            Path older = copy(daemon, "vm1@a", sockets.resolve("a.raw"));
            Path newer = copy(daemon, "vm1@b", sockets.resolve("b.raw"));
            String restore =
                    script(
                            uri(daemon, "vm1@a..b"),
                            SINCE_A,
                            "SEED=" + SEED + "\nFILE='" + older + "'",
                            EXTENTS,
                            RESTORE);
            try (PeerProcess backup = Peer.NBDSH.command("-c", restore).start()) {
                change(uri(daemon, "vm1"), SEED + 3);
                snapshot("c");
                change(uri(daemon, "vm1"), SEED + 4);
                backup.awaitExit(LIMIT).requireSuccess();
                long dirtyBytes = Long.parseLong(backup.stdout().strip());
                assertThat(dirtyBytes).isBetween(1L, Files.size(newer) - 1);
            }
            assertThat(Files.mismatch(older, newer)).isEqualTo(-1);
            Path back = copy(daemon, "vm1@a", sockets.resolve("again.raw"));
            String reverse =
                    script(
                            uri(daemon, "vm1@b..a"),
                            "qemu:dirty-bitmap:since-b",
                            "SEED=" + SEED + "\nFILE='" + older + "'",
                            EXTENTS,
                            RESTORE);
            Peer.NBDSH.command("-c", reverse).runOk();
            assertThat(Files.mismatch(older, back)).as("the other way round").isEqualTo(-1);
        }
        Peer.QEMU_IMG.command("check", brick.resolve("vm1.qcow2").toString()).runOk();
    }

    @Test
    void shouldTellTheSameToEveryProgram() throws Exception {
        makeImage("", false, "20G");
        try (Daemon daemon = start(Map.of())) {
            qemuIo(daemon, "write -P 1 0 1M", "write -P 1 9G 1M");
            snapshot("a");
            qemuIo(daemon, "write -P 2 512k 64k", "write -z 9G 128k", "write -P 2 19G 64k");
            snapshot("b");
            String uri = uri(daemon, "vm1@a..b");
            String expected = "[[524288, 65536], [9663676416, 131072], [20401094656, 65536]]";
            String dirty = "[[s, l] for s, l, f in dirty if f]";
            python(script(uri, SINCE_A, EXTENTS, "assert " + dirty + " == " + expected));

            JsonNode info =
                    JSON.readTree(Peer.NBDINFO.command("--json", uri).runOk().stdout())
                            .path("exports")
                            .get(0);
            assertThat(info.path("contexts"))
                    .extracting(JsonNode::asText)
                    .containsExactly("base:allocation", SINCE_A);
            assertThat(info.path("is_read_only").asBoolean()).isTrue();
            assertThat(call(DiskInfo.TYPE, new DiskInfo.Request("vm1@a..b")).sizeBytes())
                    .isEqualTo(20L << 30);
            JsonNode map =
                    JSON.readTree(
                            Peer.NBDINFO
                                    .command("--map=" + SINCE_A, "--json", uri)
                                    .runOk()
                                    .stdout());
            List<List<Long>> runs = new ArrayList<>();
            for (JsonNode run : map) {
                if (run.path("type").asInt() == 1) {
                    runs.add(List.of(run.path("offset").asLong(), run.path("length").asLong()));
                }
            }
            assertThat(runs).hasToString(expected);
            runs.clear();
            String options =
                    "driver=nbd,server.type=unix,server.path="
                            + folder.nbdSocket()
                            + ",export=vm1@a..b,x-dirty-bitmap="
                            + SINCE_A;
            PeerCommand qemu =
                    Peer.QEMU_IMG.command("map", "--output=json", "--image-opts", options);
            for (JsonNode run : JSON.readTree(qemu.runOk().stdout())) {
                if (!run.path("data").asBoolean()) {
                    runs.add(List.of(run.path("start").asLong(), run.path("length").asLong()));
                }
            }
            assertThat(runs).as("QEMU tells dirty as no data").hasToString(expected);
            assertThat(Peer.NBDINFO.command("--map=" + SINCE_A, uri(daemon, "vm1@a..a")).runOk())
                    .as("one with itself")
                    .satisfies(same -> assertThat(same.stdout()).doesNotContain("dirty"));
        }
    }

    @Test
    void shouldNameTheBitmapAsTheOptionSays() {
        makeImage("", false, "64M");
        try (Daemon daemon = start(Map.of("vm1", "backup-vda"))) {
            snapshot("a");
            qemuIo(daemon, "write 1M 64k");
            snapshot("b");
            String uri = uri(daemon, "vm1@a..b");
            assertThat(Peer.NBDINFO.command(uri).runOk().stdout())
                    .contains("qemu:dirty-bitmap:backup-vda")
                    .doesNotContain("since-a");
            assertThat(Peer.NBDINFO.command("--map=qemu:dirty-bitmap:backup-vda", uri).runOk())
                    .satisfies(map -> assertThat(map.stdout()).contains("dirty"));
            assertThat(Peer.NBDINFO.command("--map=" + SINCE_A, uri).run().exitCode()).isNotZero();
            assertThat(Peer.NBDINFO.command(uri(daemon, "vm1@b")).runOk().stdout())
                    .doesNotContain("qemu:");
            assertThat(Peer.NBDINFO.command("--list", uri(daemon, "")).runOk().stdout())
                    .contains("export=\"vm1@a\"")
                    .doesNotContain("..");
        }
    }

    @Test
    void shouldRefuseNamesThatNoBitmapCanHave() {
        for (Map<String, String> names :
                List.of(
                        Map.of("vm1", ""),
                        Map.of("vm1", "x".repeat(1024)),
                        Map.of("vm1@a", "name"))) {
            assertThatThrownBy(() -> start(names).close())
                    .isInstanceOf(BlockException.class)
                    .hasMessageContaining("illegal");
        }
    }

    @Test
    void shouldSayThatThereIsNoSuchExport() {
        makeImage("", false, "64M");
        try (Daemon daemon = start(Map.of())) {
            snapshot("a");
            for (String name :
                    List.of(
                            "vm1@a..x",
                            "vm1@x..a",
                            "vm1@a..",
                            "vm1@..a",
                            "vm1@..",
                            "vm1@a..a..a",
                            "other@a..a",
                            "none@a..a",
                            "@a..b",
                            "vm1@a..b/c")) {
                assertThat(Peer.NBDINFO.command(uri(daemon, name)).run().stderr())
                        .as("ERR_UNKNOWN in the words of libnbd")
                        .contains("No such file or directory for export: " + name);
            }
            assertThat(Peer.NBDINFO.command(uri(daemon, "vm1@a..a")).run().exitCode()).isZero();
        }
    }

    @Test
    void shouldKeepBothSnapshotsWhileTheyAreCompared() {
        makeImage("", false, "64M");
        try (Daemon daemon = start(Map.of())) {
            snapshot("a");
            qemuIo(daemon, "write 1M 64k");
            snapshot("b");
            String hold = "h.connect_uri('" + uri(daemon, "vm1@a..b") + "')\nprint('held')\n";
            String wait = "import sys\nsys.stdout.flush()\nsys.stdin.read()";
            try (PeerProcess client = Peer.NBDSH.command("-c", hold + wait).start()) {
                client.awaitLine(line -> line.strip().equals("held"), LIMIT);
                for (String name : List.of("a", "b", "1", "2")) {
                    JobView job = remove(name);
                    assertThat(job.state()).as(name).isEqualTo(JobState.FAILED);
                    assertThat(job.failure()).extracting(JobFailure::error).isEqualTo("EBUSY");
                    assertThat(job.failure())
                            .extracting(JobFailure::message)
                            .asString()
                            .contains("by=vm1@a..b, connections=1");
                }
                assertThat(connections("a")).isOne();
                client.terminate();
                client.awaitExit(LIMIT);
            }
            while (connections("a") > 0) {
                Thread.onSpinWait();
            }
            assertThat(remove("a").state()).isEqualTo(JobState.DONE);
        }
    }

    private JobView remove(String name) {
        return run(SnapshotRm.TYPE, new SnapshotRm.Request("vm1", name, null, null, null));
    }

    private int connections(String name) {
        JsonNode info =
                JSON.valueToTree(call(SnapshotInfo.TYPE, new SnapshotInfo.Request("vm1", name)));
        return info.findValue("connections").asInt();
    }

    private static void qemuIo(Daemon daemon, String... commands) {
        List<String> arguments = new ArrayList<>(List.of("-f", "raw"));
        for (String command : commands) {
            arguments.addAll(List.of("-c", command));
        }
        arguments.add(uri(daemon, "vm1"));
        Peer.QEMU_IO.command(arguments.toArray(String[]::new)).runOk();
    }
}
