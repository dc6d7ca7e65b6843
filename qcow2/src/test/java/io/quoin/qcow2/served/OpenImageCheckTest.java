package io.quoin.qcow2.served;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.ImageFixture;
import io.quoin.qcow2.check.CheckResult;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.log.LogsErrors;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a check of an open image finds, gives back and leaves, and how it ends early. */
@Timeout(120)
@LogsErrors("image is corrupt: ")
class OpenImageCheckTest {
    private static final String NAME = "disk.qcow2";
    private static final int SIZE = 4 << 20;
    private static final int CLUSTER = 4096;
    private static final long COPIED = 1L << 63;
    private static final int INCOMPATIBLE_FEATURES_LAST_BYTE = 79;
    private static final int CORRUPT = 2;

    @TempDir Path folder;
    private ImageFixture images;

    @BeforeEach
    void start() {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        images = new ImageFixture(folder);
    }

    @Test
    @DisplayName(
            "QCOW2 144: leaks are found in an open image, and told apart from reserved clusters")
    void shouldFindLeaksAndNotWhatIsReserved() throws IOException {
        make("", counts -> counts.count(counts.unused(0), 1));
        XlatorFile file = open();
        ServedFixture checks = new ServedFixture(images, file);
        write(file, 1 << 20, 100_000);

        OpenCheck check = checks.check();

        assertThat(check.result().leaks()).isEqualTo(1);
        assertThat(check.result().corruptions()).isZero();
        assertThat(check.result().exitCode()).isEqualTo(CheckResult.EXIT_LEAKS);
        assertThat(check.countedAhead()).as("the reserve").isPositive();
        assertThat(checks.findings).singleElement().asString().contains("refcount=1 reference=0");
        // The check changes nothing.
        assertThat(checks.check().result().leaks()).isEqualTo(1);
        write(file, 2 << 20, 100_000);
        images.close(file);
        assertThat(qemuCheck()).isEqualTo(CheckResult.EXIT_LEAKS);
    }

    @Test
    @DisplayName("QCOW2 144: leaks are given back while the image is open")
    void shouldGiveLeaksBackWhateverTheirCount() throws IOException {
        make(
                "",
                counts -> {
                    counts.count(counts.unused(0), 1);
                    counts.count(counts.unused(3), 5);
                    counts.count(counts.unused(9), 0xFFFF);
                });
        XlatorFile file = open();
        ServedFixture checks = new ServedFixture(images, file);
        write(file, 1 << 20, 100_000);

        OpenCheck repaired = checks.repair();

        assertThat(checks.findings).hasSize(3);
        assertThat(repaired.result().leaksFixed()).isEqualTo(3);
        assertThat(repaired.result().isClean()).isTrue();
        assertThat(checks.check().result().isClean()).isTrue();
        assertThat(checks.repair().result().leaksFixed()).isZero();
        byte[] killed = images.brick.content(NAME);
        write(file, 2 << 20, 1 << 20);
        images.close(file);
        images.checkClean(NAME);
        byte[] expected = new byte[SIZE];
        Arrays.fill(expected, 0, 100 << 10, (byte) 1);
        Arrays.fill(expected, 1 << 20, (1 << 20) + 100_000, (byte) 9);
        Arrays.fill(expected, 2 << 20, 3 << 20, (byte) 9);
        assertThat(images.qemuContent(NAME)).isEqualTo(expected);
        // The repair was durable: what is left after a kill is the reserve.
        DamagedCounts after = new DamagedCounts(killed);
        assertThat(after.highestCount()).isEqualTo(1);
    }

    @Test
    void shouldLeaveALeakWhoseEntryWouldHaveToSayThatItIsTheOnlyOne() throws IOException {
        make(
                "",
                counts -> {
                    counts.count(counts.hostCluster(3), 2);
                    int place = counts.l2Entry(3);
                    counts.entry(place, counts.entry(place) & ~COPIED);
                    counts.count(counts.unused(0), 1);
                });
        XlatorFile file = open();

        OpenCheck repaired = new ServedFixture(images, file).repair();

        assertThat(repaired.result().leaksFixed()).isEqualTo(1);
        assertThat(repaired.result().leaks()).isEqualTo(1);
        images.close(file);
        assertThat(qemuCheck()).isEqualTo(CheckResult.EXIT_LEAKS);
    }

