package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.qcow2.snapshot.PendingSnapshot;
import io.quoin.qcow2.snapshot.SnapshotControl;
import io.quoin.qcow2.snapshot.SnapshotInfo;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A snapshot whose steps the caller takes, or does not take. */
@Timeout(120)
class PendingSnapshotTest {
    private static final String DISK = "disk.qcow2";
    private static final int SIZE = 1 << 20;
    private static final int BLOCK = 4096;
    private static final UUID GROUP = new UUID(5, 7);

    @TempDir Path folder;

    private final MemoryXlator brick = new MemoryXlator("brick");
    private final List<Runnable> held = new ArrayList<>();
    private boolean isHolding;
    private ImageFixture images;
    private XlatorFile file;
    private FileDriver driver;
    private SnapshotControl control;

    @BeforeEach
    void makeADisk() {
        Peer.assumeAll(Peer.QEMU_IMG);
        images = new ImageFixture(folder, brick, holdingFlushes(), Map.of());
        images.create(DISK, SIZE, Map.of("cluster_size", "4096"));
        open();
        write(1);
    }

    private void open() {
        file = images.open(DISK, OpenMode.READ_WRITE);
        driver = images.driver(file);
        control = SnapshotControl.of(file).orElseThrow();
    }

    /** The brick, whose flushes wait while that is wanted. */
    private Xlator holdingFlushes() {
        return new PassThroughXlator("holding", "testkit/holding", brick) {
            @Override
            public CompletionStage<XlatorFile> open(
                    String fileName, OpenOptions options, Loop loop) {
                return subvolume()
                        .open(fileName, options, loop)
                        .thenApply(PendingSnapshotTest.this::holding);
            }
        };
    }

    private XlatorFile holding(XlatorFile below) {
        return new PassThroughFile(below) {
            @Override
            public void submit(IoRequest request) {
                if (isHolding && request.op() == IoOp.FLUSH) {
                    held.add(() -> below().submit(request));
                } else {
                    below().submit(request);
                }
            }
        };
    }

    private void write(int value) {
        byte[] data = new byte[8 * BLOCK];
        Arrays.fill(data, (byte) value);
        driver.write(BLOCK, data);
    }

    private int read(XlatorFile from) {
        return images.driver(from).read(2 * BLOCK, 1)[0];
    }

    private <T> CompletableFuture<T> start(
            PendingSnapshot pending, Function<PendingSnapshot, CompletionStage<T>> step) {
        return images.loops.loop(0).call(() -> step.apply(pending)).toCompletableFuture();
    }

    private <T> T take(
            PendingSnapshot pending, Function<PendingSnapshot, CompletionStage<T>> step) {
        return images.loops.await(start(pending, step));
    }

    private PendingSnapshot prepare(String name) {
        return images.loops.await(
                images.loops
                        .loop(0)
                        .call(() -> control.prepare(name, GROUP, (done, total) -> true)));
    }

    @Test
    void shouldHaveTheContentOfTheCutWhenItIsPublishedLater() throws IOException {
        PendingSnapshot pending = prepare("one");
        write(2);
        take(pending, PendingSnapshot::round);
        take(pending, PendingSnapshot::cut);
        write(3);
        take(pending, PendingSnapshot::settle);
        write(4);
        assertThat(control.list()).isEmpty();
        SnapshotInfo info = take(pending, made -> made.publish(true));
        write(5);
        assertThat(info.uuid()).isEqualTo(pending.uuid());
        assertThat(info.group()).isEqualTo(GROUP);
        assertThat(info.frozen()).isTrue();
        take(pending, PendingSnapshot::abandon);
        XlatorFile snapshot = images.open(DISK + "@one", OpenMode.READ_ONLY);
        assertThat(read(snapshot)).isEqualTo(2);
        images.close(snapshot);
        images.close(file);
        images.checkClean(DISK);
        open();
        assertThat(control.list()).containsExactly(info);
        assertThat(read(file)).isEqualTo(5);
        images.close(file);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 10, 11, 12, 13})
    void shouldLeaveTheImageAsItWasWhenItIsAbandonedOrTheImageClosed(int steps) throws IOException {
        PendingSnapshot pending = prepare("one");
        List<Function<PendingSnapshot, CompletionStage<Void>>> all =
                List.of(PendingSnapshot::round, PendingSnapshot::cut, PendingSnapshot::settle);
        for (int i = 0; i < steps % 10; i++) {
            take(pending, all.get(i));
            write(i + 2);
        }
        if (steps >= 10) {
            images.close(file);
            open();
        } else {
            take(pending, PendingSnapshot::abandon);
            assertThatThrownBy(() -> take(pending, made -> made.publish(false)))
                    .isInstanceOf(BlockException.class)
                    .hasMessageContaining("name=one");
        }
        assertThat(control.list()).isEmpty();
        write(9);
        PendingSnapshot next = prepare("one");
        all.forEach(step -> take(next, step));
        take(next, made -> made.publish(false));
        images.close(file);
        images.checkClean(DISK);
    }

    @Test
    void shouldLetGuestsGoOnWhenTheCutIsCancelledBeforeItsMoment() throws IOException {
        PendingSnapshot pending = prepare("one");
        write(2);
        isHolding = true;
        FileDriver.Pending flush = driver.start(IoOp.FLUSH, 0, 0, IoFlags.NONE);
        CompletableFuture<Void> cut = start(pending, PendingSnapshot::cut);
        FileDriver.Pending read = driver.startRead(BLOCK, BLOCK);
        images.loops.runReady();
        assertThat(held).as("the round that the cut waits for").hasSize(1);
        assertThat(read.isDone()).isFalse();
        images.loops.loop(0).execute(pending::cancelCut);
        images.loops.runReady();
        assertThat(read.isDone()).isTrue();
        assertThat(cut).isNotDone();
        write(3);
        isHolding = false;
        images.loops.loop(0).run(() -> held.forEach(Runnable::run));
        assertThat(driver.await(flush)).isEqualTo(BlockError.OK);
        assertThatThrownBy(() -> images.loops.await(cut))
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.EBUSY));
        assertThat(control.list()).isEmpty();
        assertThat(read(file)).isEqualTo(3);
        images.close(file);
        images.checkClean(DISK);
    }

    @Test
    void shouldTakeTheSnapshotOfAGroupAwayAndNoOther() throws IOException {
        images.loops.await(
                images.loops.loop(0).call(() -> control.create("alone", (done, total) -> true)));
        PendingSnapshot pending = prepare("one");
        take(pending, PendingSnapshot::round);
        take(pending, PendingSnapshot::cut);
        take(pending, PendingSnapshot::settle);
        take(pending, made -> made.publish(false));
        write(2);
        withdraw(new UUID(0, 1));
        assertThat(control.list()).hasSize(2);
        withdraw(GROUP);
        withdraw(GROUP);
        assertThat(control.list()).extracting(SnapshotInfo::name).containsExactly("alone");
        images.close(file);
        open();
        images.loops.runUntilIdle();
        images.close(file);
        images.checkClean(DISK);
    }

    private void withdraw(UUID group) {
        images.loops.await(images.loops.loop(0).call(() -> control.withdraw(group)));
    }
}
