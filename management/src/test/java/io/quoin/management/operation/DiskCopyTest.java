package io.quoin.management.operation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.job.JobControl;
import io.quoin.management.job.JobState;
import io.quoin.management.job.JobView;
import io.quoin.management.volume.AttachedDisk;
import io.quoin.management.volume.CheckEvents;
import io.quoin.management.volume.DataFolder;
import io.quoin.management.volume.DiskView;
import io.quoin.management.volume.LocalVolume;
import io.quoin.snapshot.SnapshotName;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.NameText;
import io.quoin.xlator.Stages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Import and export, and what disks take, with qemu-img as the judge of content. */
@Timeout(180)
class DiskCopyTest {
    private static final int SIZE = 8 << 20;

    @TempDir private Path path;
    private Path files;
    private DataFolder folder;
    private LocalVolume volume;
    private ManagedVolume managed;

    @BeforeEach
    void open() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        files = Files.createDirectories(path.resolve("a folder"));
        folder = new DataFolder(path.resolve("data"));
        reopen();
    }

    private void reopen() {
        volume = LocalVolume.open(folder, null, 2);
        managed = ManagedVolume.unserved(folder, volume.disks());
    }

    @AfterEach
    void close() {
        managed.close();
        volume.close();
    }

    private JobView end(OperationType<? extends Record, JobView> type, JobView started) {
        assertThat(type.kind()).isEqualTo(Kind.JOB);
        return JobFollower.follow(managed, started.id(), progress -> {}, message -> {});
    }

    private JobView importDisk(String source, String name, String format) {
        DiskImport.Request request = new DiskImport.Request(name, source, format);
        return end(DiskImport.TYPE, managed.call(DiskImport.TYPE, request));
    }

    private JobView export(String name, Path file, String format, boolean compress, boolean force) {
        DiskExport.Request request =
                new DiskExport.Request(name, NameText.of(file), format, compress, force);
        return end(DiskExport.TYPE, managed.call(DiskExport.TYPE, request));
    }

    private Path random(String name, int bytes) throws IOException {
        byte[] content = new byte[bytes];
        new Random(bytes).nextBytes(content);
        return Files.write(files.resolve(name), content);
    }

    private static void qemuImg(String... arguments) {
        Peer.QEMU_IMG.command(arguments).runOk();
    }

    private Path image(String disk) {
        return folder.path().resolve("brick").resolve(disk + ".qcow2");
    }

    private List<String> names(Path where) throws IOException {
        try (Stream<Path> all = Files.list(where)) {
            return all.map(NameText::lastOf).sorted().toList();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "raw   | -                                 | raw",
                "qcow2 | compat=0.10                       | -",
                "qcow2 | cluster_size=512                  | qcow2",
                "qcow2 | extended_l2=on,cluster_size=128k  | -",
                "qcow2 | compression_type=zstd             | -",
            })
    void shouldReadAsTheFileWhenItIsImported(String format, String options, String given)
            throws IOException {
        Path source = random("plain.raw", 3 * SIZE / 2);
        Path file = files.resolve("in." + format);
        if (options == null) {
            Files.copy(source, file);
        } else {
            qemuImg(
                    "convert",
                    "-f",
                    "raw",
                    "-O",
                    "qcow2",
                    "-o",
                    options,
                    source.toString(),
                    file.toString());
        }
        JobView job = importDisk(file.toString(), "vm1", given);
        assertThat(job.state()).as(String.valueOf(job.failure())).isEqualTo(JobState.DONE);
        assertThat(volume.disks().list()).extracting(DiskView::name).containsExactly("vm1");
        qemuImg("compare", "-F", format, image("vm1").toString(), file.toString());
        qemuImg("check", image("vm1").toString());
    }

    @Test
    void shouldReadThroughTheChainWhenAnOverlayIsImported() throws IOException {
        Path base = random("base.raw", SIZE);
        Path top = files.resolve("top.qcow2");
        qemuImg(
                "create",
                "-q",
                "-f",
                "qcow2",
                "-b",
                "base.raw",
                "-F",
                "raw",
                top.toString(),
                "16M");
        Peer.QEMU_IO.command("-c", "write -P 7 1M 64k", top.toString()).runOk();
        importDisk(top.toString(), "vm1", null);
        qemuImg("compare", image("vm1").toString(), top.toString());
        assertThat(Files.readAllBytes(base)).hasSize(SIZE);
    }

    @ParameterizedTest
    @CsvSource({"raw, false", "qcow2, false", "qcow2, true"})
    void shouldStandOnNothingWhenASnapshotOfACloneIsExported(String format, boolean compress)
            throws IOException {
        importDisk(random("base.raw", SIZE).toString(), "golden", null);
        volume.disks().clone("golden", List.of("vm1"), 0);
        volume.disks().snapshots().create(SnapshotName.of("vm1@a"), CheckEvents.SILENT);
        AttachedDisk guest = Stages.await(volume.disks().attach("vm1"));
        Path file = files.resolve(NameText.path("out \uDCFF." + format));
        JobView job = export("vm1@a", file, null, compress, false);
        assertThat(job.state()).as(String.valueOf(job.failure())).isEqualTo(JobState.DONE);
        Path plain = Files.copy(file, path.resolve("plain." + format));
        qemuImg(
                "compare",
                "-f",
                format,
                "-F",
                "qcow2",
                plain.toString(),
                image("golden").toString());
        assertThat(names(files)).hasSize(2);
        // The disk itself is written by then, which the refusal says.
        assertFails(
                () -> export("vm1", files.resolve("x"), null, false, false),
                BlockError.EBUSY,
                "name=vm1; make a snapshot");
        Stages.await(guest.close());
        export("vm1", files.resolve("x"), "raw", false, false);
        assertThat(Files.mismatch(files.resolve("x"), files.resolve("base.raw"))).isEqualTo(-1);
    }

    @Test
    void shouldReplaceAFileOnlyWhenToldSo() throws IOException {
        importDisk(random("base.raw", SIZE).toString(), "vm1", null);
        Path file = Files.writeString(files.resolve("out.raw"), "mine");
        assertFails(() -> export("vm1", file, null, false, false), BlockError.EEXIST, "out.raw");
        assertThat(Files.readString(file)).isEqualTo("mine");
        assertThat(export("vm1", file, null, false, true).state()).isEqualTo(JobState.DONE);
        assertThat(Files.mismatch(file, files.resolve("base.raw"))).isEqualTo(-1);
        assertFails(() -> export("vm1", file, null, true, true), BlockError.EINVAL, "compressed");
        JobView inBrick = export("vm1", image("vm2"), null, false, false);
        assertThat(inBrick.state()).isEqualTo(JobState.FAILED);
        assertThat(volume.disks().list()).hasSize(1);
    }

    /** Ends the work at the first news of it. */
    private static final class Cancelling implements JobControl {
        private volatile boolean ending;

        @Override
        public void progress(long done, long total) {
            ending = true;
        }

        @Override
        public void message(String text) {}

        @Override
        public boolean isEnding() {
            return ending;
        }

        @Override
        public boolean isPaused() {
            return false;
        }

        @Override
        public boolean proceed() {
            return !ending;
        }
    }

    @Test
    void shouldLeaveNothingWhenItIsCancelled() throws IOException {
        Path big = random("big.raw", 8 * SIZE);
        importDisk(big.toString(), "vm1", null);
        List<String> before = names(image("vm1").getParent());
        DiskImport.Request in = new DiskImport.Request("vm2", big.toString(), null);
        assertFails(
                () -> new DiskImport().work(in, managed, new Cancelling()),
                BlockError.ESHUTDOWN,
                "stopped");
        assertThat(names(image("vm1").getParent())).isEqualTo(before);
        Path file = files.resolve("out.qcow2");
        DiskExport.Request out = new DiskExport.Request("vm1", file.toString(), null, false, false);
        assertFails(
                () -> new DiskExport().work(out, managed, new Cancelling()),
                BlockError.ESHUTDOWN,
                "stopped");
        assertThat(names(files)).containsExactly("big.raw");
        // Neither holds anything afterwards.
        volume.disks().remove("vm1");
    }

    @Test
    void shouldRemoveAHalfDiskWhenItsProcessHasEnded() throws IOException {
        volume.disks().images().make("vm1", SIZE);
        Path brick = image("vm1").getParent();
        assertThat(names(brick)).anyMatch(name -> name.endsWith(".qcow2"));
        assertThat(volume.disks().list()).isEmpty();
        volume.disks().create("vm1", SIZE, Map.of());
        close();
        reopen();
        assertThat(names(brick)).containsExactly(".quoin", "vm1.qcow2");
        assertThat(volume.disks().list()).hasSize(1);
    }

    @Test
    void shouldKeepTheDiskThatCameFirstWhenTwoWantAName() {
        var unfinished = volume.disks().images().make("vm1", SIZE);
        volume.disks().create("vm1", 2 * SIZE, Map.of());
        assertFails(unfinished::publish, BlockError.EEXIST, "name=vm1");
        unfinished.discard();
        assertThat(volume.disks().info("vm1").sizeBytes()).isEqualTo(2 * SIZE);
    }

    @ParameterizedTest
    @ValueSource(strings = {"no.qcow2", "relative.qcow2", "cloud.img", "broken.qcow2"})
    void shouldMakeNoDiskWhenTheSourceIsRefused(String name) throws IOException {
        Path cloud = files.resolve("cloud.img");
        qemuImg("create", "-q", "-f", "qcow2", cloud.toString(), "1M");
        Files.writeString(files.resolve("broken.qcow2"), "no image");
        String source = name.startsWith("relative") ? name : files.resolve(name).toString();
        assertThatThrownBy(
                        () -> {
                            JobView job = importDisk(source, "vm1", null);
                            throw new BlockException(
                                    BlockError.EIO, job.state() + " " + job.failure());
                        })
                .isInstanceOf(BlockException.class)
                .hasMessageContaining(name)
                .hasMessageNotContaining("DONE");
        assertThat(volume.disks().list()).isEmpty();
        assertThat(names(image("vm1").getParent())).containsExactly(".quoin");
    }

    @Test
    void shouldCountOneDiskWhileItIsAttachedAndAllThatCanBe() throws IOException {
        importDisk(random("base.raw", SIZE).toString(), "vm1", null);
        volume.disks().snapshots().create(SnapshotName.of("vm1@a"), CheckEvents.SILENT);
        volume.disks().create("raw", SIZE, Map.of("format", "raw"));
        volume.disks().clone("vm1@a", List.of("vm2"), 0);
        Files.writeString(image("bad"), "no image");
        AttachedDisk guest = Stages.await(volume.disks().attach("vm1"));
        DiskDu.Result all = new DiskDu().work(new DiskDu.Request(null), managed, new Running());
        Stages.await(guest.close());
        assertThat(all.disks())
                .extracting(DiskDu.Usage::name)
                .containsExactly("raw", "vm1", "vm1@a", "vm2");
        DiskDu.Usage snapshot = all.disks().get(2);
        // Its L1 table alone: nothing was written since.
        assertThat(snapshot.exclusiveBytes()).isEqualTo(64 << 10);
        assertThat(snapshot.sharedBytes()).isEqualTo(SIZE + (64 << 10));
        assertThat(snapshot.children()).isEqualTo(1);
        assertThat(all.disks().get(1).sharedBytes()).isEqualTo(snapshot.sharedBytes());
        assertThat(all.disks().get(1).children()).isEqualTo(1);
        assertFails(
                () -> new DiskDu().work(new DiskDu.Request(List.of("bad")), managed, new Running()),
                BlockError.EINVAL,
                "bad");
    }

    private static final class Running implements JobControl {
        @Override
        public void progress(long done, long total) {
            assertThat(done).isBetween(0L, total);
        }

        @Override
        public void message(String text) {
            assertThat(text).contains("name=bad");
        }

        @Override
        public boolean isEnding() {
            return false;
        }

        @Override
        public boolean isPaused() {
            return false;
        }

        @Override
        public boolean proceed() {
            return true;
        }
    }

    private static void assertFails(ThrowingCallable call, BlockError error, String words) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        BlockException.class, e -> assertThat(e.error()).isEqualTo(error))
                .hasMessageContaining(words);
    }
}
