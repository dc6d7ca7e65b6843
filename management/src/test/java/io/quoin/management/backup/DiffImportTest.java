package io.quoin.management.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.backup.BackupEvents;
import io.quoin.backup.stream.DiffStreamReader;
import io.quoin.block.BlockException;
import io.quoin.block.disk.Disk;
import io.quoin.management.job.JobView;
import io.quoin.management.operation.BackupExport;
import io.quoin.management.operation.BackupImport;
import io.quoin.management.operation.JobFollower;
import io.quoin.management.operation.ManagedVolume;
import io.quoin.management.operation.OperationType;
import io.quoin.management.operation.SnapshotRollback;
import io.quoin.management.volume.CheckEvents;
import io.quoin.management.volume.DataFolder;
import io.quoin.management.volume.LocalVolume;
import io.quoin.management.volume.SnapshotView;
import io.quoin.snapshot.SnapshotName;
import io.quoin.testkit.peer.Peer;
import java.io.IOException;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Streams of differences from one real volume to another. */
@Timeout(300)
class DiffImportTest {
    private static final long SIZE = 8 << 20;
    private static final int CLUSTER = 64 << 10;
    private static final int BLOCK = 4096;

    @TempDir private Path folder;

    private final Random random = new Random(12);
    private Bed here;
    private Bed there;

    /** A volume. */
    private static final class Bed implements AutoCloseable {
        private final LocalVolume volume;
        private final ManagedVolume managed;

        Bed(Path data) {
            DataFolder dataFolder = new DataFolder(data);
            volume = LocalVolume.open(dataFolder, null, 2);
            managed = ManagedVolume.unserved(dataFolder, volume.disks());
        }

        <Q extends Record> Map<String, Object> job(OperationType<Q, JobView> type, Q request) {
            JobView started = managed.call(type, request);
            JobView ended =
                    JobFollower.follow(managed, started.id(), progress -> {}, message -> {});
            if (ended.failure() != null) {
                throw new IllegalStateException(ended.failure().toString());
            }
            return ended.result();
        }

        byte[] read(String name) {
            try (Disk disk = VolumeDisk.open(volume.disks(), name)) {
                ByteBuffer bytes = ByteBuffer.allocate((int) disk.sizeBytes());
                disk.read(0, bytes);
                return bytes.array();
            }
        }

        void write(String name, long offset, byte[] content) {
            try (Disk disk = VolumeDisk.open(volume.disks(), name)) {
                disk.write(offset, ByteBuffer.wrap(content));
            }
        }

        void zero(String name, long offset, long length) {
            try (Disk disk = VolumeDisk.open(volume.disks(), name)) {
                disk.zero(offset, length);
            }
        }

        SnapshotView snapshot(String disk, String name) {
            SnapshotName wanted = new SnapshotName(disk, name);
            return volume.disks().snapshots().create(wanted, CheckEvents.SILENT);
        }

        List<SnapshotView> snapshots(String disk) {
            return volume.disks().snapshots().of(disk);
        }

        @Override
        public void close() {
            managed.close();
            volume.close();
        }
    }

    @BeforeEach
    void open() {
        here = new Bed(folder.resolve("here"));
        there = new Bed(folder.resolve("there"));
        here.volume.disks().create("vm1", SIZE, Map.of());
        here.write("vm1", 0, bytes(40 * CLUSTER));
        here.snapshot("vm1", "a");
    }

    @AfterEach
    void close() {
        here.close();
        there.close();
    }

    private byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private void change() {
        here.write("vm1", CLUSTER + BLOCK, bytes(BLOCK));
        here.zero("vm1", 10L * CLUSTER, 3L * CLUSTER);
        here.write("vm1", 100L * CLUSTER, bytes(2 * CLUSTER));
    }

    private Path export(String from, String to) {
        Path file = folder.resolve(from + "-" + to + ".diff");
        here.job(
                BackupExport.TYPE,
                new BackupExport.Request("vm1", from, to, file.toString(), true));
        return file;
    }

    private Map<String, Object> importAs(String disk, Path stream) {
        return there.job(BackupImport.TYPE, new BackupImport.Request(disk, stream.toString()));
    }

    private void requireSame(String snapshot) {
        assertThat(there.read("copy@" + snapshot)).isEqualTo(here.read("vm1@" + snapshot));
        assertThat(there.read("copy")).isEqualTo(here.read("vm1@" + snapshot));
        assertThat(uuid(there, "copy", snapshot)).isEqualTo(uuid(here, "vm1", snapshot));
    }

