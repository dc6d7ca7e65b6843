package io.quoin.management.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockException;
import io.quoin.block.disk.Disk;
import io.quoin.management.job.JobView;
import io.quoin.management.operation.BackupCreate;
import io.quoin.management.operation.BackupLs;
import io.quoin.management.operation.BackupPrune;
import io.quoin.management.operation.BackupRestore;
import io.quoin.management.operation.BackupVerify;
import io.quoin.management.operation.BackupView;
import io.quoin.management.operation.JobFollower;
import io.quoin.management.operation.ManagedVolume;
import io.quoin.management.operation.OperationType;
import io.quoin.management.operation.SnapshotCreate;
import io.quoin.management.operation.SnapshotRename;
import io.quoin.management.operation.SnapshotRm;
import io.quoin.management.volume.CheckEvents;
import io.quoin.management.volume.DataFolder;
import io.quoin.management.volume.DiskVolume;
import io.quoin.management.volume.LocalVolume;
import io.quoin.management.volume.SnapshotView;
import io.quoin.snapshot.SnapshotName;
import io.quoin.testkit.peer.Peer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Backups of the disks of a real volume, which are written meanwhile. */
@Timeout(300)
class VolumeBackupTest {
    private static final long SIZE = 8 << 20;
    private static final int CLUSTER = 64 << 10;
    private static final int BLOCK = 4096;

    @TempDir private Path folder;

    private final Map<String, byte[]> expected = new TreeMap<>();
    private LocalVolume volume;
    private ManagedVolume managed;
    private DiskVolume disks;
    private Path backups;

    @BeforeEach
    void open() {
        reopen();
        backups = folder.resolve("backups");
        disks.create("vm1", SIZE, Map.of());
    }

    private void reopen() {
        DataFolder data = new DataFolder(folder.resolve("data"));
        volume = LocalVolume.open(data, null, 2);
        disks = volume.disks();
        managed = ManagedVolume.unserved(data, disks);
    }

    @AfterEach
    void close() {
        managed.close();
        volume.close();
    }

    private <Q extends Record> Map<String, Object> job(OperationType<Q, JobView> type, Q request) {
        JobView started = managed.call(type, request);
        JobView ended = JobFollower.follow(managed, started.id(), progress -> {}, message -> {});
        if (ended.failure() != null) {
            throw new IllegalStateException(ended.failure().toString());
        }
        return ended.result();
    }

    private BackupView backUp(String name, boolean incremental, boolean compressed) {
        job(
                BackupCreate.TYPE,
                new BackupCreate.Request(
                        List.of("vm1"), backups.toString(), name, incremental, compressed, null));
        List<SnapshotView> bases = disks.snapshots().of("vm1");
        assertThat(bases).as("one snapshot stays on the disk").hasSize(1);
        expected.put(name, read(bases.get(0).fullName()));
        return list().stream().filter(each -> each.name().equals(name)).findFirst().orElseThrow();
    }

    private List<BackupView> list() {
        return managed.call(BackupLs.TYPE, new BackupLs.Request(backups.toString())).backups();
    }

    private byte[] read(String name) {
        try (Disk disk = VolumeDisk.open(disks, name)) {
            ByteBuffer bytes = ByteBuffer.allocate((int) disk.sizeBytes());
            disk.read(0, bytes);
            return bytes.array();
        }
    }

    private void write(long offset, int length, int value) {
        try (Disk disk = VolumeDisk.open(disks, "vm1")) {
            ByteBuffer bytes = ByteBuffer.allocate(length);
            while (bytes.hasRemaining()) {
                bytes.put((byte) value);
            }
            disk.write(offset, bytes.flip());
        }
    }

    @Test
    void shouldRestoreEachLinkWhenTheDiskIsWrittenMeanwhile() throws Exception {
        Peer.QEMU_IMG.assumeAvailable();
        AtomicBoolean ends = new AtomicBoolean();
        Thread writer;
        try (Disk disk = VolumeDisk.open(disks, "vm1")) {
            disk.write(0, ByteBuffer.wrap(filled(4 << 20)));
            writer = new Thread(() -> writeUntil(ends, disk));
            writer.start();
            try {
                assertThat(backUp("full", true, false).whyFull()).contains("no backup");
                assertThat(backUp("i1", true, false).kind()).isEqualTo("incremental");
                disk.zero(CLUSTER, 10L * CLUSTER);
                backUp("i2", true, true);
                disks.resize("vm1", SIZE + CLUSTER / 2);
                backUp("i3", true, false);
                disk.discard(20L * CLUSTER, 10L * CLUSTER);
                backUp("i4", true, false);
            } finally {
                ends.set(true);
                writer.join();
            }
        }
        write(SIZE, CLUSTER / 2, 77);
        assertThat(backUp("i5", true, false).parent()).isEqualTo("i4");
        assertThat(job(BackupVerify.TYPE, new BackupVerify.Request(backups.toString(), null, null)))
                .containsEntry("backups", 6)
                .containsEntry("faults", List.of());
        for (String name : expected.keySet()) {
            requireSame(name);
        }
    }

