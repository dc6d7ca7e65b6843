package io.quoin.brick.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.log.LogsErrors;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class DescriptorTest {
    private static final int TRIES_MAX = 1000;

    @TempDir Path folder;

    private Descriptor open(String name) {
        byte[] path = FileNames.encodePath(folder.resolve(name).toString());
        int flags = SystemCalls.O_RDWR | SystemCalls.O_CREAT;
        Descriptor descriptor = Descriptor.open(SystemCalls.AT_FDCWD, path, flags, 0600);
        assertThat(descriptor.isOpen()).isTrue();
        return descriptor;
    }

    /** Opens files until one has the number; the others are closed by the test. */
    private Descriptor reuse(int number, List<Descriptor> others) {
        for (int i = 0; i < TRIES_MAX; i++) {
            Descriptor next = open("other");
            if (next.fd() == number) {
                return next;
            }
            others.add(next);
        }
        throw new AssertionError("number is not given again: fd=" + number);
    }

    @Test
    void shouldNotTouchItsNumberWhenThatIsAnothersByNow() throws IOException {
        Files.writeString(folder.resolve("other"), "theirs");
        Descriptor first = open("first");
        int number = first.fd();
        assertThat(first.tryClose()).isZero();
        List<Descriptor> others = new ArrayList<>();
        Descriptor heir = reuse(number, others);
        try {
            UnsafeBuffer memory = FileDriver.direct(6);
            assertThat(first.tryClose()).isZero();
            first.close();
            assertThat(first.isOpen()).isFalse();
            assertThat(first.errno()).isEqualTo(Errno.EBADF);
            assertThat(SystemCalls.pwrite(first.fd(), memory.addressOffset(), 6, 0))
                    .isEqualTo(-Errno.EBADF);
            assertThat(SystemCalls.ftruncate(first.fd(), 0)).isEqualTo(-Errno.EBADF);
            assertThat(SystemCalls.pread(heir.fd(), memory.addressOffset(), 6, 0)).isEqualTo(6);
            assertThat(memory.getStringWithoutLengthAscii(0, 6)).isEqualTo("theirs");
        } finally {
            heir.close();
            others.forEach(Descriptor::close);
        }
    }

    @Test
    void shouldHaveNothingToCloseWhenOpeningFails() {
        byte[] path = FileNames.encodePath(folder.resolve("missing").toString());
        try (Descriptor none =
                Descriptor.open(SystemCalls.AT_FDCWD, path, SystemCalls.O_RDONLY, 0)) {
            assertThat(none.isOpen()).isFalse();
            assertThat(none.errno()).isEqualTo(Errno.ENOENT);
            assertThat(none.tryClose()).isZero();
            assertThat(none.errno()).isEqualTo(Errno.ENOENT);
        }
    }

    @Test
    void shouldEndTheProcessWhenTheNumberHasASecondOwner() {
        List<String> ends = new ArrayList<>();
        Consumer<String> before = Distrust.onEnd(ends::add);
        try {
            Descriptor descriptor = open("stolen");
            int number = descriptor.fd();
            SystemCalls.close(number);
            assertThat(descriptor.tryClose()).isEqualTo(-Errno.EBADF);
            assertThat(ends).singleElement().asString().contains("fd=" + number);
        } finally {
            Distrust.onEnd(before);
        }
    }

    @Test
    @LogsErrors("file takes no more writes until it is opened again")
    void shouldEndTheProcessWhenTheKernelDoesNotKnowAFileInUse() {
        List<String> ends = new ArrayList<>();
        Consumer<String> before = Distrust.onEnd(ends::add);
        try (TestBrick brick = TestBrick.open(folder.resolve("brick"))) {
            brick.create("disk.raw", 4096);
            PosixFile file = (PosixFile) brick.openFile("disk.raw");
            SystemCalls.close(file.fd());
            assertThat(brick.drive(file).write(0, new byte[512], 0)).isEqualTo(BlockError.EIO);
            assertThat(ends).singleElement().asString().contains("fd=" + file.fd());
            assertThatThrownBy(() -> brick.close(file)).hasMessageContaining("may be lost");
        } finally {
            Distrust.onEnd(before);
        }
    }

    @Test
    void shouldReachNoOtherFileWhenAFileIsUsedAfterItsEnd() {
        try (TestBrick brick = TestBrick.open(folder.resolve("brick"))) {
            brick.create("gone.raw", 4096);
            brick.create("here.raw", 4096);
            XlatorFile gone = brick.openFile("gone.raw");
            brick.close(gone);
            XlatorFile here = brick.openFile("here.raw");
            byte[] mine = PosixFileTest.bytes(4096);
            brick.drive(here).write(0, mine);
            FileDriver late = brick.drive(gone);
            assertThat(late.write(0, new byte[4096], 0)).isEqualTo(BlockError.EIO);
            assertThat(late.zero(0, 4096, 0)).isEqualTo(BlockError.EIO);
            assertThat(late.await(late.startRead(0, 4096))).isEqualTo(BlockError.EIO);
            brick.close(gone);
            assertThat(brick.drive(here).read(0, 4096)).isEqualTo(mine);
            brick.close(here);
        }
    }
}
