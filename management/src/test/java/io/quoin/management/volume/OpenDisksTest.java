package io.quoin.management.volume;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Geometry;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.sim.VirtualLoop;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.Stages;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class OpenDisksTest {
    private final VirtualLoopGroup loops = new VirtualLoopGroup(3);
    private final MemoryXlator brick = new MemoryXlator("brick");
    private final OpenDisks disks = new OpenDisks(brick, loops);

    OpenDisksTest() {
        brick.put("vm1", new byte[4096]);
    }

    @Test
    void shouldShareOneFileRingAndLoopAmongAllUsers() {
        AttachedDisk first = await(disks.attach("vm1"));
        AttachedDisk second = await(disks.attach("vm1"));

        assertThat(second.file()).isSameAs(first.file());
        assertThat(second.ring()).isSameAs(first.ring());
        assertThat(second.loop()).isSameAs(first.loop());
        assertThat(disks.users("vm1")).isEqualTo(2);
    }

    @Test
    void shouldOpenOnceWhenTwoAttachAtTheSameTime() {
        CompletionStage<AttachedDisk> first = disks.attach("vm1");
        CompletionStage<AttachedDisk> second = disks.attach("vm1");

        assertThat(await(second).file()).isSameAs(await(first).file());
    }

    @Test
    void shouldFlushAndCloseWhenTheLastUserLetsGo() {
        AttachedDisk first = await(disks.attach("vm1"));
        AttachedDisk second = await(disks.attach("vm1"));
        new FileDriver(first.file(), (VirtualLoop) first.loop()).write(0, "data".getBytes(UTF_8));

        await(first.close());
        await(first.close());
        assertThat(disks.users("vm1")).isEqualTo(1);
        assertThat(brick.isUnflushed("vm1")).isTrue();

        await(second.close());
        assertThat(disks.users("vm1")).isZero();
        assertThat(brick.isUnflushed("vm1")).isFalse();
        await(brick.remove("vm1"));
    }

    @Test
    void shouldOpenAgainAfterItsEndWhenAttachedWhileClosing() {
        AttachedDisk first = await(disks.attach("vm1"));

        CompletionStage<Void> closing = first.close();
        CompletionStage<AttachedDisk> again = disks.attach("vm1");

        await(closing);
        assertThat(await(again).file()).isNotSameAs(first.file());
        assertThat(disks.users("vm1")).isEqualTo(1);
    }

    @Test
    void shouldForgetADiskWhenItCannotBeOpened() {
        assertThat(failure(disks.attach("none")).error()).isEqualTo(BlockError.ENOENT);
        assertThat(disks.users("none")).isZero();

        brick.put("none", new byte[512]);
        assertThat(await(disks.attach("none")).file().geometry().sizeBytes()).isEqualTo(512);
    }

    @Test
    void shouldRefuseToBeAloneWhileSomebodyIsAttached() {
        AttachedDisk disk = await(disks.attach("vm1"));

        BlockException failure = failure(disks.alone("vm1", () -> brick.remove("vm1")));
        assertThat(failure.error()).isEqualTo(BlockError.EBUSY);
        assertThat(failure).hasMessageContaining("connections=1");

        CompletionStage<Void> closing = disk.close();
        await(disks.alone("vm1", () -> brick.remove("vm1")));
        await(closing);
    }

    @Test
    void shouldLetAnAttachWaitWhileSomethingIsDoneAlone() {
        CompletableFuture<Void> work = new CompletableFuture<>();
        CompletionStage<Void> alone = disks.alone("vm1", () -> work);
        CompletionStage<AttachedDisk> attach = disks.attach("vm1");
        loops.runUntilIdle();
        assertThat(attach.toCompletableFuture()).isNotDone();

        work.completeExceptionally(new BlockException(BlockError.EIO, "failed"));

        assertThat(await(attach).name()).isEqualTo("vm1");
        assertThat(failure(alone).error()).isEqualTo(BlockError.EIO);
    }

    @Test
    void shouldCloseEveryDiskAndRefuseNewUsersWhenClosed() {
        AttachedDisk disk = await(disks.attach("vm1"));
        new FileDriver(disk.file(), (VirtualLoop) disk.loop()).write(0, "data".getBytes(UTF_8));

        await(disks.close());

        assertThat(brick.isUnflushed("vm1")).isFalse();
        assertThat(failure(disks.attach("vm1")).error()).isEqualTo(BlockError.ESHUTDOWN);
        // A file that this opened would be open still when the graph is closed.
        assertThat(failure(disks.alone("vm1", () -> brick.stat("vm1"))).error())
                .isEqualTo(BlockError.ESHUTDOWN);
        await(disk.close());
        assertThat(await(brick.open("vm1", OpenOptions.READ_WRITE, loops.loop(0)))).isNotNull();
    }

    @Test
    void shouldCloseTheFileWhenNoRingCanBeMadeForIt() {
        OpenDisks broken =
                new OpenDisks(
                        new PassThroughXlator("broken", "testkit/broken", brick) {
                            @Override
                            public CompletionStage<XlatorFile> open(
                                    String fileName, OpenOptions options, Loop loop) {
                                return subvolume()
                                        .open(fileName, options, loop)
                                        .thenApply(OpenDisksTest::withoutGeometry);
                            }
                        },
                        loops);
        assertThat(failure(broken.attach("vm1"))).hasMessageContaining("no geometry");
        assertThat(await(brick.open("vm1", OpenOptions.READ_WRITE, loops.loop(0)))).isNotNull();
    }

    private static XlatorFile withoutGeometry(XlatorFile file) {
        return new PassThroughFile(file) {
            @Override
            public Geometry geometry() {
                throw new IllegalStateException("no geometry");
            }
        };
    }

    private <T> T await(CompletionStage<T> stage) {
        return loops.await(stage);
    }

    private BlockException failure(CompletionStage<?> stage) {
        loops.runUntil(() -> stage.toCompletableFuture().isDone());
        Throwable failure = catchThrowable(() -> stage.toCompletableFuture().join());
        assertThat(failure).isNotNull();
        return Stages.asBlockException(failure);
    }
}
