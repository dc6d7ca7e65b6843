package io.quoin.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.disk.Disk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
class RepositoryTest {
    private static final int SIZE = 1 << 20;
    private static final int CLUSTER = 64 << 10;
    private static final Retention NO_RETENTION = new Retention(0, 0, 0, 0, 0, 0);

    @TempDir private Path folder;

    private final FakeDisk disk = new FakeDisk("vm1", SIZE);
    private final Map<String, byte[]> expected = new TreeMap<>();
    private Repository repository;

    /** The process is gone: what runs on changes nothing any more. */
    private static final class Killed extends Error {
        private static final long serialVersionUID = 1;
    }

    /** Kills at a step. */
    private static final class Steps implements RepositoryFiles {
        private final int fatal;
        private int count;

        Steps(int fatal) {
            this.fatal = fatal;
        }

        void step() {
            if (++count >= fatal) {
                throw new Killed();
            }
        }

        @Override
        public void makeFolder(Path path) {
            step();
            DURABLE.makeFolder(path);
        }

        @Override
        public void put(Path file, byte[] content) {
            step();
            DURABLE.put(file, content);
        }

        @Override
        public void place(Path whole, Path place) {
            step();
            DURABLE.place(whole, place);
        }

        @Override
        public void remove(Path file) {
            step();
            DURABLE.remove(file);
        }
    }

    @BeforeEach
    void makeRepository() {
        repository = new Repository(folder.resolve("backups"));
        disk.write(CLUSTER, 3 * CLUSTER, 1);
    }

    private Manifest create(Repository into, BackupRequest request) {
        List<FakeDisk> one = List.of(disk);
        DiskOutcome outcome = into.create(one, cut(one), request, BackupEvents.SILENT).get(0);
        if (outcome.failure() != null) {
            throw outcome.failure();
        }
        return outcome.made();
    }

    private Manifest backUp(String name, boolean incremental) {
        Manifest made = create(repository, new BackupRequest(name, incremental, false));
        expected.put(name, disk.content());
        return made;
    }

    private void requireRestorable() {
        requireRestorable(Integer.MAX_VALUE);
    }

    /** The newest of them. */
    private void requireRestorable(int count) {
        List<Backup> all = repository.list();
        for (Backup backup : all.subList(Math.max(0, all.size() - count), all.size())) {
            assertThat(backup.damage()).isNull();
            assertThat(read(backup)).as(backup.name()).isEqualTo(expected.get(backup.name()));
        }
    }

    private byte[] read(Backup backup) {
        try (OpenBackup open = repository.open(backup, BackupEvents.SILENT)) {
            Disk content = open.disk();
            ByteBuffer bytes = ByteBuffer.allocate((int) content.sizeBytes());
            content.read(0, bytes);
            return bytes.array();
        }
    }

    private List<String> names() {
        return repository.list().stream().map(Backup::name).toList();
    }

