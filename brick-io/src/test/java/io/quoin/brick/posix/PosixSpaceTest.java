package io.quoin.brick.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.testkit.FileDriver;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.XlatorFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.opentest4j.TestAbortedException;

/** What happens when there is no room: on a small tmpfs, and at the largest size of a file. */
@Timeout(60)
class PosixSpaceTest {
    private static final int MIB = 1 << 20;

    @TempDir Path folder;

    /**
     * What a test does in a thread that alone sees a tmpfs of 2 MiB, until the last file closes.
     */
    private interface OnSmallDisk<T> {
        T run(Path mount) throws Exception;
    }

    private <T> T onSmallDisk(OnSmallDisk<T> task) throws Exception {
        Path mount = Files.createDirectory(folder.resolve("mount"));
        CompletableFuture<T> result = new CompletableFuture<>();
        Thread thread =
                new Thread(
                        () -> {
                            try {
                                TestLibC.mountPrivateTmpfs(mount.toString(), "size=2m");
                                result.complete(task.run(mount));
                            } catch (Exception | Error e) {
                                result.completeExceptionally(e);
                            }
                        });
        thread.start();
        thread.join();
        assertThat(mount).isEmptyDirectory(); // here it is not mounted
        try {
            return result.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof TestAbortedException skipped) {
                throw skipped;
            }
            throw e;
        }
    }

    private TestBrick openSmall(Map<String, String> options) throws Exception {
        return onSmallDisk(mount -> TestBrick.open(mount.resolve("brick"), options));
    }

    @Test
    void shouldOpenTheBrickWhenTheDiskIsFull() throws Exception {
        List<String> left =
                onSmallDisk(
                        mount -> {
                            try (TestBrick brick = TestBrick.open(mount.resolve("brick"))) {
                                brick.create("disk.raw", 8L * MIB);
                                XlatorFile file = brick.openFile("disk.raw");
                                byte[] data = PosixFileTest.bytes(4 * MIB);
                                assertThat(brick.drive(file).write(0, data, IoFlags.NONE))
                                        .isEqualTo(BlockError.ENOSPC);
                                brick.close(file);
                            }
                            try (TestBrick brick = TestBrick.open(mount.resolve("brick"))) {
                                XlatorFile file = brick.openFile("disk.raw");
                                assertThat(file.capabilities().canDiscard()).isTrue();
                                assertThat(file.capabilities().canFastZero()).isTrue();
                                brick.close(file);
                                brick.create("empty", 0);
                                brick.await(brick.xlator().remove("disk.raw"));
                                return brick.await(brick.xlator().list()).stream()
                                        .map(FileInfo::fileName)
                                        .toList();
                            }
                        });
        assertThat(left).containsExactly("empty");
    }

    @ParameterizedTest
    @ValueSource(strings = {"off", "on"})
    void shouldFailWithEnospcWhenTheDiskIsFull(String directIo) throws Exception {
        TestBrick opened;
        try {
            opened = openSmall(Map.of("direct-io", directIo));
        } catch (CompletionException e) {
            Assumptions.assumeFalse(
                    e.getMessage().contains("no O_DIRECT"), "this kernel's tmpfs has no O_DIRECT");
            throw e;
        }
        try (TestBrick brick = opened) {
            brick.create("disk.raw", 64L * MIB);
            XlatorFile file = brick.openFile("disk.raw");
            assertThat(file.details()).containsEntry("file-system", "tmpfs");
            FileDriver driver = brick.drive(file);
            byte[] data = PosixFileTest.bytes(4 * MIB);
            assertThat(driver.write(0, data, IoFlags.NONE)).isEqualTo(BlockError.ENOSPC);
            assertThat(driver.zero(8 * MIB, 4 * MIB, IoFlags.NONE)).isEqualTo(BlockError.ENOSPC);
            assertThat(file.geometry().sizeBytes()).isEqualTo(64L * MIB);
            assertThat(driver.flush()).isEqualTo(BlockError.OK);
            assertThat(driver.discard(0, 64 * MIB)).isEqualTo(BlockError.OK);
            assertThat(driver.write(0, PosixFileTest.bytes(MIB), IoFlags.FUA))
                    .isEqualTo(BlockError.OK);
            assertThat(driver.read(0, MIB)).isEqualTo(PosixFileTest.bytes(MIB));
            assertThat(driver.status(0, 64L * MIB, IoFlags.NONE).count()).isEqualTo(2);
            assertThatThrownBy(
                            () ->
                                    brick.await(
                                            brick.xlator()
                                                    .create(
                                                            "other",
                                                            new CreateOptions(
                                                                    4 * MIB,
                                                                    Map.of(
                                                                            "preallocation",
                                                                            "falloc")))))
                    .isInstanceOf(BlockException.class)
                    .hasMessageContaining("file=other")
                    .hasMessageContaining("ENOSPC");
            assertThat(brick.await(brick.xlator().list()))
                    .extracting(FileInfo::fileName)
                    .containsExactly("disk.raw");
            brick.close(file);
        }
    }

    @Test
    void shouldKnowHowFarAWriteGotWhenTheDiskFilledUp() throws Exception {
        try (TestBrick brick = openSmall(Map.of())) {
            brick.create("disk.raw", 0);
            XlatorFile file = brick.openFile("disk.raw");
            FileDriver driver = brick.drive(file);
            byte[] data = PosixFileTest.bytes(4 * MIB);
            assertThat(driver.write(0, data, IoFlags.NONE)).isEqualTo(BlockError.ENOSPC);
            long size = file.geometry().sizeBytes();
            assertThat(size).isBetween((long) MIB, 2L * MIB);
            assertThat(brick.await(brick.xlator().stat("disk.raw")).sizeBytes()).isEqualTo(size);
            brick.resize(file, 0);
            driver.write(0, PosixFileTest.bytes(MIB));
            brick.close(file);
        }
    }

    @Test
    void shouldFailWithEnospcWhenTheFileSystemHasNoLargerFiles() {
        try (TestBrick brick = TestBrick.open(folder.resolve("brick"))) {
            brick.create("disk.raw", 0);
            XlatorFile file = brick.openFile("disk.raw");
            Assumptions.assumeTrue(
                    "ext4".equals(file.details().get("file-system")), "only ext4's limit is known");
            FileDriver driver = brick.drive(file);
            long beyond = 1L << 44;
            assertThat(driver.write(beyond, new byte[512], IoFlags.NONE))
                    .isEqualTo(BlockError.ENOSPC);
            assertThat(driver.zero(beyond, 512, IoFlags.NONE)).isEqualTo(BlockError.ENOSPC);
            assertThat(file.geometry().sizeBytes()).isZero();
            assertThatThrownBy(() -> brick.resize(file, beyond + 1))
                    .isInstanceOfSatisfying(
                            BlockException.class,
                            e -> assertThat(e.error()).isEqualTo(BlockError.ENOSPC))
                    .hasMessageContaining("EFBIG");
            brick.close(file);
        }
    }
}