    private static String uuid(Bed bed, String disk, String snapshot) {
        return bed.snapshots(disk).stream()
                .filter(each -> each.name().equals(snapshot))
                .map(SnapshotView::uuid)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void shouldCarryADiskAndItsChangesToAnotherVolume() {
        Map<String, Object> whole = importAs("copy", export(null, "a"));
        assertThat(whole).containsEntry("already", false).containsEntry("snapshot", "a");
        requireSame("a");

        change();
        here.snapshot("vm1", "b");
        Map<String, Object> changes = importAs("copy", export("a", "b"));
        requireSame("b");
        assertThat(((Number) changes.get("writtenBytes")).longValue()).isLessThan(8L * CLUSTER);

        here.volume.disks().resize("vm1", SIZE + 4 * CLUSTER);
        here.write("vm1", SIZE + CLUSTER, bytes(CLUSTER));
        here.snapshot("vm1", "c");
        importAs("copy", export("b", "c"));
        requireSame("c");

        assertThat(importAs("copy", export("b", "c"))).containsEntry("already", true);
        assertThat(there.snapshots("copy"))
                .extracting(SnapshotView::name)
                .containsExactly("a", "b", "c");
        requireClean("there/brick/copy.qcow2");
    }

    private void requireClean(String image) {
        there.close();
        Peer.QEMU_IMG.assumeAvailable();
        Peer.QEMU_IMG.command("check", folder.resolve(image).toString()).runOk();
        there = new Bed(folder.resolve("there"));
    }

    @Test
    void shouldRefuseADiskThatIsNotAtTheOlderSnapshot() {
        importAs("copy", export(null, "a"));
        here.snapshot("vm1", "b");
        change();
        here.snapshot("vm1", "c");
        assertThatThrownBy(() -> importAs("copy", export("b", "c")))
                .hasMessageContaining("not at the snapshot")
                .hasMessageContaining(uuid(here, "vm1", "b"));
        assertThatThrownBy(() -> importAs("other", export("b", "c"))).hasMessageContaining("other");
        // One of the name alone is another snapshot.
        there.snapshot("copy", "b");
        assertThatThrownBy(() -> importAs("copy", export("b", "c")))
                .hasMessageContaining("not at the snapshot");
        assertThatThrownBy(() -> importAs("copy", export("a", "b")))
                .hasMessageContaining("another snapshot of that name");
    }

    @Test
    void shouldNotWriteOverWhatADiskHasChangedByItself() {
        importAs("copy", export(null, "a"));
        change();
        here.snapshot("vm1", "b");
        Path stream = export("a", "b");
        byte[] own = bytes(BLOCK);
        there.write("copy", CLUSTER, own);
        byte[] before = there.read("copy");
        assertThatThrownBy(() -> importAs("copy", stream)).hasMessageContaining("has changed");
        assertThat(there.read("copy")).isEqualTo(before);
        there.job(SnapshotRollback.TYPE, new SnapshotRollback.Request("copy", "a"));
        importAs("copy", stream);
        requireSame("b");
    }

    @Test
    void shouldLeaveTheDiskAloneWhenAFileIsDamaged() throws IOException {
        importAs("copy", export(null, "a"));
        change();
        here.snapshot("vm1", "b");
        byte[] stream = Files.readAllBytes(export("a", "b"));
        byte[] before = there.read("copy");
        Path damaged = folder.resolve("damaged.diff");
        for (int at :
                new int[] {0, 9, 13, 17, 40, 200, 100_000, stream.length - 50, stream.length - 1}) {
            byte[] flipped = stream.clone();
            flipped[at] ^= 4;
            Files.write(damaged, flipped);
            assertThatThrownBy(() -> importAs("copy", damaged)).as("byte %d", at).isNotNull();
            Files.write(damaged, Arrays.copyOf(stream, at));
            assertThatThrownBy(() -> importAs("copy", damaged))
                    .as("length %d", at)
                    .hasMessageContaining("position=" + at);
        }
        assertThat(there.read("copy")).isEqualTo(before);
        assertThat(there.snapshots("copy")).hasSize(1);
    }

    /** Through a socket nothing is known of the end before it is there. */
    @Test
    void shouldGoOnWhenAStreamThroughASocketWasCutOff() throws Exception {
        byte[] whole = Files.readAllBytes(export(null, "a"));
        assertThatThrownBy(() -> importThroughSocket(Arrays.copyOf(whole, whole.length / 2)))
                .hasMessageContaining("position=" + whole.length / 2);
        assertThat(there.volume.disks().list()).noneMatch(disk -> disk.name().equals("copy"));
        Map<String, Object> second = importThroughSocket(whole);
        assertThat(((Number) second.get("keptBytes")).longValue()).isPositive();
        requireSame("a");
        assertThat(there.volume.disks().list()).hasSize(1);

        change();
        here.snapshot("vm1", "b");
        byte[] stream = Files.readAllBytes(export("a", "b"));
        for (int length : new int[] {stream.length / 2, stream.length - 1}) {
            assertThatThrownBy(() -> importThroughSocket(Arrays.copyOf(stream, length)))
                    .hasMessageContaining("position=");
            assertThat(there.snapshots("copy")).hasSize(1);
        }
        Map<String, Object> last = importThroughSocket(stream);
        assertThat(((Number) last.get("keptBytes")).longValue()).isPositive();
        requireSame("b");
        assertThat(folder.resolve("there/imports/copy")).doesNotExist();
        requireClean("there/brick/copy.qcow2");
    }

    private Map<String, Object> importThroughSocket(byte[] stream) throws Exception {
        Path socket = Files.createTempDirectory("quoin-").resolve("s");
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(socket));
            Thread sender = new Thread(() -> send(server, stream));
            sender.start();
            try {
                return importAs("copy", socket);
            } finally {
                sender.join();
            }
        } finally {
            Files.delete(socket);
            Files.delete(socket.getParent());
        }
    }

    private static void send(ServerSocketChannel server, byte[] stream) {
        try (SocketChannel channel = server.accept()) {
            ByteBuffer source = ByteBuffer.wrap(stream);
            while (source.hasRemaining()) {
                channel.write(source);
            }
        } catch (IOException e) {
            return; // the import has ended
        }
    }

    /** The process is gone. */
    private static final class Killed extends Error {
        private static final long serialVersionUID = 1;
    }

    @Test
    void shouldGoOnWhenItEndsBehindAnyRange() throws IOException {
        importAs("copy", export(null, "a"));
        String before = "a";
        for (int ranges = 1; ranges <= 6; ranges++) {
            change();
            String snapshot = "s" + ranges;
            here.snapshot("vm1", snapshot);
            Path stream = export(before, snapshot);
            int count = there.snapshots("copy").size();
            assertThatThrownBy(() -> importUntil(stream, 1)).isInstanceOf(Killed.class);
            int last = ranges;
            assertThatThrownBy(() -> importUntil(stream, last)).isInstanceOf(Killed.class);
            assertThat(there.snapshots("copy")).hasSize(count);
            importAs("copy", stream);
            requireSame(snapshot);
            before = snapshot;
        }
        requireClean("there/brick/copy.qcow2");
    }

    /** At most to its end. */
    private void importUntil(Path stream, int ranges) throws IOException {
        int[] left = {ranges};
        BackupEvents killing =
                new BackupEvents() {
                    @Override
                    public void progress(long done, long total) {
                        if (--left[0] == 0 || done == total) {
                            throw new Killed();
                        }
                    }
                };
        Path marks = folder.resolve("there/imports");
        try (InputStream in = Files.newInputStream(stream)) {
            new DiffImport(there.volume.disks(), marks, killing)
                    .run(new DiffStreamReader(in, "test"), "copy");
        }
    }

    @Test
    void shouldKeepOthersFromADiskWhileItIsImportedInto() throws Exception {
        importAs("copy", export(null, "a"));
        change();
        here.snapshot("vm1", "b");
        byte[] stream = Files.readAllBytes(export("a", "b"));
        try (Disk attached = VolumeDisk.open(there.volume.disks(), "copy")) {
            assertThat(attached.sizeBytes()).isEqualTo(SIZE);
            assertThatThrownBy(() -> importAs("copy", folder.resolve("a-b.diff")))
                    .hasMessageContaining("in use");
        }
        Path socket = Files.createTempDirectory("quoin-").resolve("s");
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(socket));
            JobView job =
                    there.managed.call(
                            BackupImport.TYPE, new BackupImport.Request("copy", socket.toString()));
            try (SocketChannel channel = server.accept()) {
                send(channel, stream, 0, stream.length / 2);
                // It has the disk before it makes its mark.
                while (!Files.exists(folder.resolve("there/imports/copy"))) {
                    Thread.onSpinWait();
                }
                assertThat(there.snapshots("copy")).hasSize(1);
                assertThatThrownBy(() -> there.snapshot("copy", "mine"))
                        .isInstanceOf(BlockException.class)
                        .hasMessageContaining("an import");
                send(channel, stream, stream.length / 2, stream.length);
            }
            JobFollower.follow(there.managed, job.id(), progress -> {}, message -> {});
            requireSame("b");
        } finally {
            Files.delete(socket);
            Files.delete(socket.getParent());
        }
    }

    private static void send(SocketChannel channel, byte[] stream, int from, int to)
            throws IOException {
        ByteBuffer source = ByteBuffer.wrap(stream, from, to - from);
        while (source.hasRemaining()) {
            channel.write(source);
        }
    }
}
