package io.quoin.management.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.quoin.management.daemon.Daemon;
import io.quoin.testkit.peer.Peer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Files that are put together from bricks, beside what a service reads of them. */
@Timeout(180)
class VolumeAssembleTest {
    private static final long DISK_BYTES = 64 << 20;

    private final QuoinCommands quoin = new QuoinCommands();

    @BeforeEach
    void needTheClients() {
        Peer.assumeAll(Peer.QEMU_IO, Peer.QEMU_IMG);
    }

    @AfterEach
    void removeTheFolder() {
        quoin.close();
    }

    private Path brick(int number) {
        return quoin.path("b" + number);
    }

    private void create(int count, String... words) {
        List<Object> all = new ArrayList<>(List.of("volume", "create", "vms"));
        all.addAll(List.of(words));
        for (int number = 0; number < count; number++) {
            all.add(brick(number));
        }
        all.add("force");
        quoin.ok(all.toArray());
        quoin.ok("volume", "start", "vms");
    }

    private static String uri(Daemon daemon, String disk) {
        return daemon.addresses().uris("vms/" + disk).get(0);
    }

    private static void write(Daemon daemon, String disk, int pattern) {
        Peer.QEMU_IO
                .command(
                        "-f",
                        "raw",
                        "-c",
                        "write -P " + pattern + " 300k 5M",
                        "-c",
                        "write -P " + (pattern + 1) + " 40M 3000k",
                        uri(daemon, disk))
                .runOk();
    }

    private void makeDisks() {
        try (Daemon daemon = quoin.serve()) {
            quoin.ok("disk", "create", "vms/raw", DISK_BYTES, "--format", "raw");
            quoin.ok("disk", "create", "vms/cow", DISK_BYTES);
            write(daemon, "raw", 1);
            write(daemon, "cow", 3);
        }
    }

    /** What a service reads of the raw disk: that is the file. */
    private Path readOverTheGraph(String name) {
        Path copy = quoin.path(name);
        try (Daemon daemon = quoin.serve()) {
            Peer.QEMU_IMG
                    .command(
                            "convert",
                            "-f",
                            "raw",
                            "-O",
                            "raw",
                            uri(daemon, "raw"),
                            copy.toString())
                    .runOk();
        }
        return copy;
    }

    private String assemble(String to, Object... words) {
        List<Object> all = new ArrayList<>(List.of("volume", "assemble", "--to", quoin.path(to)));
        all.addAll(List.of(words));
        return all.contains("fails")
                ? quoin.fails(all.stream().filter(word -> !word.equals("fails")).toArray())
                : quoin.ok(all.toArray());
    }

    private void expectEqual(Path expected, String to) throws IOException {
        assertThat(Files.mismatch(expected, quoin.path(to).resolve("raw.raw"))).isEqualTo(-1);
    }

    @Test
    void shouldBeWhatIsReadOverTheGraphAndSparse() throws IOException {
        create(3, "stripe", "3");
        quoin.ok("volume", "set", "vms", "stripe.block-size", "64K");
        makeDisks();
        Path expected = readOverTheGraph("expected");
        try (Daemon daemon = quoin.serve()) {
            assertThat(assemble("busy", "fails", brick(0), brick(1), brick(2)))
                    .contains(brick(0).toString());
            assertThat(uri(daemon, "raw")).isNotEmpty();
        }
        assertThat(quoin.path("busy").resolve("raw.raw")).doesNotExist();
        Path volfile = quoin.folder().volumes().resolve("vms/volume.vol");
        assertThat(assemble("out", volfile)).contains("cow.qcow2", "raw.raw", "yes");
        expectEqual(expected, "out");
        assemble("again", brick(2), brick(0), brick(1));
        expectEqual(expected, "again");
        Path cow = quoin.path("out").resolve("cow.qcow2");
        Peer.QEMU_IMG.command("check", cow.toString()).runOk();
        Peer.QEMU_IO
                .command(
                        "-r",
                        "-c",
                        "read -P 3 300k 5M",
                        "-c",
                        "read -P 4 40M 3000k",
                        cow.toString())
                .runOk();
        String info =
                Peer.QEMU_IMG
                        .command(
                                "info",
                                "-f",
                                "raw",
                                "--output",
                                "json",
                                quoin.path("out").resolve("raw.raw").toString())
                        .runOk()
                        .stdout();
        assertThat(new ObjectMapper().readTree(info).path("actual-size").asLong())
                .isLessThan(10 << 20);
        assertThat(assemble("out", "fails", volfile)).contains("file exists already");
    }

    @Test
    void shouldNameWhatIsMissingAndWriteNothing() {
        create(2, "stripe", "2");
        makeDisks();
        assertThat(assemble("out", "fails", brick(1)))
                .contains("file=raw.raw, parts=[1] of 2, missing=[0]");
        assertThat(assemble("out", "fails", brick(0), "--file", "cow.qcow2"))
                .contains("file=cow.qcow2, parts=[0] of 2, missing=[1]");
        assertThat(quoin.path("out")).doesNotExist();
        assertThat(assemble("out", "fails", quoin.path("nowhere"))).contains("nowhere");
    }

    @Test
    void shouldTakeTheNewestCopiesOfStripedReplicaSets() throws IOException {
        create(6, "replica", "3", "stripe", "2");
        makeDisks();
        Path before = readOverTheGraph("before");
        Files.move(brick(1), quoin.path("away"));
        try (Daemon daemon = quoin.serve()) {
            write(daemon, "raw", 7);
        }
        Path expected = readOverTheGraph("expected");
        Files.move(quoin.path("away"), brick(1));
        assemble("all", brick(5), brick(4), brick(3), brick(2), brick(1), brick(0));
        expectEqual(expected, "all");
        assemble("majority", brick(1), brick(2), brick(3), brick(5));
        expectEqual(expected, "majority");
        assertThat(assemble("stale", "fails", brick(1), brick(3), brick(4)))
                .contains("no copy is known to be current", "expected=a majority");
        assemble("stale", brick(1), brick(3), brick(4), "--stale", "--file", "cow.qcow2");
        assertThat(Files.mismatch(before, expected)).isPositive();
        assertThat(assemble("two", "fails", brick(0), brick(2), quoin.path("b9"))).contains("b9");
    }

    @Test
    void shouldRefuseAStaleCopyBesideAnArbiter() throws IOException {
        create(3, "replica", "3", "arbiter", "1");
        makeDisks();
        Files.move(brick(1), quoin.path("away"));
        try (Daemon daemon = quoin.serve()) {
            write(daemon, "raw", 9);
        }
        Path newest = readOverTheGraph("newest");
        Files.move(quoin.path("away"), brick(1));
        assertThat(assemble("out", "fails", brick(1), brick(2)))
                .contains("no copy is known to be current", "current on=[0]");
        assemble("out", brick(0), brick(2));
        expectEqual(newest, "out");
    }
}