    private void requireSame(String name) throws IOException {
        Path file = backups.resolve("vm1").resolve(name + ".qcow2");
        Path raw = folder.resolve(name + ".raw");
        Peer.QEMU_IMG.command("check", file.toString()).runOk();
        Peer.QEMU_IMG.command("convert", "-O", "raw", file.toString(), raw.toString()).runOk();
        assertThat(Files.readAllBytes(raw))
                .as("%s by qemu-img", name)
                .isEqualTo(expected.get(name));
        job(
                BackupRestore.TYPE,
                new BackupRestore.Request(
                        backups.toString(), name, null, "restored-" + name, null));
        assertThat(read("restored-" + name)).as("%s restored", name).isEqualTo(expected.get(name));
    }

    private static byte[] filled(int length) {
        byte[] bytes = new byte[length];
        new Random(5).nextBytes(bytes);
        return bytes;
    }

    private static void writeUntil(AtomicBoolean ends, Disk disk) {
        Random random = new Random(7);
        byte[] block = new byte[BLOCK];
        while (!ends.get()) {
            random.nextBytes(block);
            long offset = (long) random.nextInt((int) (SIZE / BLOCK)) * BLOCK;
            disk.write(offset, ByteBuffer.wrap(block));
        }
    }

    @Test
    void shouldSayThatZerosAreZerosWhenQemuLooksAtAnIncrement() throws IOException {
        Peer.QEMU_IMG.assumeAvailable();
        write(0, 2 * CLUSTER, 1);
        backUp("a", false, false);
        try (Disk disk = VolumeDisk.open(disks, "vm1")) {
            disk.zero(0, CLUSTER);
        }
        backUp("b", true, false);
        String map =
                Peer.QEMU_IMG
                        .command("map", "--output=json", backups.resolve("vm1/b.qcow2").toString())
                        .runOk()
                        .stdout();
        assertThat(map.lines().findFirst().orElseThrow())
                .contains("\"start\": 0, \"length\": 65536, \"depth\": 0", "\"zero\": true");
        Path b = backups.resolve("vm1/b.qcow2");
        assertThat(Peer.QEMU_IMG.command("info", b.toString()).runOk().stdout())
                .contains("backing file: a.qcow2", "backing file format: qcow2");
    }

    @Test
    void shouldKeepTheBaseAndSayWhyAFullBackupIsMadeWhenItIsGone() {
        write(0, CLUSTER, 1);
        backUp("a", false, false);
        String base = disks.snapshots().of("vm1").get(0).name();
        assertThatThrownBy(() -> remove(base, null))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("vm1@" + base)
                .hasMessageContaining("--break-chain");
        SnapshotRename.Request rename = new SnapshotRename.Request("vm1", base, "mine");
        assertThatThrownBy(() -> managed.call(SnapshotRename.TYPE, rename))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("go on from the snapshot");
        remove(base, true);
        assertThat(disks.snapshots().of("vm1")).isEmpty();
        SnapshotCreate.Request again = new SnapshotCreate.Request("vm1", base);
        assertThatThrownBy(() -> managed.call(SnapshotCreate.TYPE, again))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("kept for the snapshots of backups");
        write(0, CLUSTER, 2);
        BackupView second = backUp("b", true, false);
        assertThat(second.kind()).isEqualTo("full");
        assertThat(second.whyFull()).contains(base, "is not on it");
    }

    private void remove(String snapshot, Boolean breakChain) {
        job(SnapshotRm.TYPE, new SnapshotRm.Request("vm1", snapshot, breakChain, null, null));
    }