    private List<String> files() throws IOException {
        try (Stream<Path> all = Files.list(folder.resolve("backups/vm1"))) {
            return all.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void shouldReadEachLinkAsTheDiskWasWhenItIsOpened() throws IOException {
        assertThat(backUp("a", true).whyFull()).contains("no backup of it before");
        disk.write(CLUSTER + 100, 50, 2);
        disk.write(2 * CLUSTER, CLUSTER, 0);
        Manifest second = backUp("b", true);
        assertThat(second.kind()).isEqualTo(Manifest.Kind.incremental);
        assertThat(second.file().sizeBytes()).isLessThan(7L * CLUSTER);
        disk.resize(SIZE + 5000 / 512 * 512);
        disk.write(SIZE - 100, 3000, 3);
        backUp("c", true);
        disk.resize(SIZE / 2 + 512);
        backUp("d", true);
        disk.resize(SIZE);
        backUp("e", true);
        assertThat(repository.list().get(4).manifest().kind()).isEqualTo(Manifest.Kind.incremental);
        assertThat(names()).containsExactly("a", "b", "c", "d", "e");
        requireRestorable();
        assertThat(disk.snapshotNames()).hasSize(1);
        assertThat(files()).hasSize(11).noneMatch(name -> name.endsWith("pending"));
        Verification.Result verified = repository.verify(null, null, BackupEvents.SILENT);
        assertThat(verified.faults()).isEmpty();
        assertThat(verified.backups()).isEqualTo(5);
    }

    @Test
    void shouldStoreCompressedWhenAsked() {
        disk.write(0, SIZE, 7);
        Manifest plain = backUp("a", false);
        Manifest compressed = create(repository, new BackupRequest("b", false, true));
        expected.put("b", disk.content());
        assertThat(compressed.file().sizeBytes()).isLessThan(plain.file().sizeBytes() / 2);
        requireRestorable();
    }

    @Test
    void shouldCopyAllAndSayWhyWhenTheSnapshotIsAnotherOne() {
        Manifest first = backUp("a", false);
        String base = first.snapshot().name();
        disk.drop(base);
        disk.write(0, CLUSTER, 5);
        disk.make(base);
        disk.write(0, CLUSTER, 6);
        Manifest second = backUp("b", true);
        assertThat(second.kind()).isEqualTo(Manifest.Kind.full);
        assertThat(second.whyFull())
                .contains("is not on it", base, "uuid=" + first.snapshot().uuid());
        assertThat(second.chain()).isNotEqualTo(first.chain());
        disk.backing("golden.qcow2 (qcow2)");
        assertThat(backUp("c", true).whyFull())
                .contains("stands on has changed: before=null, now=golden.qcow2");
        assertThat(backUp("d", true).whyFull()).isNull();
        requireRestorable();
    }

    @Test
    void shouldCopyAllWhenTheChainIsBroken() throws IOException {
        backUp("a", false);
        backUp("b", true);
        Files.delete(folder.resolve("backups/vm1/a.qcow2"));
        Manifest third = backUp("c", true);
        assertThat(third.kind()).isEqualTo(Manifest.Kind.full);
        assertThat(third.whyFull()).contains("damaged", "name=a");
        assertThat(read(repository.find("vm1", "c"))).isEqualTo(expected.get("c"));
    }

    @Test
    void shouldFindEachFlippedByteWhenVerifying() throws IOException {
        backUp("a", false);
        disk.write(0, CLUSTER, 5);
        backUp("b", true);
        for (String file : List.of("a.qcow2", "a.json", "b.qcow2", "b.json")) {
            Path path = folder.resolve("backups/vm1").resolve(file);
            byte[] whole = Files.readAllBytes(path);
            boolean isManifest = file.endsWith("json");
            int step = isManifest ? 1 : whole.length / 13;
            for (int at = 0; at < whole.length; at += step) {
                byte[] flipped = whole.clone();
                flipped[at] ^= 1;
                Files.write(path, flipped);
                if (isManifest) {
                    assertThat(repository.find("vm1", file.substring(0, 1)).damage())
                            .as("byte %d", at)
                            .contains(file);
                }
                if (!isManifest || at % 100 == 0) {
                    assertThat(repository.verify(null, null, BackupEvents.SILENT).faults())
                            .as("byte %d of %s", at, file)
                            .anyMatch(fault -> fault.contains(file));
                    Backup top = repository.find("vm1", "b");
                    assertThatThrownBy(() -> repository.open(top, BackupEvents.SILENT))
                            .isInstanceOf(BlockException.class)
                            .hasMessageContaining(file);
                }
            }
            Files.write(path, whole);
        }
        assertThat(repository.verify(null, "b", BackupEvents.SILENT).faults()).isEmpty();
        requireRestorable();
    }

    @Test
    void shouldListWholeBackupsAloneWhenKilledAtAnyStep() throws IOException {
        backUp("first", true);
        boolean ended = false;
        int fatal = 0;
        while (!ended) {
            fatal++;
            disk.write(fatal % 7 * CLUSTER, CLUSTER, fatal);
            Steps steps = new Steps(fatal);
            disk.step(steps::step);
            String name = "killed-" + fatal;
            byte[] content = disk.content();
            try {
                create(
                        new Repository(folder.resolve("backups"), steps),
                        new BackupRequest(name, true, false));
                ended = true;
            } catch (Killed killed) {
                assertThat(steps.count).isGreaterThanOrEqualTo(fatal);
            }
            disk.step(() -> {});
            if (names().contains(name)) {
                expected.put(name, content);
            }
            requireRestorable(1);
            // The next finds what was left, and goes on from it or begins anew.
            disk.write(8 * CLUSTER, CLUSTER, fatal);
            backUp("next-" + fatal, true);
            requireRestorable(1);
            assertThat(disk.snapshotNames()).as("after a kill at step %d", fatal).hasSize(1);
            assertThat(files())
                    .noneMatch(
                            file ->
                                    file.endsWith(".pending")
                                            || file.endsWith(".partial")
                                            || file.startsWith(".quoin-new"));
            assertThat(files()).hasSize(2 * names().size() + 1);
        }
        requireRestorable();
        assertThat(fatal).isGreaterThan(8);
        assertThat(repository.list())
                .filteredOn(backup -> backup.manifest().kind() == Manifest.Kind.full)
                .as("a kill breaks no chain but by the backup that it ends")
                .hasSize(1);
    }

    @Test
    void shouldLeaveNothingWhenItFails() throws IOException {
        backUp("a", true);
        List<String> before = files();
        List<String> snapshots = disk.snapshotNames();
        disk.write(0, CLUSTER, 9);
        for (int at = 1; at < 3; at++) {
            int fatal = at;
            int[] count = new int[1];
            disk.step(
                    () -> {
                        if (++count[0] == fatal) {
                            throw new BlockException(BlockError.ENOSPC, "no space left");
                        }
                    });
            assertThatThrownBy(() -> backUp("b", true))
                    .isInstanceOf(BlockException.class)
                    .hasMessageContaining("no space left");
            assertThat(files()).isEqualTo(before);
            assertThat(disk.snapshotNames()).isEqualTo(snapshots);
        }
        disk.step(() -> {});
        assertThat(backUp("b", true).kind()).isEqualTo(Manifest.Kind.incremental);
        requireRestorable();
    }

    @Test
    void shouldRefuseWhenTheNameIsTakenOrIllegal() {
        backUp("a", false);
        assertThatThrownBy(() -> backUp("a", false))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("name=a");
        assertThatThrownBy(() -> new BackupRequest("../a", false, false))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("name=../a");
        assertThatThrownBy(() -> repository.find("vm1", "b"))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("no such backup: name=b");
    }

    private List<String> prune(Retention retention, boolean isDry) {
        List<String> kept = new ArrayList<>();
        repository
                .prune(null, Pruning.Rule.of(retention), name -> disk, isDry, BackupEvents.SILENT)
                .forEach(
                        decision ->
                                kept.add(
                                        decision.name()
                                                + (decision.kept() ? "+" : "-")
                                                + decision.reason()));
        return kept;
    }

    @Test
    void shouldKeepWhatKeptBackupsStandOnWhenPruned() throws IOException {
        backUp("a", false);
        backUp("b", true);
        backUp("c", false);
        backUp("d", true);
        backUp("e", true);
        List<String> before = files();
        assertThat(prune(NO_RETENTION, false)).allMatch(line -> line.contains("+no retention"));
        List<String> keepOne =
                List.of(
                        "a-no rule keeps it",
                        "b-no rule keeps it",
                        "c+stood on by d",
                        "d+stood on by e",
                        "e+last");
        assertThat(prune(new Retention(1, 0, 0, 0, 0, 0), true)).isEqualTo(keepOne);
        assertThat(files()).isEqualTo(before);
        repository.protect(repository.find(null, "a"), true);
        assertThat(prune(new Retention(1, 0, 0, 0, 0, 0), true))
                .contains("a+protected", "b-no rule keeps it");
        repository.protect(repository.find(null, "a"), false);
        assertThat(prune(new Retention(1, 0, 0, 0, 0, 0), false)).isEqualTo(keepOne);
        assertThat(names()).containsExactly("c", "d", "e");
        requireRestorable();
        disk.write(0, 100, 4);
        assertThat(backUp("f", true).kind()).isEqualTo(Manifest.Kind.incremental);
        requireRestorable();
    }

    @Test
    void shouldGoOnWhenPruningIsKilledAtAnyStep() throws IOException {
        boolean ended = false;
        for (int fatal = 1; !ended; fatal++) {
            backUp("a" + fatal, false);
            backUp("b" + fatal, true);
            backUp("c" + fatal, false);
            Steps steps = new Steps(fatal);
            disk.step(steps::step);
            try {
                new Repository(folder.resolve("backups"), steps)
                        .prune(
                                "vm1",
                                Pruning.Rule.of(new Retention(1, 0, 0, 0, 0, 0)),
                                name -> disk,
                                false,
                                BackupEvents.SILENT);
                ended = true;
            } catch (Killed killed) {
                assertThat(steps.count).isGreaterThanOrEqualTo(fatal);
            }
            disk.step(() -> {});
            requireRestorable();
            prune(new Retention(1, 0, 0, 0, 0, 0), false);
            assertThat(names()).containsExactly("c" + fatal);
            assertThat(files())
                    .containsExactly(".lock", "c" + fatal + ".json", "c" + fatal + ".qcow2");
            assertThat(disk.snapshotNames()).hasSize(1);
        }
    }

    @Test
    void shouldKeepDamagedBackupsOutOfTheCountWhenPruned() throws IOException {
        backUp("a", false);
        backUp("b", false);
        Files.writeString(
                folder.resolve("backups/vm1/b.json"), "x", StandardOpenOption.TRUNCATE_EXISTING);
        assertThat(prune(new Retention(1, 0, 0, 0, 0, 0), false))
                .containsExactly("b+damaged", "a+last");
    }

    @Test
    void shouldRefuseChangesWhileAnotherHasTheFolder() {
        backUp("a", false);
        Backup backup = repository.find(null, "a");
        disk.step(
                () ->
                        assertThatThrownBy(() -> repository.protect(backup, true))
                                .isInstanceOf(BlockException.class)
                                .hasMessageContaining("are being changed: disk=vm1"));
        backUp("b", true);
    }

    /** Makes snapshots of fake disks, one after the other: nothing writes to them meanwhile. */
    private static SnapshotCut cut(List<FakeDisk> disks) {
        return (wanted, events) -> {
            for (SnapshotCut.Wanted each : wanted) {
                disks.stream()
                        .filter(one -> one.name().equals(each.disk()))
                        .forEach(one -> one.createSnapshot(each.name(), each.uuid()));
            }
        };
    }

    private List<DiskOutcome> backUpAll(String name, List<FakeDisk> disks) {
        List<DiskOutcome> outcomes =
                repository.create(
                        disks,
                        cut(disks),
                        new BackupRequest(name, true, false),
                        BackupEvents.SILENT);
        disks.forEach(each -> expected.put(each.name() + '/' + name, each.content()));
        return outcomes;
    }

    @Test
    void shouldSayWhichBelongTogetherWhenDisksAreBackedUpAtOneMoment() {
        FakeDisk second = new FakeDisk("vm2", SIZE / 2);
        second.write(0, CLUSTER, 9);
        backUpAll("a", List.of(disk, second));
        FakeDisk added = new FakeDisk("vm3", SIZE);
        added.write(CLUSTER, CLUSTER, 3);
        disk.write(0, CLUSTER, 4);
        List<DiskOutcome> outcomes = backUpAll("b", List.of(disk, second, added));
        assertThat(outcomes)
                .extracting(each -> each.made().kind().name())
                .containsExactly("incremental", "incremental", "full");
        assertThat(outcomes).extracting(each -> each.made().group()).doesNotContainNull();
        assertThat(outcomes.get(0).made().group())
                .isEqualTo(outcomes.get(2).made().group())
                .extracting(Manifest.Group::disks)
                .isEqualTo(List.of("vm1", "vm2", "vm3"));
        assertThat(repository.list()).hasSize(5);
        for (Backup backup : repository.list()) {
            assertThat(read(backup))
                    .as("%s of %s", backup.name(), backup.disk())
                    .isEqualTo(expected.get(backup.disk() + '/' + backup.name()));
        }
        assertThat(repository.verify(null, null, BackupEvents.SILENT).faults()).isEmpty();
    }

    @Test
    void shouldAccountForEachSnapshotWhenAGroupIsKilledAtAnyStep() {
        FakeDisk second = new FakeDisk("vm2", SIZE);
        List<FakeDisk> both = List.of(disk, second);
        backUpAll("a", both);
        boolean ended = false;
        for (int fatal = 1; !ended; fatal++) {
            disk.write(0, CLUSTER, fatal);
            second.write(CLUSTER, CLUSTER, fatal);
            Steps steps = new Steps(fatal);
            both.forEach(each -> each.step(steps::step));
            String name = "k" + fatal;
            int before = repository.list().size();
            try {
                new Repository(folder.resolve("backups"), steps)
                        .create(
                                both,
                                cut(both),
                                new BackupRequest(name, true, false),
                                BackupEvents.SILENT);
                ended = true;
            } catch (Killed killed) {
                assertThat(steps.count).isGreaterThanOrEqualTo(fatal);
            }
            both.forEach(each -> each.step(() -> {}));
            both.forEach(each -> expected.put(each.name() + '/' + name, each.content()));
            assertThat(repository.list().size()).isBetween(before, before + 2);
            for (Backup backup : repository.list().stream().filter(b -> isNew(b, name)).toList()) {
                assertThat(read(backup)).isEqualTo(expected.get(backup.disk() + '/' + name));
            }
            assertThat(backUpAll("n" + fatal, both)).allMatch(each -> each.failure() == null);
            for (FakeDisk each : both) {
                assertThat(each.snapshotNames()).as("%s, step %d", each.name(), fatal).hasSize(1);
            }
        }
        assertThat(repository.verify(null, null, BackupEvents.SILENT).faults()).isEmpty();
    }

    private static boolean isNew(Backup backup, String name) {
        return backup.name().equals(name);
    }

    @Test
    void shouldBackUpTheOthersWhenOneCannotBeRead() {
        FakeDisk second = new FakeDisk("vm2", SIZE);
        List<FakeDisk> both = List.of(disk, second);
        SnapshotCut spoiling =
                (wanted, events) -> {
                    cut(both).create(wanted, events);
                    disk.drop(wanted.get(0).name());
                };
        List<DiskOutcome> outcomes =
                repository.create(
                        both, spoiling, new BackupRequest("a", false, false), BackupEvents.SILENT);
        assertThat(outcomes.get(0).failure()).hasMessageContaining("no such snapshot");
        assertThat(outcomes.get(1).made()).isNotNull();
        assertThat(repository.list()).extracting(Backup::disk).containsExactly("vm2");
    }

    @Test
    void shouldLeaveNothingWhenThereIsNoSuchMoment() {
        FakeDisk second = new FakeDisk("vm2", SIZE);
        SnapshotCut failing =
                (wanted, events) -> {
                    throw new BlockException(BlockError.EBUSY, "no moment");
                };
        assertThatThrownBy(
                        () ->
                                repository.create(
                                        List.of(disk, second),
                                        failing,
                                        new BackupRequest("a", false, false),
                                        BackupEvents.SILENT))
                .hasMessageContaining("no moment");
        assertThat(repository.list()).isEmpty();
        assertThat(folder.resolve("backups/vm1/a.pending")).doesNotExist();
        assertThat(folder.resolve("backups/vm2/a.pending")).doesNotExist();
    }

    @Test
    void shouldPruneOnlyWhatTheScheduleHasMade() {
        for (String name : List.of("a", "b", "c", "d")) {
            String schedule = name.equals("b") ? null : "night";
            create(repository, new BackupRequest(name, false, false, 5, schedule));
        }
        List<String> kept = new ArrayList<>();
        repository
                .prune(
                        null,
                        new Pruning.Rule(new Retention(1, 0, 0, 0, 0, 0), "night"),
                        name -> disk,
                        false,
                        BackupEvents.SILENT)
                .forEach(each -> kept.add(each.name() + (each.kept() ? "+" : "-")));
        assertThat(kept).containsExactly("a-", "b+", "c-", "d+");
        assertThat(names()).containsExactly("b", "d");
    }

    @Test
    void shouldBeginAChainWhenItHasAsManyLinksAsWanted() {
        List<Manifest.Kind> kinds = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            kinds.add(create(repository, new BackupRequest("b" + i, true, false, 2, null)).kind());
        }
        assertThat(kinds)
                .containsExactly(
                        Manifest.Kind.full,
                        Manifest.Kind.incremental,
                        Manifest.Kind.full,
                        Manifest.Kind.incremental,
                        Manifest.Kind.full);
    }
}
