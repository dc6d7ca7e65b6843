package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.ModelDisk;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The dirty bit: what sets it, when it goes, and what happens to an image that has it. */
@Timeout(120)
class LazyRefcountsTest {
    private static final String NAME = "disk.qcow2";
    private static final int SIZE = 4 << 20;
    private static final int INCOMPATIBLE_LAST = 79;

    @TempDir Path folder;
    private ImageFixture images;

    @BeforeEach
    void start() {
        images = new ImageFixture(folder);
    }

    @Test
    @DisplayName("QCOW2 133, 126: the dirty bit is durable before the first uncounted change")
    void shouldSetTheDirtyBitBeforeTheFirstChangeAndClearItWhenClosed() throws IOException {
        make("cluster_size=4k,lazy_refcounts=on");
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        driver.read(0, 4096);
        assertThat(isDirty()).isFalse();
        driver.write(2 << 20, new byte[] {7});
        assertThat(isDirty()).as("after a change").isTrue();
        assertThat(file.details()).containsEntry("dirty", true);
        assertThat(driver.flush()).isEqualTo(BlockError.OK);
        assertThat(isDirty()).as("after a flush").isTrue();
        images.close(file);
        assertThat(isDirty()).as("when closed").isFalse();
        images.checkClean(NAME);
    }

    @Test
    @DisplayName(
            "QCOW2 133, 134: what a discard gave back is free also when it was all that changed")
    void shouldLeaveNoLeakWhenNothingButADiscardCameBeforeTheCrash() throws IOException {
        make("cluster_size=4k,lazy_refcounts=on");
        XlatorFile first = images.open(NAME, OpenMode.READ_WRITE);
        images.driver(first).write(1 << 20, new byte[] {7});
        images.close(first);
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        assertThat(images.driver(file).discard(1 << 20, 4096)).isEqualTo(BlockError.OK);
        assertThat(images.driver(file).flush()).isEqualTo(BlockError.OK);
        byte[] crashed = images.brick.content(NAME);
        images.close(file);
        images.brick.put(NAME, crashed);
        images.close(images.open(NAME, OpenMode.READ_WRITE));
        images.checkClean(NAME);
    }

