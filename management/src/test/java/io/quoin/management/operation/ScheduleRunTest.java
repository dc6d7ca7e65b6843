package io.quoin.management.operation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.quoin.block.BlockException;
import io.quoin.management.job.JobView;
import io.quoin.management.schedule.ScheduleView;
import io.quoin.management.volume.CheckEvents;
import io.quoin.management.volume.DataFolder;
import io.quoin.management.volume.DiskVolume;
import io.quoin.management.volume.LocalVolume;
import io.quoin.management.volume.SnapshotView;
import io.quoin.snapshot.SnapshotName;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the runs of schedules make and remove, in a real volume. */
@Timeout(300)
class ScheduleRunTest {
    private static final long SIZE = 1 << 20;

    @TempDir private Path folder;

    private LocalVolume volume;
    private ManagedVolume managed;
    private DiskVolume disks;
    private String backups;

    @BeforeEach
    void open() {
        DataFolder data = new DataFolder(folder.resolve("data"));
        volume = LocalVolume.open(data, null, 2);
        disks = volume.disks();
        managed = ManagedVolume.unserved(data, disks);
        backups = folder.resolve("backups").toString();
        if (disks.list().isEmpty()) {
            disks.create("vm1", SIZE, Map.of());
            disks.create("vm2", SIZE, Map.of());
        }
    }

    @AfterEach
    void close() {
        managed.close();
        volume.close();
    }

    private void create(String repository, Long keepLast, Long fullEvery, String... names) {
        managed.call(
                ScheduleCreate.TYPE,
                new ScheduleCreate.Request(
                        "s",
                        "0 3 * * *",
                        null,
                        List.of(names),
                        null,
                        repository,
                        repository == null ? null : true,
                        null,
                        fullEvery,
                        keepLast,
                        null,
                        null,
                        null,
                        null,
                        null,
                        null));
    }

    /** Names have the second in them: a run of the same second fails, and another is begun. */
    private Map<String, Object> run() {
        String before = lastMade();
        while (true) {
            JobView job = managed.call(ScheduleRun.TYPE, new ScheduleRun.Request("s"));
            JobView ended = JobFollower.follow(managed, job.id(), progress -> {}, message -> {});
            if (ended.failure() == null) {
                return Objects.requireNonNull(ended.result());
            }
            if (!Objects.equals(before, lastMade())) {
                throw ended.failure().toException();
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
        }
    }

    private String lastMade() {
        ScheduleView view = managed.call(ScheduleShow.TYPE, new ScheduleShow.Request("s"));
        return view.runs().isEmpty() ? null : view.runs().get(0).makes();
    }

    private List<String> snapshots(String disk) {
        return disks.snapshots().of(disk).stream().map(SnapshotView::name).toList();
    }

    @Test
    void shouldRemoveOnlyItsOwnSnapshotsWhenMoreThanAreKept() {
        create(null, 2L, null, "vm1", "vm2");
        disks.snapshots().create(new SnapshotName("vm1", "s-mine"), CheckEvents.SILENT);
        run();
        String first = lastMade();
        disks.snapshots().rename(new SnapshotName("vm2", first), "renamed");
        run();
        String second = lastMade();
        run();
        String third = lastMade();
        assertThat(snapshots("vm1")).containsExactly("s-mine", second, third);
        assertThat(snapshots("vm2")).containsExactly("renamed", second, third);
        assertThat(disks.groups().list()).hasSize(3);
        close();
        open();
        assertThat(run().get("removed").toString()).contains("vm1@" + second, "vm2@" + second);
        assertThat(snapshots("vm1")).hasSize(3);
        assertThat(managed.call(ScheduleShow.TYPE, new ScheduleShow.Request("s")).runs())
                .filteredOn(each -> each.state().text().equals("done"))
                .hasSize(4);
    }

    @Test
    void shouldRemoveOnlyItsOwnBackupsWhenMoreThanAreKept() {
        create(backups, 1L, 2L, "vm1");
        JobView own =
                managed.call(
                        BackupCreate.TYPE,
                        new BackupCreate.Request(
                                List.of("vm1"), backups, "mine", null, null, null));
        JobFollower.follow(managed, own.id(), progress -> {}, message -> {});
        run();
        run();
        String second = lastMade();
        run();
        String third = lastMade();
        assertThat(managed.call(BackupLs.TYPE, new BackupLs.Request(backups)).backups())
                .extracting(BackupView::name, BackupView::kind)
                .containsExactly(
                        tuple("mine", "full"), tuple(second, "full"), tuple(third, "incremental"));
    }

    @Test
    void shouldRefuseWhatItCannotDo() {
        assertThatThrownBy(() -> create(null, null, null, "vm3"))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("vm3");
        assertThatThrownBy(() -> create("here", null, null, "vm1"))
                .hasMessageContaining("expected=an absolute path");
        assertThatThrownBy(() -> create(backups, null, 0L, "vm1"))
                .hasMessageContaining("fullEvery=0, expected=1 to 128");
        assertThatThrownBy(() -> create(null, -1L, null, "vm1")).hasMessageContaining("retention");
        create(null, null, null, "vm1");
        assertThat(run().get("removed").toString()).isEqualTo("[]");
        managed.call(ScheduleRm.TYPE, new ScheduleRm.Request("s"));
        assertThat(snapshots("vm1")).hasSize(1);
        assertThat(managed.call(ScheduleLs.TYPE, new ScheduleLs.Request()).schedules()).isEmpty();
    }
}
