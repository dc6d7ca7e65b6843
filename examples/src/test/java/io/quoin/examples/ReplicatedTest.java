package io.quoin.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.disk.Disk;
import io.quoin.block.disk.Volume;
import io.quoin.block.disk.Volumes;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.xlator.graph.Volfile;
import io.quoin.xlator.graph.VolumeSpec;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The example of three daemons on one host. */
@Timeout(300)
class ReplicatedTest {
    private static final Path ROOT = Path.of(System.getProperty("quoin.root"));
    private static final Path EXAMPLE = ROOT.resolve("examples/replicated");
    private static final int BLOCK_BYTES = 4096;
    private static final int FIRST_PORT = 24010;

    @TempDir private Path folder;

    private final List<ServerSocket> reserved = new ArrayList<>();

    @AfterEach
    void stopTheDaemons() throws IOException {
        daemons("stop").run();
        for (ServerSocket each : reserved) {
            each.close();
        }
    }

    private PeerCommand daemons(String word, String... more) {
        List<String> argv =
                new ArrayList<>(List.of(EXAMPLE.resolve("three-daemons").toString(), word));
        argv.add(folder.resolve("bricks").toString());
        argv.addAll(List.of(more));
        return withProgram(PeerCommand.of(argv));
    }

    private static PeerCommand quoin(String... arguments) {
        List<String> argv = new ArrayList<>(List.of(ROOT.resolve("bin/quoin").toString()));
        argv.addAll(List.of(arguments));
        return withProgram(PeerCommand.of(argv));
    }

    private static PeerCommand withProgram(PeerCommand command) {
        return command.environment("JAVA_HOME", System.getProperty("java.home"))
                .environment("QUOIN_CLASSPATH", System.getProperty("java.class.path"));
    }

    /** The example's, with ports that are free. */
    private Path volfile() throws IOException {
        String text = Files.readString(EXAMPLE.resolve("replicated.vol"));
        for (int brick = 0; brick < 3; brick++) {
            ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
            reserved.add(free);
            text =
                    text.replace(
                            "remote-port " + (FIRST_PORT + brick),
                            "remote-port " + free.getLocalPort());
        }
        for (ServerSocket each : reserved) {
            each.close();
        }
        return Files.writeString(folder.resolve("replicated.vol"), text);
    }

    private static void write(Path volfile, int value) {
        try (Volume volume = Volumes.openVolfile(volfile)) {
            if (volume.disks().isEmpty()) {
                volume.create("vm1", 10 << 20);
            }
            try (Disk disk = volume.open("vm1")) {
                disk.write(1 << 20, ByteBuffer.allocateDirect(BLOCK_BYTES).putInt(0, value));
            }
        }
    }

    private static int read(Path volfile) {
        try (Volume volume = Volumes.openVolfile(volfile);
                Disk disk = volume.open("vm1")) {
            ByteBuffer block = ByteBuffer.allocateDirect(BLOCK_BYTES);
            disk.read(1 << 20, block);
            return block.getInt(0);
        }
    }

    @Test
    void shouldServeDisksWithTwoOfThreeDaemonsAndWithAllAgain() throws IOException {
        Path volfile = volfile();
        assertThat(daemons("start", volfile.toString()).runOk().stdout())
                .contains("brick 0: ", "brick 1: ", "brick 2: ");
        write(volfile, 7);
        daemons("stop", "1").runOk();
        assertThat(read(volfile)).isEqualTo(7);
        write(volfile, 8);
        daemons("start", volfile.toString()).runOk();
        assertThat(read(volfile)).isEqualTo(8);
        assertThat(daemons("start").run().exitCode()).as("nothing to start").isZero();
    }

    @Test
    void shouldServeTheSameWithAVolfileThatIsGenerated() throws IOException {
        Path byHand = volfile();
        List<String> words = new ArrayList<>(List.of("volume", "create", "safe", "replica", "3"));
        Path data = folder.resolve("data");
        assertThat(daemons("start", byHand.toString(), "unclaimed").runOk().stdout())
                .contains("brick 2: ");
        for (VolumeSpec node : Volfile.read(byHand).volumes()) {
            if (node.type().equals("protocol/client")) {
                words.add("127.0.0.1:" + node.options().get("remote-port"));
            }
        }
        words.addAll(List.of("force", "--data", data.toString()));
        quoin(words.toArray(String[]::new)).runOk();
        Path generated = data.resolve("volumes/safe/volume.vol");
        Volfile parsed = Volfile.read(generated);
        String text = Files.readString(byHand);
        Files.writeString(
                byHand, text.replaceAll("volume-id \\S+", "volume-id " + volumeId(parsed)));
        assertThat(shape(Volfile.read(byHand))).isEqualTo(shape(parsed));
        write(generated, 7);
        assertThat(read(byHand)).isEqualTo(7);
        write(byHand, 8);
        assertThat(read(generated)).isEqualTo(8);
    }

    private static String volumeId(Volfile volfile) {
        return volfile.volumes().stream()
                .filter(node -> node.type().equals("cluster/replicate"))
                .map(node -> node.options().get("volume-id"))
                .findFirst()
                .orElseThrow();
    }

    /** Types and options without names, and without who the bricks are. */
    private static List<String> shape(Volfile volfile) {
        List<String> shape = new ArrayList<>();
        for (VolumeSpec node : volfile.volumes()) {
            Map<String, String> options = new TreeMap<>(node.options());
            options.remove("brick-id");
            shape.add(node.type() + options + node.subvolumes().size());
        }
        return shape;
    }
}