    @Test
    void shouldReplaceADiskWhenNothingHoldsIt() {
        write(0, CLUSTER, 1);
        backUp("a", false, false);
        write(0, CLUSTER, 2);
        BackupRestore.Request over =
                new BackupRestore.Request(backups.toString(), "a", "vm1", null, "vm1");
        try (Disk attached = VolumeDisk.open(disks, "vm1")) {
            assertThat(attached.sizeBytes()).isEqualTo(SIZE);
            assertThatThrownBy(() -> job(BackupRestore.TYPE, over))
                    .isInstanceOf(BlockException.class)
                    .hasMessageContaining("name=vm1, connections=1");
        }
        job(SnapshotCreate.TYPE, new SnapshotCreate.Request("vm1", "mine"));
        assertThatThrownBy(() -> job(BackupRestore.TYPE, over))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("snapshots, which would be lost=mine");
        remove("mine", null);
        job(BackupRestore.TYPE, over);
        assertThat(read("vm1")).isEqualTo(expected.get("a"));
        assertThat(disks.list()).hasSize(1);
        assertThat(backUp("b", true, false).whyFull()).contains("is not on it");
        assertThatThrownBy(
                        () ->
                                job(
                                        BackupRestore.TYPE,
                                        new BackupRestore.Request(
                                                backups.toString(), "a", null, "vm1", null)))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("disk already exists: name=vm1");
    }

    @Test
    void shouldGoOnIncrementallyWhenTheDiskWasRolledBack() throws IOException {
        Peer.QEMU_IMG.assumeAvailable();
        write(0, 4 * CLUSTER, 1);
        job(SnapshotCreate.TYPE, new SnapshotCreate.Request("vm1", "before"));
        write(CLUSTER, CLUSTER, 2);
        job(
                BackupCreate.TYPE,
                new BackupCreate.Request(
                        List.of("vm1"), backups.toString(), "a", false, null, null));
        write(2 * CLUSTER, CLUSTER, 3);
        disks.snapshots().rollback(new SnapshotName("vm1", "before"), CheckEvents.SILENT);
        remove("before", null);
        assertThat(backUp("b", true, false).kind()).isEqualTo("incremental");
        requireSame("b");
    }

    /** The format gives ids again, too: only the UUID says that it is another one. */
    @Test
    void shouldCopyAllWhenTheBaseWasDeletedAndMadeAgainUnderItsNameAndId() throws IOException {
        Peer.QEMU_IMG.assumeAvailable();
        write(0, 4 * CLUSTER, 1);
        backUp("a", false, false);
        SnapshotView base = disks.snapshots().of("vm1").get(0);
        write(CLUSTER, CLUSTER, 2);
        close();
        String image = folder.resolve("data/brick/vm1.qcow2").toString();
        Peer.QEMU_IMG.command("snapshot", "-d", base.name(), image).runOk();
        Peer.QEMU_IMG.command("snapshot", "-c", base.name(), image).runOk();
        reopen();
        SnapshotView again = disks.snapshots().of("vm1").get(0);
        assertThat(again.id()).isEqualTo(base.id());
        write(2 * CLUSTER, CLUSTER, 3);
        job(
                BackupCreate.TYPE,
                new BackupCreate.Request(
                        List.of("vm1"), backups.toString(), "b", true, false, null));
        BackupView made =
                list().stream().filter(each -> each.name().equals("b")).findFirst().orElseThrow();
        assertThat(made.kind()).isEqualTo("full");
        assertThat(made.whyFull()).contains("is not on it");
        expected.put("b", read("vm1"));
        requireSame("b");
    }

    @Test
    void shouldPruneAndRefuseWhatIsWrong() {
        backUp("a", false, false);
        backUp("b", false, false);
        BackupPrune.Request keepOne =
                new BackupPrune.Request(
                        backups.toString(), null, 1L, null, null, null, null, null, null);
        job(BackupPrune.TYPE, keepOne);
        assertThat(list()).extracting(BackupView::name).containsExactly("b");
        assertThatThrownBy(
                        () ->
                                managed.call(
                                        BackupCreate.TYPE,
                                        new BackupCreate.Request(
                                                List.of("vm1"),
                                                folder.resolve("data/brick/b").toString(),
                                                null,
                                                null,
                                                null,
                                                null)))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("lies in the data folder");
        assertThatThrownBy(
                        () ->
                                managed.call(
                                        BackupCreate.TYPE,
                                        new BackupCreate.Request(
                                                List.of("vm1"), "here", null, null, null, null)))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("path=here, expected=an absolute path");
    }

    /** Of the one snapshot that the last backup has left on each. */
    private void noteBases(String name, List<String> names) {
        for (String each : names) {
            List<SnapshotView> bases = disks.snapshots().of(each);
            assertThat(bases).as("one snapshot stays on %s", each).hasSize(1);
            expected.put(each + '/' + name, read(bases.get(0).fullName()));
        }
    }

    private void backUpGroup(String name, List<String> names) {
        job(
                BackupCreate.TYPE,
                new BackupCreate.Request(null, backups.toString(), name, true, null, "db"));
        noteBases(name, names);
    }