    @Test
    @DisplayName("QCOW2 144: clusters of compressed streams that are counted too often")
    void shouldLowerCountsOfSharedCompressedClusters() throws IOException {
        make("", counts -> {});
        Peer.QEMU_IMG
                .command("convert", "-c", "-O", "qcow2", "-o", "cluster_size=4k", NAME, "c.qcow2")
                .directory(folder)
                .runOk();
        byte[] bytes = Files.readAllBytes(folder.resolve("c.qcow2"));
        DamagedCounts counts = new DamagedCounts(bytes);
        long packed = (counts.entry(counts.l2Entry(0)) & 0x3fff_ffff_ffffL) / CLUSTER;
        int before = counts.count(packed);
        assertThat(before).as("streams in one cluster").isGreaterThan(1);
        counts.count(packed, before + 2);
        images.brick.put(NAME, bytes);
        XlatorFile file = open();
        // One of its streams goes while the check runs.
        CompletionStage<OpenCheck> running = new ServedFixture(images, file).start(true);
        write(file, 0, CLUSTER);

        assertThat(images.loops.await(running).result().leaksFixed()).isEqualTo(1);
        images.close(file);
        images.checkClean(NAME);
        assertThat(new DamagedCounts(images.brick.content(NAME)).count(packed))
                .isEqualTo(before - 1);
    }

    @Test
    @DisplayName(
            "QCOW2 143: corruption is told, nothing is repaired beside it, and the image goes on")
    void shouldTellCorruptionAndLeaveEverythingAsItIs() throws IOException {
        make(
                "",
                counts -> {
                    counts.count(counts.unused(0), 1);
                    counts.count(counts.hostCluster(5), 0);
                });
        XlatorFile file = open();
        ServedFixture checks = new ServedFixture(images, file);

        OpenCheck check = checks.repair();

        // The count, and with it the flag of the entry.
        assertThat(check.result().corruptions()).isEqualTo(2);
        assertThat(check.result().leaks()).isEqualTo(1);
        assertThat(check.result().leaksFixed()).isZero();
        assertThat(check.result().exitCode()).isEqualTo(CheckResult.EXIT_CORRUPT);
        assertThat(checks.findings).anyMatch(text -> text.contains("refcount=0 reference=1"));
        assertThat(file.details()).containsEntry("corrupt", false);
        assertThat(file.details().get("check")).hasToString("{state=done, corruptions=2, leaks=1}");
        write(file, 1 << 20, 1000);
        images.close(file);
        assertThat(qemuCheck()).isEqualTo(CheckResult.EXIT_CORRUPT);
    }

    @Test
    void shouldCheckAnImageThatIsOpenReadOnlyAndRefuseToRepairIt() throws IOException {
        make(
                "",
                counts -> {
                    counts.count(counts.unused(0), 1);
                    counts.byteAt(INCOMPATIBLE_FEATURES_LAST_BYTE, CORRUPT);
                });
        byte[] before = images.brick.content(NAME);
        XlatorFile file = images.open(NAME, OpenMode.READ_ONLY);
        ServedFixture checks = new ServedFixture(images, file);

        assertThat(checks.check().result().leaks()).isEqualTo(1);
        assertFails(checks::repair, BlockError.EPERM, "leaks cannot be repaired");
        images.close(file);
        assertThat(images.brick.content(NAME)).isEqualTo(before);
    }

    @Test
    void shouldCheckAnImageThatHasBeenFencedMeanwhile() throws IOException {
        make(
                "",
                counts -> counts.entry(counts.l2Entry(7), counts.entry(counts.l2Entry(7)) | 0x600));
        XlatorFile file = open();
        FileDriver driver = images.driver(file);
        write(file, 1 << 20, 1000);
        // The data path meets the entry and fences the image.
        assertThat(driver.await(driver.startRead(7 * CLUSTER, 512))).isEqualTo(BlockError.EIO);
        assertThat(file.details()).containsEntry("corrupt", true);

        OpenCheck check = new ServedFixture(images, file).check();

        assertThat(check.result().corruptions()).isPositive();
        assertThat(driver.read(0, 512)).containsOnly(1);
        assertThatThrownBy(() -> images.close(file)).isInstanceOf(BlockException.class);
    }

    @Test
    void shouldWaitUntilLeaksOfAKilledWriterAreGivenBack() throws IOException {
        make("", counts -> {});
        XlatorFile killed = open();
        write(killed, 1 << 20, 100_000);
        assertThat(images.driver(killed).flush()).isEqualTo(BlockError.OK);
        byte[] crashed = images.brick.content(NAME);
        images.close(killed);
        images.brick.put(NAME, crashed);
        assertThat(qemuCheck()).isEqualTo(CheckResult.EXIT_LEAKS);
        XlatorFile file = open();
        ServedFixture checks = new ServedFixture(images, file);

        assertThat(checks.repair().result().isClean()).isTrue();

        assertThat(checks.findings).isEmpty();
        assertThat(file.details().get("leak-reclaim")).asString().contains("state=done");
        images.close(file);
        images.checkClean(NAME);
    }

