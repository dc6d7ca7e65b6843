package io.quoin.snapshot;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.sim.VirtualLoop;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.XlatorFile;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class SnapshotXlatorTest {
    private static final long SIZE = 1 << 20;

    private final VirtualLoopGroup loops = new VirtualLoopGroup(2);
    private final VirtualLoop loop = loops.loop(0);
    private final MemoryXlator images = new MemoryXlator("images");
    private final SnapshotXlator disks = new SnapshotXlator("disks", images, Duration.ofDays(7));

    @Test
    void shouldShowImagesAsDisksWhenListed() {
        images.put("vm2.raw", new byte[512]);
        images.put("vm1.qcow2", new byte[1024]);
        images.put("notes.txt", new byte[1]);
        images.put("-x.raw", new byte[1]);
        images.put(".raw", new byte[1]);

        List<FileInfo> listed = await(disks.list());

        assertThat(listed).extracting(FileInfo::fileName).containsExactly("vm1", "vm2");
        assertThat(listed).extracting(FileInfo::sizeBytes).containsExactly(1024L, 512L);
    }

    @Test
    void shouldMakeQcow2ImageWhenNoFormatIsGiven() {
        await(disks.create("vm1", CreateOptions.ofSize(SIZE)));

        assertThat(await(images.stat("vm1.qcow2")).sizeBytes()).isEqualTo(SIZE);
        assertThat(await(disks.stat("vm1"))).isEqualTo(new FileInfo("vm1", SIZE, 0));
    }

    @Test
    void shouldReplaceADiskByOneOfItsFormatAlone() {
        images.put("vm1.qcow2", new byte[] {1});
        images.put("vm2.qcow2", new byte[] {2});
        images.put("vm3.raw", new byte[] {3});
        assertThat(failure(disks.replace("vm1", "vm3")))
                .hasMessageContaining("name=vm1, format=qcow2, by=vm3, format=raw");
        await(disks.replace("vm1", "vm2"));
        assertThat(images.content("vm1.qcow2")).containsExactly(2);
        assertThat(await(disks.list()))
                .extracting(FileInfo::fileName)
                .containsExactly("vm1", "vm3");
    }

    @Test
    void shouldPassOptionsDownExceptTheFormatWhenCreating() {
        await(disks.create("vm1", new CreateOptions(SIZE, Map.of("format", "raw"))));
        assertThat(await(images.stat("vm1.raw")).sizeBytes()).isEqualTo(SIZE);

        assertThat(
                        failure(
                                disks.create(
                                        "vm2",
                                        new CreateOptions(SIZE, Map.of("cluster_size", "64K")))))
                .hasMessageContaining("cluster_size");
        assertThat(failure(disks.create("vm2", new CreateOptions(SIZE, Map.of("format", "qcow")))))
                .hasMessageContaining("did you mean qcow2?");
    }

    @Test
    void shouldRefuseASecondDiskOfTheSameNameWhateverItsFormat() {
        await(disks.create("vm1", new CreateOptions(SIZE, Map.of("format", "raw"))));

        BlockException failure = failure(disks.create("vm1", CreateOptions.ofSize(SIZE)));

        assertThat(failure.error()).isEqualTo(BlockError.EEXIST);
        assertThat(await(images.list())).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -512, 511, 1000})
    void shouldRefuseSizesThatNoDiskCanHave(long sizeBytes) {
        BlockException failure = failure(disks.create("vm1", CreateOptions.ofSize(sizeBytes)));

        assertThat(failure.error()).isEqualTo(BlockError.EINVAL);
        assertThat(failure).hasMessageContaining("size=" + sizeBytes);
        assertThat(await(images.list())).isEmpty();
    }

    @Test
    void shouldRefuseToChooseWhenTwoImagesClaimToBeOneDisk() {
        images.put("vm1.raw", new byte[512]);
        images.put("vm1.qcow2", new byte[512]);

        BlockException failure = failure(disks.open("vm1", OpenOptions.READ_WRITE, loop));

        assertThat(failure.error()).isEqualTo(BlockError.EINVAL);
        assertThat(failure).hasMessageContaining("vm1.qcow2 and vm1.raw");
        await(disks.list());
    }

    @Test
    void shouldNameTheNearestDiskWhenThereIsNoSuchOne() {
        await(disks.create("vm1", CreateOptions.ofSize(SIZE)));

        for (CompletionStage<?> stage :
                List.of(
                        disks.stat("vm2"),
                        disks.remove("vm2"),
                        disks.rename("vm2", "vm3"),
                        disks.open("vm2", OpenOptions.READ_ONLY, loop))) {
            BlockException failure = failure(stage);
            assertThat(failure.error()).isEqualTo(BlockError.ENOENT);
            assertThat(failure).hasMessageContaining("name=vm2; did you mean vm1?");
        }
    }

    @Test
    void shouldReadWhatWasWrittenWhenOpenedAgain() {
        await(disks.create("vm1", CreateOptions.ofSize(SIZE)));
        XlatorFile disk = open("vm1", OpenMode.READ_WRITE);
        assertThat(disk.fileName()).isEqualTo("vm1");
        new FileDriver(disk, loop).write(4096, "hello".getBytes(UTF_8));
        close(disk);

        XlatorFile again = open("vm1", OpenMode.READ_ONLY);
        assertThat(new FileDriver(again, loop).read(4096, 5)).isEqualTo("hello".getBytes(UTF_8));
        close(again);
    }

    @Test
    void shouldNotLetAWriteGrowADisk() {
        images.put("vm1.raw", new byte[512]);
        XlatorFile disk = open("vm1", OpenMode.READ_WRITE);

        assertThat(images.stat("vm1.raw")).isNotNull();
        assertThat(disk.capabilities().canGrow()).isFalse();
        assertThat(disk.capabilities().canWrite()).isTrue();
        close(disk);
    }

    @Test
    void shouldHaveOneWriterOrManyReaders() {
        await(disks.create("vm1", CreateOptions.ofSize(SIZE)));

        XlatorFile writer = open("vm1", OpenMode.READ_WRITE);
        assertBusy(disks.open("vm1", OpenOptions.READ_WRITE, loop));
        assertBusy(disks.open("vm1", OpenOptions.READ_ONLY, loop));
        close(writer);

        XlatorFile first = open("vm1", OpenMode.READ_ONLY);
        XlatorFile second = open("vm1", OpenMode.READ_ONLY);
        close(first);
        assertBusy(disks.open("vm1", OpenOptions.READ_WRITE, loop));
        close(second);
        close(open("vm1", OpenMode.READ_WRITE));
    }

    @Test
    void shouldRefuseToRemoveOrRenameWhileOpen() {
        await(disks.create("vm1", CreateOptions.ofSize(SIZE)));
        XlatorFile disk = open("vm1", OpenMode.READ_WRITE);

        assertBusy(disks.remove("vm1"));
        assertBusy(disks.rename("vm1", "vm2"));
        assertThat(await(disks.stat("vm1")).sizeBytes()).isEqualTo(SIZE);

        close(disk);
        await(disks.rename("vm1", "vm2"));
        await(disks.remove("vm2"));
        assertThat(await(images.list())).isEmpty();
    }

    @Test
    void shouldKeepBothDisksWhenRenamedOntoAnother() {
        await(disks.create("vm1", CreateOptions.ofSize(SIZE)));
        await(disks.create("vm2", new CreateOptions(SIZE, Map.of("format", "raw"))));

        assertThat(failure(disks.rename("vm1", "vm2")).error()).isEqualTo(BlockError.EEXIST);
        assertBusy(disks.rename("vm1", "vm1"));

        assertThat(await(disks.list()))
                .extracting(FileInfo::fileName)
                .containsExactly("vm1", "vm2");
    }

    @Test
    void shouldGrowAndNeverShrink() {
        await(disks.create("vm1", CreateOptions.ofSize(SIZE)));
        XlatorFile disk = open("vm1", OpenMode.READ_WRITE);

        await(loop.call(() -> disk.resize(2 * SIZE)));
        assertThat(disk.geometry().sizeBytes()).isEqualTo(2 * SIZE);
        await(loop.call(() -> disk.resize(2 * SIZE)));

        BlockException shrink = failure(loop.call(() -> disk.resize(SIZE)));
        assertThat(shrink.error()).isEqualTo(BlockError.ENOTSUP);
        assertThat(shrink).hasMessageContaining("size=2097152, wanted=1048576");
        assertThat(failure(loop.call(() -> disk.resize(3 * SIZE + 1))).error())
                .isEqualTo(BlockError.EINVAL);
        assertThat(disk.geometry().sizeBytes()).isEqualTo(2 * SIZE);
        close(disk);
    }

    @Test
    void shouldTellTheFileAndItsFormatAmongTheDetails() {
        images.put("vm1.raw", new byte[512]);
        XlatorFile disk = open("vm1", OpenMode.READ_ONLY);

        assertThat(disk.details()).containsEntry("file", "vm1.raw").containsEntry("format", "raw");
        close(disk);
    }

    @Test
    void shouldLetGoOfTheDiskWhenOpeningFails() {
        assertThat(failure(disks.open("vm1", OpenOptions.READ_WRITE, loop)).error())
                .isEqualTo(BlockError.ENOENT);

        await(disks.create("vm1", CreateOptions.ofSize(SIZE)));
        close(open("vm1", OpenMode.READ_WRITE));
    }

    @Test
    void shouldReadASnapshotAlsoWhileItsDiskIsWritten() {
        images.put("vm1.qcow2", new byte[1024]);
        images.put("vm1.qcow2@monday", "then".getBytes(UTF_8));
        XlatorFile writer = open("vm1", OpenMode.READ_WRITE);

        assertThat(await(disks.stat("vm1@monday")).sizeBytes()).isEqualTo(4);
        XlatorFile first = open("vm1@monday", OpenMode.READ_ONLY);
        XlatorFile second = open("vm1@monday", OpenMode.READ_ONLY);
        assertThat(first.fileName()).isEqualTo("vm1@monday");
        assertThat(first.details()).containsEntry("file", "vm1.qcow2@monday");
        assertThat(new FileDriver(first, loop).read(0, 4)).isEqualTo("then".getBytes(UTF_8));

        close(first);
        close(writer);
        BlockException busy = failure(disks.remove("vm1"));
        assertThat(busy.error()).isEqualTo(BlockError.EBUSY);
        assertThat(busy).hasMessageContaining("a snapshot of the disk is in use: name=vm1");
        close(second);
        await(disks.remove("vm1"));
    }

    @Test
    void shouldNotWriteASnapshot() {
        images.put("vm1.qcow2", new byte[1024]);
        images.put("vm1.qcow2@monday", new byte[512]);

        BlockException failure = failure(disks.open("vm1@monday", OpenOptions.READ_WRITE, loop));

        assertThat(failure.error()).isEqualTo(BlockError.EROFS);
        assertThat(failure).hasMessageContaining("name=vm1@monday");
        await(disks.remove("vm1"));
    }

    @Test
    void shouldSayWhatThereIsNoSnapshotOf() {
        images.put("vm1.qcow2", new byte[1024]);
        images.put("vm2.raw", new byte[1024]);
        await(disks.list());

        for (CompletionStage<?> stage :
                List.of(
                        disks.stat("vm1@monday"),
                        disks.open("vm1@monday", OpenOptions.READ_ONLY, loop),
                        disks.clone("vm1@monday", "vm9", 0),
                        disks.children("vm1@monday"))) {
            BlockException failure = failure(stage);
            assertThat(failure.error()).isEqualTo(BlockError.ENOENT);
            assertThat(failure).hasMessageContaining("no such snapshot: name=vm1@monday");
        }
        assertThat(failure(disks.stat("vm3@monday"))).hasMessageContaining("did you mean vm1?");
        assertThat(failure(disks.stat("vm2@monday"))).hasMessageContaining("format=raw");
        assertThat(failure(disks.stat("vm1@")).error()).isEqualTo(BlockError.EINVAL);
        assertThat(await(disks.snapshots())).isEmpty();
        await(disks.remove("vm1"));
    }

    private XlatorFile open(String disk, OpenMode mode) {
        return await(disks.open(disk, OpenOptions.of(mode), loop));
    }

    private void close(XlatorFile disk) {
        await(loop.call(disk::close));
    }

    private <T> T await(CompletionStage<T> stage) {
        return loops.await(stage);
    }

    private void assertBusy(CompletionStage<?> stage) {
        assertThat(failure(stage).error()).isEqualTo(BlockError.EBUSY);
    }

    private BlockException failure(CompletionStage<?> stage) {
        loops.runUntil(() -> stage.toCompletableFuture().isDone());
        CompletionException failure =
                catchThrowableOfType(
                        CompletionException.class, () -> stage.toCompletableFuture().join());
        assertThat(failure).isNotNull();
        assertThat(failure.getCause()).isInstanceOf(BlockException.class);
        return (BlockException) failure.getCause();
    }
}
