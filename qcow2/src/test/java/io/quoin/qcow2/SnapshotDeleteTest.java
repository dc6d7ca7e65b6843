package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.served.CheckControl;
import io.quoin.qcow2.served.OpenCheck;
import io.quoin.qcow2.snapshot.SnapshotControl;
import io.quoin.qcow2.snapshot.SnapshotInfo;
import io.quoin.qcow2.snapshot.SnapshotProgress;
import io.quoin.testkit.ModelDisk;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Snapshots that QEMU made are deleted and renamed while the image is in use. */
@Timeout(240)
class SnapshotDeleteTest {
    private static final String NAME = "disk.qcow2";
    private static final int SIZE = 4 << 20;
    private static final SnapshotProgress GO_ON = (done, total) -> true;

    @TempDir Path folder;
    private ImageFixture images;

    @BeforeEach
    void start() {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        images = new ImageFixture(folder);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "cluster_size=512",
                "cluster_size=4k",
                "cluster_size=64k",
                "cluster_size=2M",
                "cluster_size=16k,extended_l2=on",
                "cluster_size=4k,compat=0.10",
                "cluster_size=4k,lazy_refcounts=on",
                "cluster_size=4k,refcount_bits=4"
            })
    void shouldGiveAllBackWhenGuestsWriteMeanwhile(String options) throws IOException {
        make(options);
        byte[] two = snapshotContent("two");
        ModelDisk model = new ModelDisk(images.qemuContent(NAME));
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        RandomOperations operations =
                new RandomOperations(
                        RandomOperations.seed(), file.geometry(), file.capabilities(), 60_000);
        model.performAll(images.driver(file), operations.next(20), 4);
        CompletionStage<Void> deleting = delete(file, "one");
        model.performAll(images.driver(file), operations.next(40), 4);
        images.loops.await(deleting);
        assertThat(control(file).list()).extracting(SnapshotInfo::name).containsExactly("two");
        model.performAll(images.driver(file), operations.next(20), 4);
        images.close(file);
        assertThat(isMarked()).isFalse();
        images.checkClean(NAME);
        assertThat(images.qemuContent(NAME)).isEqualTo(model.content(0, SIZE));
        assertThat(snapshotContent("two")).isEqualTo(two);
        file = images.open(NAME, OpenMode.READ_WRITE);
        images.loops.await(delete(file, "2"));
        images.close(file);
        images.checkClean(NAME);
        assertThat(images.qemuContent(NAME)).isEqualTo(model.content(0, SIZE));
        assertThat(list()).isEmpty();
    }

    /**
     * The check may take its turn before the table is replaced, and look after that; or while a new
     * table is counted to which no header leads yet.
     */
    @ParameterizedTest
    @CsvSource({"true, false", "true, true", "false, false", "false, true"})
    void shouldFindNoLeaksWhenSnapshotTableIsReplacedMeanwhile(
            boolean isCheckFirst, boolean isRename) throws IOException {
        make("cluster_size=4k");
        byte[] image = Files.readAllBytes(folder.resolve(NAME));
        for (int tasks = 0; tasks < 120; tasks++) {
            images.brick.put(NAME, image);
            images = images.reordering(tasks);
            XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
            List<String> findings = new ArrayList<>();
            Supplier<CompletionStage<?>> check = () -> check(file, findings);
            Supplier<CompletionStage<?>> change =
                    () -> isRename ? rename(file, "one", "uno") : delete(file, "one");
            CompletionStage<?> first = (isCheckFirst ? check : change).get();
            int[] left = {tasks};
            images.loops.runUntil(() -> left[0]-- <= 0);
            CompletionStage<?> second = (isCheckFirst ? change : check).get();
            images.loops.await(first);
            images.loops.await(second);
            assertThat(findings).as("tasks=%d", tasks).isEmpty();
            images.close(file);
        }
    }

    /** A check that waits for the table to be replaced does not keep the image from closing. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldCloseWhenACheckWaitsForTheSnapshotTable(boolean isRename) throws IOException {
        make("cluster_size=4k");
        byte[] image = Files.readAllBytes(folder.resolve(NAME));
        for (int tasks = 0; tasks < 60; tasks++) {
            images.brick.put(NAME, image);
            images = images.reordering(tasks);
            XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
            CompletionStage<?> change = isRename ? rename(file, "one", "uno") : delete(file, "one");
            CompletionStage<?> check = check(file, new ArrayList<>());
            int[] left = {tasks};
            images.loops.runUntil(() -> left[0]-- <= 0);
            images.close(file);
            images.loops.runUntilIdle();
            assertThat(change.toCompletableFuture()).as("tasks=%d", tasks).isDone();
            assertThat(check.toCompletableFuture()).as("tasks=%d", tasks).isDone();
        }
        images.checkClean(NAME);
    }

    @Test
    void shouldGiveAllBackWhenOneOfTwoCallersEndsIt() throws IOException {
        make("cluster_size=512");
        images = images.reordering(1);
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        CompletionStage<Void> ended =
                images.loops
                        .loop(0)
                        .call(() -> control(file).delete("one", (done, total) -> list(file) > 0));
        CompletionStage<Void> whole = delete(file, "two");
        images.loops.await(ended);
        assertThat(control(file).list()).isEmpty();
        images.loops.await(whole);
        List<String> findings = new ArrayList<>();
        images.loops.await(check(file, findings));
        assertThat(findings).isEmpty();
        images.close(file);
        assertThat(isMarked()).isFalse();
        images.checkClean(NAME);
    }

    private int list(XlatorFile file) {
        return control(file).list().size();
    }

    /** The walk sets COPIED in L1 entries while the longer table is being written. */
    @Test
    void shouldGrowWhileSpaceIsGivenBack() throws IOException {
        make("cluster_size=512");
        byte[] image = Files.readAllBytes(folder.resolve(NAME));
        byte[] content = Arrays.copyOf(images.qemuContent(NAME), 2 * SIZE);
        for (int tasks = 0; tasks < 8; tasks++) {
            images.brick.put(NAME, image);
            images = images.reordering(tasks);
            XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
            CompletionStage<Void> deleting = delete(file, "two");
            int[] left = {400 * tasks};
            images.loops.runUntil(() -> left[0]-- <= 0);
            images.loops.await(images.loops.loop(0).call(() -> file.resize(2L * SIZE)));
            images.loops.await(deleting);
            images.close(file);
            if (tasks % 4 == 0) {
                images.checkClean(NAME);
                assertThat(images.qemuContent(NAME)).isEqualTo(content);
            }
        }
    }

    /** The walk after an open is the session's first change, which marks bitmaps as in use. */
    @Test
    void shouldLeaveBitmapsRightWhenItIsClosedAsTheWalkBegins() throws IOException {
        make("cluster_size=4k");
        qemu("bitmap", "--add", NAME, "b0");
        load();
        XlatorFile stopped = images.open(NAME, OpenMode.READ_WRITE);
        images.loops.await(
                images.loops
                        .loop(0)
                        .call(() -> control(stopped).delete("one", (done, total) -> false)));
        images.close(stopped);
        byte[] image = images.brick.content(NAME);
        for (int tasks = 0; tasks < 100; tasks++) {
            images.brick.put(NAME, image);
            images = images.reordering(tasks);
            XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
            int[] left = {tasks / 2};
            images.loops.runUntil(() -> left[0]-- <= 0);
            images.close(file);
            assertThat(BitmapsOnDisk.read(images.brick.content(NAME)).get("b0").inUse())
                    .as("tasks=%d", tasks)
                    .isFalse();
        }
    }

    private CompletionStage<OpenCheck> check(XlatorFile file, List<String> findings) {
        return images.loops
                .loop(0)
                .call(() -> CheckControl.of(file).orElseThrow().check(false, to(findings)));
    }

    private static CheckListener to(List<String> findings) {
        return new CheckListener() {
            @Override
            public void finding(String text) {
                findings.add(text);
            }
        };
    }

    @Test
    void shouldGiveBackWhatCompressedStreamsShareWhenTheirSnapshotIsDeleted() throws IOException {
        make("cluster_size=4k");
        Path packed = folder.resolve("packed.qcow2");
        qemu("convert", "-c", "-O", "qcow2", "-o", "cluster_size=4k", NAME, packed + "");
        Files.move(packed, folder.resolve(NAME), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        qemu("snapshot", "-c", "one", NAME);
        Peer.QEMU_IO.command("-c", "write -P 8 64k 100k", folder.resolve(NAME) + "").runOk();
        load();
        byte[] content = images.qemuContent(NAME);
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        images.loops.await(delete(file, "one"));
        images.close(file);
        images.checkClean(NAME);
        assertThat(images.qemuContent(NAME)).isEqualTo(content);
    }

    /** With lazy refcounts nothing but the delete marks the image; killed, it is rebuilt. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "cluster_size=4k | false",
                "cluster_size=4k | true",
                "cluster_size=4k,lazy_refcounts=on | false"
            })
    void shouldGoOnAfterTheNextOpenWhenItIsClosedOrKilledInTheMiddle(String options, boolean kill)
            throws IOException {
        make(options);
        byte[] content = images.qemuContent(NAME);
        byte[] two = snapshotContent("two");
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        byte[][] killed = new byte[1][];
        CompletionStage<Void> deleting =
                images.loops
                        .loop(0)
                        .call(
                                () ->
                                        control(file)
                                                .delete(
                                                        "one",
                                                        (done, total) -> {
                                                            killed[0] = images.brick.content(NAME);
                                                            return false;
                                                        }));
        images.loops.await(deleting);
        assertThat(killed[0]).isNotNull();
        images.close(file);
        if (kill) {
            images.brick.put(NAME, killed[0]);
        }
        assertThat(isMarked()).as("the space is not given back yet").isTrue();
        assertThat(list()).hasSize(1);
        XlatorFile again = images.open(NAME, OpenMode.READ_WRITE);
        images.loops.runUntilIdle();
        images.close(again);
        assertThat(isMarked()).isFalse();
        images.checkClean(NAME);
        assertThat(images.qemuContent(NAME)).isEqualTo(content);
        assertThat(snapshotContent("two")).isEqualTo(two);
    }

    /** Of an image with an autoclear bit that it does not know QEMU 7.2 takes them all away. */
    @ParameterizedTest
    @ValueSource(strings = {"leaks", "all"})
    void shouldKeepTheOtherSnapshotsWhenQemuRepairsAMarkedImage(String mode) throws IOException {
        make("cluster_size=4k");
        byte[] two = snapshotContent("two");
        byte[] content = images.qemuContent(NAME);
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        images.loops.await(
                images.loops
                        .loop(0)
                        .call(() -> control(file).delete("one", (done, total) -> false)));
        images.close(file);
        assertThat(isMarked()).isTrue();
        images.export(NAME);
        qemu("check", "-q", "-r", mode, NAME);
        load();
        assertThat(list()).hasSize(1);
        assertThat(snapshotContent("two")).isEqualTo(two);
        XlatorFile again = images.open(NAME, OpenMode.READ_WRITE);
        images.loops.runUntilIdle();
        images.close(again);
        assertThat(isMarked()).isFalse();
        images.checkClean(NAME);
        assertThat(images.qemuContent(NAME)).isEqualTo(content);
        assertThat(snapshotContent("two")).isEqualTo(two);
    }

    /** Here no snapshot is left. */
    @ParameterizedTest
    @ValueSource(strings = {"cluster_size=4k", "cluster_size=4k,compat=0.10"})
    void shouldServeWhatQemuHasRepairedAndWrittenWhenADeleteWasStopped(String options)
            throws IOException {
        make(options);
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        images.loops.await(delete(file, "two"));
        XlatorFile stopped = file;
        images.loops.await(
                images.loops
                        .loop(0)
                        .call(() -> control(stopped).delete("one", (done, total) -> false)));
        images.close(file);
        byte[] content = images.qemuContent(NAME);
        qemu("check", "-q", "-r", "all", NAME);
        Peer.QEMU_IO.command("-c", "write -P 9 100k 1M", folder.resolve(NAME) + "").runOk();
        load();
        Arrays.fill(content, 100 << 10, (100 << 10) + (1 << 20), (byte) 9);
        ModelDisk model = new ModelDisk(content);
        file = images.open(NAME, OpenMode.READ_WRITE);
        RandomOperations operations =
                new RandomOperations(
                        RandomOperations.seed(), file.geometry(), file.capabilities(), 60_000);
        model.performAll(images.driver(file), operations.next(30), 4);
        images.loops.runUntilIdle();
        XlatorFile again = file;
        images.loops.await(images.loops.loop(0).call(() -> control(again).create("three", GO_ON)));
        byte[] three = model.content(0, SIZE);
        model.performAll(images.driver(file), operations.next(30), 4);
        images.close(file);
        images.checkClean(NAME);
        assertThat(images.qemuContent(NAME)).isEqualTo(model.content(0, SIZE));
        assertThat(snapshotContent("three")).isEqualTo(three);
    }

    @Test
    void shouldRefuseToDeleteOrRenameWhenTheSnapshotIsOpen() throws IOException {
        make("cluster_size=4k");
        byte[] two = snapshotContent("two");
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        XlatorFile reader = images.open(NAME + "@two", OpenMode.READ_ONLY);
        for (String name : new String[] {"two", "2"}) {
            assertThatThrownBy(() -> images.loops.await(delete(file, name)))
                    .hasStackTraceContaining("used by=a reader");
        }
        assertThatThrownBy(() -> images.loops.await(rename(file, "two", "three")))
                .hasStackTraceContaining("used by=a reader");
        images.driver(file).write(0, new byte[200 << 10]);
        assertThat(images.driver(reader).read(0, SIZE)).isEqualTo(two);
        images.loops.await(delete(file, "one"));
        images.driver(file).write(1 << 20, new byte[200 << 10]);
        assertThat(images.driver(reader).read(0, SIZE)).isEqualTo(two);
        images.close(reader);
        assertThat(images.loops.await(rename(file, "two", "three")).name()).isEqualTo("three");
        images.close(file);
        images.checkClean(NAME);
        assertThat(snapshotContent("three")).isEqualTo(two);
    }

    @Test
    void shouldRefuseToDeleteWhatAnImageStandsOn() throws IOException {
        make("cluster_size=4k");
        Peer.QEMU_IMG
                .command(
                        "create",
                        "-u",
                        "-f",
                        "qcow2",
                        "-b",
                        NAME + "@one",
                        "-F",
                        "qcow2",
                        folder.resolve("child.qcow2") + "",
                        SIZE + "")
                .runOk();
        images.brick.put("child.qcow2", Files.readAllBytes(folder.resolve("child.qcow2")));
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        assertThatThrownBy(() -> images.loops.await(delete(file, "one")))
                .hasStackTraceContaining("child.qcow2");
        images.loops.await(delete(file, "two"));
        images.close(file);
        images.checkClean(NAME);
    }

    @Test
    void shouldSayWhyANameCannotBeGivenOrFound() throws IOException {
        make("cluster_size=4k");
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        assertThatThrownBy(() -> images.loops.await(rename(file, "one", "two")))
                .hasStackTraceContaining("expected=one that no snapshot has");
        assertThatThrownBy(() -> images.loops.await(rename(file, "one", "7")))
                .hasStackTraceContaining("snapshot: name=7");
        assertThatThrownBy(() -> images.loops.await(delete(file, "none")))
                .hasStackTraceContaining("snapshot: name=none");
        images.close(file);
        images.checkClean(NAME);
    }

    private SnapshotControl control(XlatorFile file) {
        return SnapshotControl.of(file).orElseThrow();
    }

    private CompletionStage<Void> delete(XlatorFile file, String name) {
        return images.loops.loop(0).call(() -> control(file).delete(name, GO_ON));
    }

    private CompletionStage<SnapshotInfo> rename(XlatorFile file, String name, String newName) {
        return images.loops.loop(0).call(() -> control(file).rename(name, newName));
    }

    private boolean isMarked() {
        return images.isMarked(NAME);
    }

    private List<String> list() throws IOException {
        return Peer.QEMU_IMG
                .command("snapshot", "-l", images.export(NAME) + "")
                .runOk()
                .stdout()
                .lines()
                .filter(line -> line.matches("\\d.*"))
                .toList();
    }

    private byte[] snapshotContent(String name) throws IOException {
        Path raw = folder.resolve(name + ".raw");
        images.export(NAME);
        qemu("convert", "-l", name, "-O", "raw", NAME, raw + "");
        return Files.readAllBytes(raw);
    }

    private void qemu(String... command) throws IOException {
        Peer.QEMU_IMG.command(command).directory(folder).runOk();
    }

    private void load() throws IOException {
        images.brick.put(NAME, Files.readAllBytes(folder.resolve(NAME)));
    }

    private void make(String options) throws IOException {
        String path = folder.resolve(NAME) + "";
        qemu("create", "-q", "-f", "qcow2", "-o", options, NAME, SIZE + "");
        Peer.QEMU_IO.command("-c", "write -P 1 0 2M", "-c", "write -P 2 3M 300k", path).runOk();
        qemu("snapshot", "-c", "one", NAME);
        Peer.QEMU_IO.command("-c", "write -P 3 1M 500k", "-c", "discard 0 200k", path).runOk();
        qemu("snapshot", "-c", "two", NAME);
        Peer.QEMU_IO.command("-c", "write -P 4 1M 100k", "-c", "write -z 2M 64k", path).runOk();
        load();
    }
}