    private static void stampBoth(AtomicBoolean ends, Disk first, Disk second) {
        for (long stamp = 1; !ends.get(); stamp++) {
            for (Disk each : List.of(first, second)) {
                each.write(0, ByteBuffer.allocate(BLOCK).putLong(0, stamp));
            }
        }
    }

    @Test
    void shouldRestoreEachDiskOfEachMomentByQemuImgAloneWhenDisksChangeAndJoin() throws Exception {
        Peer.QEMU_IMG.assumeAvailable();
        disks.create("vm2", SIZE, Map.of());
        List<String> both = List.of("vm1", "vm2");
        List<String> all = List.of("vm1", "vm2", "vm3");
        disks.sets().create("db", both);
        AtomicBoolean ends = new AtomicBoolean();
        try (Disk first = VolumeDisk.open(disks, "vm1");
                Disk second = VolumeDisk.open(disks, "vm2")) {
            first.write(CLUSTER, ByteBuffer.wrap(filled(4 << 20)));
            second.write(CLUSTER, ByteBuffer.wrap(filled(2 << 20)));
            Thread writer = new Thread(() -> stampBoth(ends, first, second));
            writer.start();
            try {
                backUpGroup("full", both);
                first.zero(CLUSTER, 10L * CLUSTER);
                backUpGroup("i1", both);
                disks.resize("vm2", SIZE + CLUSTER / 2);
                second.discard(2L * CLUSTER, 5L * CLUSTER);
                backUpGroup("i2", both);
                disks.create("vm3", SIZE / 2, Map.of());
                disks.sets().add("db", List.of("vm3"));
                backUpGroup("i3", all);
                try (Disk third = VolumeDisk.open(disks, "vm3")) {
                    third.write(3L * CLUSTER, ByteBuffer.wrap(filled(CLUSTER)));
                }
                first.zero(15L * CLUSTER, 2L * CLUSTER);
                backUpGroup("i4", all);
                backUpGroup("i5", all);
            } finally {
                ends.set(true);
                writer.join();
            }
        }
        assertThat(list())
                .filteredOn(each -> each.name().equals("i5"))
                .allMatch(each -> each.kind().equals("incremental"))
                .allMatch(each -> all.equals(each.groupDisks()))
                .extracting(BackupView::group)
                .containsOnly(list().get(5).group());
        for (String each : List.of("full", "i1", "i2", "i3", "i4", "i5")) {
            byte[] first = rawByQemu("vm1", each);
            byte[] second = rawByQemu("vm2", each);
            long ahead = ByteBuffer.wrap(first).getLong() - ByteBuffer.wrap(second).getLong();
            assertThat(ahead).as("one moment of %s", each).isBetween(0L, 1L);
        }
        for (String each : List.of("i3", "i4", "i5")) {
            rawByQemu("vm3", each);
        }
        job(
                BackupRestore.TYPE,
                new BackupRestore.Request(backups.toString(), "i4", "vm3", "alone", null));
        assertThat(read("alone")).isEqualTo(expected.get("vm3/i4"));
        flipAByteOf(backups.resolve("vm2/i2.qcow2"));
        Map<String, Object> verified =
                job(BackupVerify.TYPE, new BackupVerify.Request(backups.toString(), null, null));
        assertThat(verified.get("faults").toString()).contains("vm2/i2.qcow2");
    }

    private static void flipAByteOf(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 3] ^= 4;
        Files.write(file, bytes);
    }

    private byte[] rawByQemu(String disk, String name) throws IOException {
        Path file = backups.resolve(disk).resolve(name + ".qcow2");
        Path raw = folder.resolve(disk + '-' + name + ".raw");
        Peer.QEMU_IMG.command("check", file.toString()).runOk();
        Peer.QEMU_IMG.command("convert", "-O", "raw", file.toString(), raw.toString()).runOk();
        byte[] bytes = Files.readAllBytes(raw);
        assertThat(bytes)
                .as("%s of %s by qemu-img", name, disk)
                .isEqualTo(expected.get(disk + '/' + name));
        return bytes;
    }

    @Test
    void shouldLeaveNothingWhenADiskOfAGroupCanHaveNoSnapshot() {
        disks.create("raw1", SIZE, Map.of("format", "raw"));
        assertThatThrownBy(
                        () ->
                                job(
                                        BackupCreate.TYPE,
                                        new BackupCreate.Request(
                                                List.of("vm1", "raw1"),
                                                backups.toString(),
                                                "a",
                                                null,
                                                null,
                                                null)))
                .hasMessageContaining("raw1");
        assertThat(disks.snapshots().of("vm1")).isEmpty();
        assertThat(list()).isEmpty();
        assertThat(backups.resolve("vm1/a.pending")).doesNotExist();
    }
}
