package io.quoin.management.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.check.Qcow2Check;
import io.quoin.qcow2.check.RepairMode;
import io.quoin.qcow2.file.ImageFile;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerResult;
import io.quoin.tools.ImageSession;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The same random operations through Quoin and through qemu-nbd, by the same client: what is read
 * meanwhile is the same, the images compare equal, and Quoin's are clean. {@code
 * -Dquoin.differential.sequences=N} says how many, {@code -Dquoin.seed=S} repeats a run.
 */
@Tag("e2e")
@Timeout(600)
class DifferentialTest {
    private static final int SEQUENCES = Integer.getInteger("quoin.differential.sequences", 32);
    private static final int SEGMENTS = 2;
    private static final int OPERATIONS = 24;
    private static final long SEED = Long.getLong("quoin.seed", System.nanoTime());

    @TempDir Path folder;

    /** Cluster size and disk size: each disk but those of 2 MiB clusters has several L2 tables. */
    private static final long[][] SIZES = {
        {512, 3L << 20}, {4096, 5L << 20}, {65536, 513L << 20}, {2097152, 33L << 20}
    };

    @Test
    void shouldHoldSameDataAsQemuWhenOperationsAreTheSame() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO, Peer.QEMU_NBD);
        System.out.printf("DifferentialTest: -Dquoin.seed=%d, %d sequences%n", SEED, SEQUENCES);
        Path brick = Files.createDirectories(folder.resolve("data").resolve("brick"));
        Path reference = Files.createDirectories(folder.resolve("reference"));
        List<Sequence> sequences = new ArrayList<>();
        for (int i = 0; i < SEQUENCES; i++) {
            int clusterBytes = (int) SIZES[i % SIZES.length][0];
            boolean backing = i / SIZES.length % 2 == 1;
            Random random = new Random(SEED + i);
            long size = SIZES[i % SIZES.length][1] + 512L * random.nextInt(9);
            String name = "vm" + i + "-" + clusterBytes + (backing ? "-backed" : "");
            long createSeed = random.nextLong();
            for (Path target : List.of(brick, reference)) {
                create(target, name, size, clusterBytes, backing, new Random(createSeed));
            }
            sequences.add(new Sequence(name, new OperationScript(random, size, clusterBytes)));
        }
        for (int segment = 0; segment < SEGMENTS; segment++) {
            runSegment(sequences, reference);
        }
        for (Sequence sequence : sequences) {
            String file = sequence.name() + ".qcow2";
            compare(brick.resolve(file), reference.resolve(file));
        }
    }

    private record Sequence(String name, OperationScript script) {}

    private static void create(
            Path target,
            String name,
            long sizeBytes,
            int clusterBytes,
            boolean backing,
            Random random) {
        List<String> arguments = new ArrayList<>(List.of("create", "-q", "-f", "qcow2"));
        arguments.addAll(List.of("-o", "cluster_size=" + clusterBytes));
        if (backing) {
            // Some backing files are shorter, some longer than the disk; some raw, some qcow2.
            String format = random.nextBoolean() ? "raw" : "qcow2";
            String base = name + "-base." + format;
            long baseBytes =
                    random.nextBoolean() ? sizeBytes / 2 / 512 * 512 : sizeBytes + (1 << 20);
            String file = target.resolve(base).toString();
            Peer.QEMU_IMG
                    .command("create", "-q", "-f", format, file, String.valueOf(baseBytes))
                    .runOk();
            Peer.QEMU_IO
                    .command(
                            "-f",
                            format,
                            "-c",
                            "write -P 165 0 600k",
                            "-c",
                            "write -P 90 " + (baseBytes / 2) + " 300k",
                            "-c",
                            "write -P 60 " + (baseBytes - 70_656) + " 69k",
                            file)
                    .runOk();
            arguments.addAll(List.of("-b", base, "-F", format));
        }
        arguments.addAll(
                List.of(target.resolve(name + ".qcow2").toString(), String.valueOf(sizeBytes)));
        Peer.QEMU_IMG.command(arguments).runOk();
    }

    /** A part of every sequence, each of two connections; then both servers close their images. */
    private void runSegment(List<Sequence> sequences, Path reference) {
        Path own = folder.resolve("data");
        boolean control = "qemu-nbd".equals(System.getProperty("quoin.e2e.server"));
        try (DiskServer quoin = DiskServer.start(control ? own.resolve("brick") : own, Map.of());
                DiskServer qemu = QemuNbdServer.startServer(reference, Map.of())) {
            for (Sequence sequence : sequences) {
                for (int connection = 0; connection < 2; connection++) {
                    List<String> arguments = sequence.script().next(OPERATIONS);
                    String told = run(arguments, quoin.unix(sequence.name()));
                    assertThat(told)
                            .as("-Dquoin.seed=%d %s: %s", SEED, sequence.name(), arguments)
                            .isEqualTo(run(arguments, qemu.unix(sequence.name())));
                }
            }
            qemu.stop();
            quoin.stop();
        }
    }

    /** What the client says, without its timings. */
    private static String run(List<String> arguments, NbdUri uri) {
        List<String> command = new ArrayList<>(arguments);
        command.add(uri.text());
        PeerResult result = Peer.QEMU_IO.command(command).runOk();
        return result.stdout()
                .replaceAll("(?m)^.* ops; .*$", "")
                .replaceAll("(?m)^aio_.*$|^wrote .*$", "");
    }

    private static void compare(Path own, Path reference) throws IOException {
        String what = "-Dquoin.seed=" + SEED + " " + own.getFileName();
        PeerResult same =
                Peer.QEMU_IMG
                        .command(
                                "compare",
                                "-f",
                                "qcow2",
                                "-F",
                                "qcow2",
                                own.toString(),
                                reference.toString())
                        .run();
        assertThat(same.exitCode()).as("%s: %s", what, same).isZero();
        PeerResult check = Peer.QEMU_IMG.command("check", "-f", "qcow2", own.toString()).run();
        assertThat(check.exitCode()).as("%s: %s", what, check).isZero();
        try (ImageSession session = new ImageSession();
                ImageFile file = session.beside(own)) {
            assertThat(Qcow2Check.check(file, RepairMode.NONE, CheckListener.SILENT).isClean())
                    .as(what)
                    .isTrue();
        }
    }
}
