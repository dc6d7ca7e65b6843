package io.quoin.brick.posix;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class RangeCopyTest {
    private static final int MIB = 1 << 20;
    private static final long FAR = 5L << 30;

    @TempDir Path folder;

    private int source;
    private int target;

    @BeforeEach
    void openFiles() {
        source = open("source");
        target = open("target");
    }

    @AfterEach
    void closeFiles() {
        SystemCalls.close(source);
        SystemCalls.close(target);
    }

    private int open(String name) {
        int flags = SystemCalls.O_RDWR | SystemCalls.O_CREAT;
        byte[] path = TestLibC.text(folder.resolve(name).toString());
        int fd = SystemCalls.openat(SystemCalls.AT_FDCWD, path, flags, 0600);
        assertThat(fd).isPositive();
        return fd;
    }

    private void write(String name, long offset, byte[] data) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(folder.resolve(name).toFile(), "rw")) {
            file.seek(offset);
            file.write(data);
        }
    }

    private byte[] read(String name, long offset, int length) throws IOException {
        byte[] data = new byte[length];
        try (RandomAccessFile file = new RandomAccessFile(folder.resolve(name).toFile(), "r")) {
            file.seek(offset);
            file.readFully(data);
        }
        return data;
    }

    /**
     * The sixth argument of copy_file_range must be 0: with garbage there the kernel says EINVAL.
     */
    @Test
    void shouldCopyInTheKernelWhenOffsetsAreLargeAndUnaligned() throws IOException {
        byte[] data = PosixFileTest.bytes(3 * MIB + 5);
        write("source", FAR + 3, data);
        for (int i = 0; i < 1000; i++) { // interpreted and compiled
            assertThat(RangeCopy.copyInKernel(source, FAR + 3 + i, target, i, 100)).isEqualTo(100);
        }
        assertThat(RangeCopy.copyInKernel(source, FAR + 3, target, 2 * FAR + 1, data.length))
                .isEqualTo(data.length);
        assertThat(read("target", 2 * FAR + 1, data.length)).isEqualTo(data);
        assertThat(read("target", 0, 1000)).isEqualTo(Arrays.copyOf(data, 1000));
    }

    @Test
    void shouldCopyThroughMemoryWhenTheKernelWouldNot() throws IOException {
        byte[] data = PosixFileTest.bytes(3 * MIB + 5);
        write("source", 77, data);
        assertThat(RangeCopy.copyThroughMemory(source, 77, target, FAR, data.length)).isZero();
        assertThat(read("target", FAR, data.length)).isEqualTo(data);
        assertThat(RangeCopy.copyThroughMemory(source, 78, target, FAR, data.length))
                .isEqualTo(-Errno.EIO);
    }

    @Test
    void shouldKeepHolesWhenCopyingAWholeFile() throws IOException {
        byte[] data = PosixFileTest.bytes(MIB);
        write("source", 0, data);
        write("source", FAR, data);
        assertThat(SystemCalls.ftruncate(source, 2 * FAR)).isZero();
        assertThat(RangeCopy.copyFile(source, target, 2 * FAR)).isZero();
        assertThat(Files.size(folder.resolve("target"))).isEqualTo(2 * FAR);
        assertThat(read("target", 0, MIB)).isEqualTo(data);
        assertThat(read("target", FAR, MIB)).isEqualTo(data);
        FileStatus status = new FileStatus();
        assertThat(status.ofOpenFile(target)).isZero();
        assertThat(status.allocatedBytes()).isLessThan(4L * MIB);
    }

    @Test
    void shouldSayWhyWhenTheFileSystemCannotShareBlocks() throws IOException {
        write("source", 0, new byte[8192]);
        int cloned = SystemCalls.clone(target, source);
        int ranged = SystemCalls.cloneRange(target, 4096, source, 4096, 4096);
        if (cloned == 0) {
            assertThat(ranged).isZero();
            assertThat(Files.size(folder.resolve("target"))).isEqualTo(8192);
        } else {
            assertThat(cloned).isIn(-Errno.EOPNOTSUPP, -25, -Errno.EXDEV);
            assertThat(ranged).isEqualTo(cloned);
        }
    }
}