    @Test
    void shouldRefuseASecondCheckWhileOneRuns() throws IOException {
        make("", counts -> {});
        XlatorFile file = open();
        ServedFixture checks = new ServedFixture(images, file);
        CompletionStage<OpenCheck> first = checks.start(false);

        assertFails(checks::check, BlockError.EBUSY, "being checked already");

        assertThat(images.loops.await(first).result().isClean()).isTrue();
        assertThat(checks.check().result().isClean()).isTrue();
        images.close(file);
    }

    @Test
    void shouldEndTheCheckWhenTheImageIsClosed() throws IOException {
        for (int ready = 0; ready < 6; ready++) {
            make("lazy_refcounts=on", counts -> {});
            XlatorFile file = open();
            write(file, 1 << 20, 100_000);
            CompletionStage<OpenCheck> check = new ServedFixture(images, file).start(true);
            for (int i = 0; i < ready; i++) {
                images.loops.runReady();
            }

            images.close(file);

            if (!isOk(check)) {
                assertFails(
                        () -> images.loops.await(check), BlockError.ESHUTDOWN, "image is closed");
            }
            images.checkClean(NAME);
        }
    }

    @Test
    void shouldEndWithTheReasonWhenItIsStopped() throws IOException {
        make("", counts -> {});
        XlatorFile file = open();
        ServedFixture checks = new ServedFixture(images, file);
        CompletionStage<OpenCheck> check = checks.start(false);
        checks.stop("no more waits");

        assertFails(() -> images.loops.await(check), BlockError.ESHUTDOWN, "no more waits");

        assertThat(checks.check().result().isClean()).isTrue();
        images.close(file);
    }

    @Test
    void shouldLetGuestsWriteFlushAndDiscardWhileTheCheckReads() throws IOException {
        make("", counts -> {});
        XlatorFile file = open();
        FileDriver driver = images.driver(file);
        for (int i = 0; i < 20; i++) {
            CompletionStage<OpenCheck> check = new ServedFixture(images, file).start(false);
            write(file, (1 << 20) + i * 50_000, 50_000);
            assertThat(driver.flush()).isEqualTo(BlockError.OK);
            assertThat(driver.discard(1 << 20, 50_000L * i)).isEqualTo(BlockError.OK);
            assertThat(driver.flush()).isEqualTo(BlockError.OK);
            assertThat(images.loops.await(check).result().isClean()).isTrue();
        }
        images.close(file);
        images.checkClean(NAME);
    }

    private static boolean isOk(CompletionStage<OpenCheck> check) {
        return check.toCompletableFuture().isDone()
                && !check.toCompletableFuture().isCompletedExceptionally();
    }

    private static void assertFails(ThrowingCallable call, BlockError error, String message) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        BlockException.class, e -> assertThat(e.error()).isEqualTo(error))
                .hasMessageContaining(message);
    }

    private int qemuCheck() throws IOException {
        return Peer.QEMU_IMG.command("check", images.export(NAME) + "").run().exitCode();
    }

    private XlatorFile open() {
        return images.open(NAME, OpenMode.READ_WRITE);
    }

    private void write(XlatorFile file, long offset, int length) {
        byte[] data = new byte[length];
        Arrays.fill(data, (byte) 9);
        images.driver(file).write(offset, data);
    }

    /** An image with 100 KiB of ones at the start and 64 unused clusters at the end of the file. */
    private void make(String options, Consumer<DamagedCounts> damage) throws IOException {
        String all = "cluster_size=4k" + (options.isEmpty() ? "" : ",") + options;
        Peer.QEMU_IMG
                .command("create", "-q", "-f", "qcow2", "-o", all, NAME, SIZE + "")
                .directory(folder)
                .runOk();
        Peer.QEMU_IO.command("-c", "write -P 1 0 100k", NAME).directory(folder).runOk();
        byte[] written = Files.readAllBytes(folder.resolve(NAME));
        int clusters = (written.length + CLUSTER - 1) / CLUSTER + 64;
        byte[] bytes = Arrays.copyOf(written, clusters * CLUSTER);
        damage.accept(new DamagedCounts(bytes));
        images.brick.put(NAME, bytes);
    }
}
