package io.quoin.management.operation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockException;
import io.quoin.management.job.JobState;
import io.quoin.management.job.JobView;
import io.quoin.management.volume.DataFolder;
import io.quoin.management.volume.DiskView;
import io.quoin.management.volume.LocalVolume;
import io.quoin.management.volume.SnapshotView;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Image files that are moved into a volume, and those that stay where they are. */
@Timeout(180)
class DiskAdoptTest {
    private static final Duration LIMIT = Duration.ofMinutes(1);

    @TempDir private Path path;
    private Path files;
    private Path brick;
    private LocalVolume volume;
    private ManagedVolume managed;

    @BeforeEach
    void open() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        files = Files.createDirectories(path.resolve("images"));
        DataFolder folder = new DataFolder(path.resolve("data"));
        volume = LocalVolume.open(folder, null, 2);
        managed = ManagedVolume.unserved(folder, volume.disks());
        brick = folder.path().resolve("brick");
    }

    @AfterEach
    void close() {
        managed.close();
        volume.close();
    }

    private static void qemuImg(String... arguments) {
        Peer.QEMU_IMG.command(arguments).runOk();
    }

    private Path file(String name) {
        return files.resolve(name);
    }

    private void makeChain() {
        String base = file("base.qcow2").toString();
        String top = file("top.qcow2").toString();
        qemuImg("create", "-q", "-f", "qcow2", base, "8M");
        Peer.QEMU_IO.command("-c", "write -P 3 0 4M", base).runOk();
        qemuImg("create", "-q", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", top);
        Peer.QEMU_IO.command("-c", "write -P 4 1M 1M", top).runOk();
        qemuImg("snapshot", "-c", "one", top);
        Peer.QEMU_IO.command("-c", "write -P 5 3M 2M", top).runOk();
    }

    private JobView adopt(Path file, String name) {
        JobView started =
                managed.call(DiskAdopt.TYPE, new DiskAdopt.Request(name, NameText.of(file)));
        return JobFollower.follow(managed, started.id(), progress -> {}, message -> {});
    }

    private static byte[] content(Path image, String... options) throws IOException {
        Path raw = Files.createTempFile("content", ".raw");
        try {
            List<String> all = new java.util.ArrayList<>(List.of("convert", "-O", "raw"));
            all.addAll(List.of(options));
            all.addAll(List.of(image.toString(), raw.toString()));
            qemuImg(all.toArray(String[]::new));
            return Files.readAllBytes(raw);
        } finally {
            Files.delete(raw);
        }
    }

    /** By name, with what is in them. */
    private static Map<String, Integer> all(Path folder) throws IOException {
        Map<String, Integer> found = new TreeMap<>();
        try (Stream<Path> inIt = Files.list(folder)) {
            for (Path file : inIt.filter(Files::isRegularFile).toList()) {
                found.put(
                        NameText.lastOf(file), java.util.Arrays.hashCode(Files.readAllBytes(file)));
            }
        }
        return found;
    }

    @Test
    void shouldBeTheSameInodesWithTheirChainAndSnapshotsWhenMoved() throws IOException {
        makeChain();
        byte[] head = content(file("top.qcow2"));
        byte[] one = content(file("top.qcow2"), "-l", "one");
        Object inode = Files.getAttribute(file("top.qcow2"), "unix:ino");
        JobView job = adopt(file("top.qcow2"), "vm1");
        assertThat(job.state()).as("%s", job).isEqualTo(JobState.DONE);
        assertThat(job.result()).containsEntry("disks", List.of("base", "vm1"));
        assertThat(all(files)).isEmpty();
        Path image = brick.resolve("vm1.qcow2");
        assertThat(Files.getAttribute(image, "unix:ino")).isEqualTo(inode);
        assertThat(Files.getPosixFilePermissions(image)).hasSize(2);
        assertThat(volume.disks().list()).extracting(DiskView::name).containsExactly("base", "vm1");
        assertThat(volume.disks().children("base")).containsExactly("vm1");
        assertThat(volume.disks().snapshots().of("vm1"))
                .extracting(SnapshotView::name)
                .containsExactly("one");
        assertThat(content(image)).isEqualTo(head);
        assertThat(content(image, "-l", "one")).isEqualTo(one);
        qemuImg("check", image.toString());
        assertThatThrownBy(() -> volume.disks().remove("base"))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("vm1.qcow2");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "linked    | has other names",
                "used      | used by=other.qcow2",
                "outside   | backing file cannot be moved",
                "raw       | not a qcow2 image",
                "encrypted | encrypt",
                "data file | data in another file",
                "absent    | no such image file",
                "held      | in use",
                "taken     | disk already exists: name=base",
                "shaped    | illegal disk name",
                "same      | name of a file that it stands on"
            })
    void shouldLeaveEverythingWhenItIsRefused(String kind, String why) throws IOException {
        makeChain();
        Path source = file("top.qcow2");
        String name = kind.equals("same") ? "base" : "vm1";
        PeerProcess holder = null;
        switch (kind) {
            case "linked" -> Files.createLink(path.resolve("again.qcow2"), file("base.qcow2"));
            case "used" ->
                    qemuImg(
                            "create",
                            "-q",
                            "-f",
                            "qcow2",
                            "-b",
                            "base.qcow2",
                            "-F",
                            "qcow2",
                            file("other.qcow2").toString());
            case "outside" ->
                    qemuImg(
                            "rebase",
                            "-u",
                            "-b",
                            file("base.qcow2").toString(),
                            "-F",
                            "qcow2",
                            source.toString());
            case "raw" -> source = Files.write(file("disk.raw"), new byte[1 << 20]);
            case "encrypted" -> source = encrypted();
            case "data file" -> source = withDataFile();
            case "absent" -> source = file("none.qcow2");
            case "held" -> {
                String open = "open " + source;
                holder = Peer.QEMU_IO.command("-c", open, "-c", "sleep 100000").start();
                awaitLock(source);
            }
            case "taken" -> volume.disks().create("base", 1 << 20, Map.of("format", "raw"));
            case "shaped" -> name = "a@b";
            default -> {}
        }
        Map<String, Integer> before = all(files);
        Map<String, Integer> disks = all(brick);
        Path wanted = source;
        String as = name;
        try {
            assertThatThrownBy(
                            () -> {
                                JobView job = adopt(wanted, as);
                                throw new IllegalStateException(String.valueOf(job.failure()));
                            })
                    .hasMessageContaining(why);
        } finally {
            if (holder != null) {
                holder.terminate();
                holder.awaitExit(LIMIT);
                holder.close();
            }
        }
        assertThat(all(files)).isEqualTo(before);
        assertThat(all(brick)).isEqualTo(disks);
    }

    /** By QEMU's own word. */
    private static void awaitLock(Path image) {
        while (Peer.QEMU_IO.command("-c", "quit", image.toString()).run().exitCode() == 0) {
            Thread.onSpinWait();
        }
    }

    private Path encrypted() {
        Path image = file("secret.qcow2");
        qemuImg(
                "create",
                "-q",
                "-f",
                "qcow2",
                "--object",
                "secret,id=s,data=word",
                "-o",
                "encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10",
                image.toString(),
                "1M");
        return image;
    }

    private Path withDataFile() {
        Path image = file("split.qcow2");
        qemuImg(
                "create",
                "-q",
                "-f",
                "qcow2",
                "-o",
                "data_file=" + file("split.data"),
                image.toString(),
                "1M");
        return image;
    }

    @Test
    void shouldNotCopyWhenItLiesOnAnotherFileSystem() throws IOException {
        Path memory = Path.of("/dev/shm");
        Assumptions.assumeTrue(
                Files.isWritable(memory)
                        && !Files.getFileStore(memory).equals(Files.getFileStore(brick)));
        Path other = Files.createTempDirectory(memory, "adopt");
        Path source = other.resolve("top.qcow2");
        try {
            qemuImg("create", "-q", "-f", "qcow2", source.toString(), "1M");
            JobView job = adopt(source, "vm1");
            assertThat(String.valueOf(job.failure())).contains("another file system");
            assertThat(source).exists();
            assertThat(volume.disks().list()).isEmpty();
        } finally {
            Files.deleteIfExists(source);
            Files.delete(other);
        }
    }
}
