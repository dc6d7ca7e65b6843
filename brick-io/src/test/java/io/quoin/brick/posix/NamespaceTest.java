package io.quoin.brick.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.testkit.FileDriver;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class NamespaceTest {
    private static final int MIB = 1 << 20;

    @TempDir Path folder;

    private Path data;
    private TestBrick brick;

    @BeforeEach
    void openBrick() {
        data = folder.resolve("deep/er/brick");
        brick = TestBrick.open(data);
    }

    @AfterEach
    void closeBrick() {
        brick.close();
    }

    private static void assertFails(BlockError error, String message, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        BlockException.class, e -> assertThat(e.error()).isEqualTo(error))
                .hasMessageContaining(message);
    }

    @Test
    void shouldMakeTheFolderForItsOwnerOnlyWhenItIsMissing() throws IOException {
        for (Path made : List.of(data, data.getParent(), data.resolve(".quoin"))) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(made)))
                    .isEqualTo("rwx------");
        }
        assertThat(data.resolve(".quoin/probe")).isEmptyFile();
    }

    @Test
    void shouldListRegularFilesByNameWhenThereAreOthersToo() throws IOException {
        for (String name : List.of("b.raw", "a.raw", "größe.raw", ".hidden", "c")) {
            brick.create(name, 4096);
        }
        Files.createDirectory(data.resolve("folder"));
        Files.createSymbolicLink(data.resolve("link"), data.resolve("a.raw"));
        assertThat(TestLibC.load().mkfifo(TestLibC.text(data.resolve("fifo").toString()), 0600))
                .isZero();
        assertThat(brick.await(brick.xlator().list()))
                .extracting(FileInfo::fileName)
                .containsExactly("a.raw", "b.raw", "c", "größe.raw");
    }

    @Test
    void shouldListEveryFileWhenThereAreThousands() {
        List<String> names = new ArrayList<>();
        for (int i = 0; i < 3000; i++) {
            names.add(String.format("a-rather-long-name-of-a-disk-image-%05d.qcow2", i));
        }
        for (String name : names) {
            int fd = SystemCalls.openat(brickFd(), TestLibC.text(name), 0x42, 0600);
            SystemCalls.close(fd);
        }
        assertThat(brick.await(brick.xlator().list()))
                .extracting(FileInfo::fileName)
                .containsExactlyElementsOf(names);
    }

    private int brickFd() {
        return SystemCalls.openat(SystemCalls.AT_FDCWD, TestLibC.text(data.toString()), 0, 0);
    }

    @Test
    void shouldReportSizeAndAllocationWhenFileIsSparse() {
        brick.create("disk.raw", 1L << 40);
        XlatorFile file = brick.openFile("disk.raw");
        FileDriver driver = brick.drive(file);
        driver.write(1L << 39, new byte[MIB]);
        driver.flush();
        brick.close(file);
        FileInfo info = brick.await(brick.xlator().stat("disk.raw"));
        assertThat(info.sizeBytes()).isEqualTo(1L << 40);
        assertThat(info.allocatedBytes()).isBetween((long) MIB, 2L * MIB);
        assertThat(brick.await(brick.xlator().list())).containsExactly(info);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", ".", "..", ".quoin", "a/b", "/etc/passwd", "../x", "a\0b", "\uD800"})
    void shouldRefuseTheNameWhenItIsNone(String name) {
        assertFails(BlockError.EINVAL, "name", () -> brick.create(name, 10));
        assertFails(BlockError.EINVAL, "name", () -> brick.openFile(name));
        assertFails(BlockError.EINVAL, "name", () -> brick.await(brick.xlator().stat(name)));
        assertFails(BlockError.EINVAL, "name", () -> brick.await(brick.xlator().remove(name)));
        brick.create("there", 10);
        assertFails(
                BlockError.EINVAL, "name", () -> brick.await(brick.xlator().rename("there", name)));
    }

    @Test
    void shouldTakeTheNameWhenItIsAsLongAsTheKernelTakes() {
        brick.create("ä".repeat(127) + "x", 10);
        assertFails(BlockError.EINVAL, "255 bytes", () -> brick.create("ä".repeat(128), 10));
        assertThat(brick.await(brick.xlator().list())).hasSize(1);
    }

    @Test
    void shouldNotFollowAnythingWhenItIsNoRegularFile() throws IOException {
        Path outside = Files.writeString(folder.resolve("outside"), "secret");
        Files.createSymbolicLink(data.resolve("link"), outside);
        Files.createDirectory(data.resolve("folder"));
        TestLibC.load().mkfifo(TestLibC.text(data.resolve("fifo").toString()), 0600);
        for (String name : List.of("link", "folder", "fifo")) {
            assertFails(BlockError.EINVAL, "not a regular file", () -> brick.openFile(name));
            assertFails(BlockError.EINVAL, "not a regular file", () -> brick.openReadOnly(name));
            assertFails(
                    BlockError.EINVAL,
                    "not a regular file",
                    () -> brick.await(brick.xlator().remove(name)));
        }
        assertFails(BlockError.EEXIST, "link", () -> brick.create("link", 0));
        assertThat(outside).hasContent("secret");
    }

    @Test
    void shouldFailWithItsOwnErrorWhenNameIsTakenOrMissing() {
        brick.create("a", 10);
        brick.create("b", 20);
        assertFails(BlockError.EEXIST, "file=a", () -> brick.create("a", 30));
        assertFails(BlockError.EEXIST, "to=b", () -> brick.await(brick.xlator().rename("a", "b")));
        assertFails(BlockError.ENOENT, "file=c, errno=ENOENT", () -> brick.openFile("c"));
        assertFails(BlockError.ENOENT, "file=c", () -> brick.await(brick.xlator().remove("c")));
        assertFails(
                BlockError.ENOENT, "file=c", () -> brick.await(brick.xlator().rename("c", "d")));
        assertFails(BlockError.ENOENT, "file=c", () -> brick.await(brick.xlator().stat("c")));
        assertThat(brick.await(brick.xlator().stat("a")).sizeBytes()).isEqualTo(10);
        brick.await(brick.xlator().rename("a", ".tmp"));
        brick.await(brick.xlator().rename(".tmp", "c"));
        brick.await(brick.xlator().remove("b"));
        assertThat(brick.await(brick.xlator().list()))
                .extracting(FileInfo::fileName)
                .containsExactly("c");
    }

    @Test
    void shouldBeBusyWhenFileIsOpen() {
        brick.create("a", 10);
        XlatorFile writer = brick.openFile("a");
        XlatorFile reader = brick.openReadOnly("a");
        XlatorFile other = brick.openReadOnly("a");
        assertFails(BlockError.EBUSY, "file=a", () -> brick.openFile("a"));
        brick.close(writer);
        assertFails(BlockError.EBUSY, "file=a", () -> brick.await(brick.xlator().remove("a")));
        assertFails(BlockError.EBUSY, "file=a", () -> brick.await(brick.xlator().rename("a", "b")));
        brick.close(reader);
        assertFails(BlockError.EBUSY, "files=1", () -> brick.await(brick.xlator().close()));
        brick.close(other);
        brick.close(brick.openFile("a"));
        brick.await(brick.xlator().remove("a"));
    }

    @Test
    void shouldRefuseNewFileWhenAnOptionIsWrong() {
        assertFails(
                BlockError.EINVAL,
                "option=cluster_size",
                () -> create("a", 10, Map.of("cluster_size", "64K")));
        assertFails(
                BlockError.EINVAL,
                "actual=metadata",
                () -> create("a", 10, Map.of("preallocation", "metadata")));
        assertFails(BlockError.EINVAL, "sizeBytes=-1", () -> create("a", -1, Map.of()));
        assertFails(BlockError.ENOENT, "file=b", () -> create("a", 10, Map.of("copy_from", "b")));
        assertThat(data.resolve("a")).doesNotExist();
    }

    private void create(String name, long sizeBytes, Map<String, String> options) {
        brick.await(brick.xlator().create(name, new CreateOptions(sizeBytes, options)));
    }

    @Test
    void shouldRemoveWhatWasBeingMadeWhenTheProcessEnded() throws IOException {
        brick.create("kept", 10);
        brick.close();
        Path unfinished = Files.writeString(data.resolve(".quoin/new-7"), "half of a copy");
        brick = TestBrick.open(data);
        assertThat(unfinished).doesNotExist();
        assertThat(data.resolve("kept")).exists();
        brick.create("new-7", 10);
        assertThat(data.resolve("new-7")).exists();
    }

    @Test
    void shouldRenameByLinkWhenTheKernelCannotRefuseToReplace() throws IOException {
        int fd = brickFd();
        Files.writeString(data.resolve("a"), "a");
        Files.writeString(data.resolve("b"), "b");
        byte[] from = TestLibC.text("a");
        assertThat(SystemCalls.linkAndUnlink(fd, from, fd, TestLibC.text("b")))
                .isEqualTo(-Errno.EEXIST);
        assertThat(SystemCalls.linkAndUnlink(fd, from, fd, TestLibC.text("c"))).isZero();
        SystemCalls.close(fd);
        assertThat(data.resolve("a")).doesNotExist();
        assertThat(data.resolve("b")).hasContent("b");
        assertThat(data.resolve("c")).hasContent("a");
    }

    @Test
    void shouldRefuseEverythingWhenClosed() {
        TestBrick closed = TestBrick.open(folder.resolve("closed"));
        closed.close();
        closed.close();
        assertFails(BlockError.ESHUTDOWN, "closed", () -> closed.create("a", 10));
        assertFails(BlockError.ESHUTDOWN, "closed", () -> closed.openFile("a"));
        assertFails(BlockError.ESHUTDOWN, "closed", () -> closed.await(closed.xlator().list()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"falloc", "full"})
    void shouldReserveBlocksWhenAskedTo(String preallocation) {
        create("a", 8L * MIB, Map.of("preallocation", preallocation));
        assertThat(data.resolve("a")).hasSize(8L * MIB);
        assertThat(brick.await(brick.xlator().stat("a")).allocatedBytes())
                .isGreaterThanOrEqualTo(8L * MIB);
    }

    @Test
    void shouldCopyAFileWhenCreatedFromIt() throws IOException {
        brick.create("a", 3L << 30);
        XlatorFile file = brick.openFile("a");
        byte[] written = PosixFileTest.bytes(MIB + 17);
        brick.drive(file).write((3L << 30) - 2 * MIB, written);
        assertFails(
                BlockError.EBUSY, "file=a", () -> create("b", 3L << 30, Map.of("copy_from", "a")));
        brick.close(file);
        assertFails(
                BlockError.EINVAL,
                "smaller than its source",
                () -> create("b", 10, Map.of("copy_from", "a")));
        create("b", 4L << 30, Map.of("copy_from", "a"));
        XlatorFile copy = brick.openReadOnly("b");
        assertThat(copy.geometry().sizeBytes()).isEqualTo(4L << 30);
        assertThat(brick.drive(copy).read((3L << 30) - 2 * MIB, 3 * MIB))
                .startsWith(written)
                .endsWith(new byte[2 * MIB - 17]);
        brick.close(copy);
        assertThat(brick.await(brick.xlator().stat("b")).allocatedBytes()).isLessThan(4L * MIB);
        assertThat(Files.exists(data.resolve("b"))).isTrue();
    }

    @Test
    void shouldRefuseTheFolderWhenItIsAFile() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "");
        assertFails(BlockError.EIO, "errno=ENOTDIR", () -> TestBrick.open(file));
        assertFails(BlockError.EIO, "errno=ENOTDIR", () -> TestBrick.open(file.resolve("below")));
    }

    @Test
    void shouldKeepFilesApartWhenTheirNamesAreNoUtf8() {
        List<String> names = List.of("gr\u00F6\u00DFe", "\uDCE4", "\uDCF6");
        for (int i = 0; i < names.size(); i++) {
            brick.create(names.get(i), i + 1);
        }
        assertThat(brick.await(brick.xlator().list()))
                .extracting(FileInfo::fileName, FileInfo::sizeBytes)
                .containsExactlyInAnyOrder(
                        org.assertj.core.groups.Tuple.tuple(names.get(0), 1L),
                        org.assertj.core.groups.Tuple.tuple(names.get(1), 2L),
                        org.assertj.core.groups.Tuple.tuple(names.get(2), 3L));
        assertFails(
                BlockError.EINVAL,
                "name cannot be written in UTF-8",
                () -> brick.create("\uDCC3\uDCA4", 1)); // another text of a name that is one
        assertFails(
                BlockError.EINVAL,
                "name cannot be written in UTF-8",
                () -> brick.create("\uD800", 1));
    }
}