    @Test
    @DisplayName(
            "QCOW2 126, 129: the dirty bit stays where a mapping could not be written at the end")
    void shouldStayDirtyWhenClosedWithoutAllOfItsMappings() throws IOException {
        make("cluster_size=4k,lazy_refcounts=on");
        NextWriteFails failing = new NextWriteFails(images.brick);
        ImageFixture faulty = new ImageFixture(folder, images.brick, failing, Map.of());
        XlatorFile file = faulty.open(NAME, OpenMode.READ_WRITE);
        faulty.driver(file).write(1 << 20, new byte[64 << 10]);
        failing.armed = true;
        assertThatThrownBy(() -> faulty.close(file))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.ENOSPC));
        assertThat(failing.armed).isFalse();
        assertThat(isDirty()).isTrue();
        images.close(images.open(NAME, OpenMode.READ_WRITE));
        assertThat(isDirty()).isFalse();
        images.checkClean(NAME);
    }

    /** A disk that is full for one write. */
    private static final class NextWriteFails extends PassThroughXlator {
        private boolean armed;

        NextWriteFails(Xlator below) {
            super("faulty", "testkit/faulty", below);
        }

        @Override
        public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
            return subvolume()
                    .open(fileName, options, loop)
                    .thenApply(
                            file ->
                                    new PassThroughFile(file) {
                                        @Override
                                        public void submit(IoRequest request) {
                                            if (armed && request.op() == IoOp.WRITE) {
                                                armed = false;
                                                request.complete(BlockError.ENOSPC);
                                            } else {
                                                below().submit(request);
                                            }
                                        }
                                    });
        }
    }

    @Test
    @DisplayName("QCOW2 126: a reservation costs no flush with lazy refcounts")
    void shouldFlushOnlyForTheGuestWhenRefcountsAreLazy() throws IOException {
        make("cluster_size=4k,lazy_refcounts=on");
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        driver.write(1 << 20, new byte[4096]);
        assertThat(driver.flush()).isEqualTo(BlockError.OK);
        long before = images.brick.flushCount(NAME);
        for (int i = 0; i < 200; i++) {
            driver.write((1 << 20) + (i + 1) * 4096L, new byte[4096]);
        }
        assertThat(driver.flush()).isEqualTo(BlockError.OK);
        assertThat(images.brick.flushCount(NAME) - before).isEqualTo(1);
        images.close(file);
        images.checkClean(NAME);
    }

    @ParameterizedTest
    @ValueSource(strings = {"cluster_size=512", "cluster_size=4k", "cluster_size=64k"})
    @DisplayName("QCOW2 134, 24, 135: refcounts are rebuilt before a dirty image is written")
    void shouldRebuildRefcountsWhenTheImageWasNotClosed(String options) throws IOException {
        ModelDisk model = make(options + ",lazy_refcounts=on");
        long seed = RandomOperations.seed();
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        RandomOperations operations =
                new RandomOperations(seed, file.geometry(), file.capabilities(), 100_000);
        model.performAll(driver, operations.next(80), 4);
        assertThat(driver.flush()).isEqualTo(BlockError.OK);
        byte[] crashed = images.brick.content(NAME);
        images.close(file);
        images.brick.put(NAME, crashed);
        assertThat(isDirty()).isTrue();
        XlatorFile reader = images.open(NAME, OpenMode.READ_ONLY);
        model.checkContent(images.driver(reader));
        images.close(reader);
        assertThat(images.brick.content(NAME)).as("read-only").isEqualTo(crashed);
        XlatorFile again = images.open(NAME, OpenMode.READ_WRITE);
        assertThat(isDirty()).isFalse();
        images.checkClean(NAME);
        model.checkContent(images.driver(again));
        model.performAll(images.driver(again), operations.next(40), 4);
        images.close(again);
        images.checkClean(NAME);
        assertThat(images.qemuContent(NAME)).isEqualTo(model.content(0, SIZE));
    }

    @Test
    @DisplayName("QCOW2 134: an image that QEMU left dirty is settled and served")
    void shouldSettleWhatQemuLeftWhenItWasKilled() throws IOException {
        make("cluster_size=64k,lazy_refcounts=on");
        Path path = images.export(NAME);
        Peer.QEMU_IO
                .command("-c", "write -P 9 1M 1M", "-c", "flush", "-c", "sigraise 9", path + "")
                .run();
        byte[] left = Files.readAllBytes(path);
        assertThat(left[INCOMPATIBLE_LAST] & 1).as("QEMU left it dirty").isEqualTo(1);
        images.brick.put(NAME, left);
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        assertThat(images.driver(file).read(1 << 20, 2)).containsOnly(9);
        images.driver(file).write(2 << 20, new byte[] {3});
        images.close(file);
        images.checkClean(NAME);
    }

    @Test
    @DisplayName(
            "QCOW2 24: a dirty image with damage that no rebuild repairs is refused for writing")
    void shouldRefuseWhenTheRebuildFindsWhatItCannotMend() throws IOException {
        make("cluster_size=64k");
        byte[] bytes = images.brick.content(NAME);
        bytes[INCOMPATIBLE_LAST] |= 1;
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        buffer.putLong((int) buffer.getLong(40), 1L << 63 | 1L << 50);
        images.brick.put(NAME, bytes);
        assertThatThrownBy(() -> images.open(NAME, OpenMode.READ_WRITE))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("cannot be settled")
                .hasMessageContaining(NAME);
        assertThat(isDirty()).isTrue();
    }

    private boolean isDirty() {
        return (images.brick.content(NAME)[INCOMPATIBLE_LAST] & 1) != 0;
    }

    private ModelDisk make(String options) throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        Path path = folder.resolve("made.qcow2");
        Peer.QEMU_IMG
                .command("create", "-f", "qcow2", "-o", options, path.toString(), SIZE + "")
                .runOk();
        Peer.QEMU_IO.command("-c", "write -P 1 0 100k", path.toString()).runOk();
        images.brick.put(NAME, Files.readAllBytes(path));
        byte[] content = new byte[SIZE];
        Arrays.fill(content, 0, 100 << 10, (byte) 1);
        return new ModelDisk(content);
    }
}
