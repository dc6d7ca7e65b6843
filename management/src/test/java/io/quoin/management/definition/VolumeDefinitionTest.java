package io.quoin.management.definition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockException;
import io.quoin.management.volume.DataFolder;
import io.quoin.replicate.wire.TlsFiles;
import io.quoin.replicate.wire.WireOptions;
import io.quoin.testkit.peer.SocketFolder;
import io.quoin.xlator.graph.Volfile;
import io.quoin.xlator.graph.VolumeSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VolumeDefinitionTest {
    private final SocketFolder folders = SocketFolder.create();
    private final VolumeStore store = new VolumeStore(new DataFolder(folders.resolve("data")));

    @AfterEach
    void removeTheFolder() {
        folders.close();
    }

    private static VolumeDefinition six() {
        return VolumeDefinition.of(
                "vms", List.of("/b/0", "/b/1", "h:7000", "/b/3", "/b/4", "[::1]:7001"), 3, 1, 2);
    }

    @Test
    void shouldPutReplicaSetsBelowAStripe() {
        List<UUID> ids = Stream.generate(UUID::randomUUID).limit(6).toList();
        TlsFiles tls = new TlsFiles(Path.of("/t/cert"), Path.of("/t/key"), Path.of("/t/ca"));
        VolumeDefinition six = six();
        Map<String, String> local =
                Map.of(
                        "volume-id",
                        six.id(),
                        "brick-index",
                        "1",
                        "brick-id",
                        ids.get(1).toString(),
                        "layout",
                        "replica-2-arbiter");
        String text = GeneratedVolfile.text(six, ids, WireOptions.with(tls));
        List<VolumeSpec> nodes = Volfile.parse(text, "volume.vol").volumes();
        assertThat(nodes.stream().map(VolumeSpec::name))
                .containsExactly(
                        "folder-0",
                        "brick-0",
                        "folder-1",
                        "brick-1",
                        "brick-2",
                        "folder-3",
                        "brick-3",
                        "folder-4",
                        "brick-4",
                        "brick-5",
                        "replicate-0",
                        "replicate-1",
                        "stripe",
                        "images",
                        "disks",
                        "stats");
        assertThat(nodes.get(2))
                .isEqualTo(
                        new VolumeSpec(
                                "folder-1",
                                "storage/posix",
                                Map.of("directory", "/b/1", "volume-id", six.id()),
                                List.of()));
        assertThat(nodes.get(3))
                .isEqualTo(new VolumeSpec("brick-1", "protocol/local", local, List.of("folder-1")));
        assertThat(nodes.get(9))
                .isEqualTo(
                        new VolumeSpec(
                                "brick-5",
                                "protocol/client",
                                Map.of(
                                        "remote-host", "::1",
                                        "remote-port", "7001",
                                        "volume-id", six.id(),
                                        "brick-index", "2",
                                        "brick-id", ids.get(5).toString(),
                                        "tls-ca", "/t/ca",
                                        "tls-cert", "/t/cert",
                                        "tls-key", "/t/key"),
                                List.of()));
        assertThat(nodes.get(11))
                .isEqualTo(
                        new VolumeSpec(
                                "replicate-1",
                                "cluster/replicate",
                                Map.of("layout", "replica-2-arbiter", "volume-id", six.id()),
                                List.of("brick-3", "brick-4", "brick-5")));
        assertThat(nodes.get(12).subvolumes()).containsExactly("replicate-0", "replicate-1");
        assertThat(nodes.get(13).subvolumes()).containsExactly("stripe");
    }

    @Test
    void shouldSayWhatItIsInGlusterFsWords() {
        assertThat(six().arithmetic()).isEqualTo("2 x (2 + 1) = 6");
        assertThat(six().type()).isEqualTo("Stripe-Replicate");
        assertThat(six().isArbiter(2)).isTrue();
        assertThat(six().isArbiter(3)).isFalse();
        VolumeDefinition one = VolumeDefinition.of("vms", List.of("/b"), 1, 0, 1);
        assertThat(one.arithmetic()).isEqualTo("1 x 1 = 1");
        assertThat(one.type()).isEqualTo("Brick");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "vms     | /a /b     | 3 | 0 | 1 | replica 3 x stripe 1 = 3, actual=2",
                "vms     | /a /b     | 2 | 1 | 1 | expected=replica 3 arbiter 1",
                "vms     | /a        | 0 | 0 | 1 | replica: count=0",
                "vms     | /a /a     | 2 | 0 | 1 | named twice: value=/a",
                "vms     | /a /b/../a | 2 | 0 | 1 | named twice: value=/a",
                "vms     | host:/a   | 1 | 0 | 1 | HOST:PORT of a brick daemon",
                "vms     | a         | 1 | 0 | 1 | illegal brick: value=a",
                "vms     | h:0       | 1 | 0 | 1 | a port from 1",
                "vms     | /         | 1 | 0 | 1 | no root",
                "default | /a        | 1 | 0 | 1 | neither default nor all",
                "a/b     | /a        | 1 | 0 | 1 | illegal volume name: name=a/b",
            })
    void shouldRefuseWhatDoesNotGoTogether(
            String name, String bricks, int replica, int arbiter, int stripe, String words) {
        List<String> list = List.of(bricks.split(" "));
        assertThatThrownBy(() -> VolumeDefinition.of(name, list, replica, arbiter, stripe))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining(words);
    }

    private String brick(String name) {
        return folders.resolve(name).toString();
    }

    private void create(String name, boolean isForced, String... bricks) {
        VolumeDefinition volume = VolumeDefinition.of(name, List.of(bricks), 1, 0, bricks.length);
        store.create(volume, Map.of(), WireOptions.local(), isForced);
    }

    @Test
    void shouldKeepAVolumeAndMarkItsBricks() {
        create("vms", true, brick("a"));
        VolumeDefinition kept = store.get("vms");
        assertThat(kept.state()).isEqualTo(VolumeState.CREATED);
        assertThat(store.folder("vms").volfile())
                .content()
                .contains("option directory " + brick("a"));
        store.requireBricks(kept);
        assertThatThrownBy(() -> store.get("vmz")).hasMessageContaining("did you mean vms?");
        assertThatThrownBy(() -> create("vms", true, brick("b"))).hasMessageContaining("name=vms");
        assertThat(store.change(kept, VolumeState.STARTED)).isEqualTo(store.get("vms"));
        store.delete(kept);
        assertThat(store.list()).isEmpty();
        assertThat(Path.of(brick("a"))).exists();
    }

    @Test
    void shouldNotTakeJobsOfADeletedVolumeForThoseOfANewOne() throws IOException {
        create("vms", true, brick("a"));
        Path jobs = Files.createDirectory(store.folder("vms").jobs());
        Files.writeString(jobs.resolve("1.json"), "{}");
        Files.writeString(store.folder("vms").path().resolve("groups.json"), "{}");
        store.delete(store.get("vms"));
        assertThat(jobs).isEmptyDirectory();
        assertThat(store.folder("vms").path().resolve("groups.json")).doesNotExist();
        create("vms", true, brick("b"));
    }

    @Test
    void shouldRefuseBricksOfOthersInAnyCase() {
        create("vms", true, brick("a"));
        assertThatThrownBy(() -> create("two", true, brick("a")))
                .hasMessageContaining("already part of a volume")
                .hasMessageContaining("volume=vms");
        assertThatThrownBy(() -> create("two", true, brick("a/b")))
                .hasMessageContaining("already part of a volume");
        assertThatThrownBy(() -> create("two", true, brick("c"), brick("c/d")))
                .hasMessageContaining("lie in one another");
        assertThat(Path.of(brick("c"))).doesNotExist();
    }

    @Test
    void shouldWantForceForWhatIsUnwise() throws IOException {
        create("vms", true, brick("a"));
        store.delete(store.get("vms"));
        Files.writeString(Path.of(brick("a")).resolve("vm1.qcow2"), "x");
        assertThatThrownBy(() -> create("two", false, brick("a")))
                .hasMessageContaining("brick is left of another volume")
                .hasMessageContaining("brick is not empty")
                .hasMessageContaining("force");
        VolumeDefinition pair =
                VolumeDefinition.of("pair", List.of(brick("c"), brick("d")), 2, 0, 1);
        assertThatThrownBy(() -> store.create(pair, Map.of(), WireOptions.local(), false))
                .hasMessageContaining("two copies are on one disk")
                .hasMessageContaining("replica 2 has no majority");
        create("two", true, brick("a"));
        assertThat(store.list()).hasSize(1);
    }

    @Test
    void shouldNotTakeAnEmptyFolderForABrick() throws IOException {
        create("vms", true, brick("a"));
        Files.delete(Path.of(brick("a/.quoin/volume-id")));
        assertThatThrownBy(() -> store.requireBricks(store.get("vms")))
                .hasMessageContaining("brick is not there: path=")
                .hasMessageContaining("is its file system mounted?");
    }
}
