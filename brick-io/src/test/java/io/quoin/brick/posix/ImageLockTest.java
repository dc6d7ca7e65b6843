package io.quoin.brick.posix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.testkit.peer.Peer;
import io.quoin.testkit.peer.PeerCommand;
import io.quoin.testkit.peer.PeerProcess;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.XlatorFile;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Files that two programs want: two of Quoin, or Quoin and QEMU. */
@Timeout(60)
class ImageLockTest {
    private static final String NAME = "disk.raw";
    private static final String IMAGE = "disk.qcow2";
    private static final Map<String, String> PLAIN = Map.of("brick", "off");

    @TempDir Path folder;

    private TestBrick one;
    private TestBrick other;

    @BeforeEach
    void open() {
        one = TestBrick.open(folder, PLAIN);
        other = TestBrick.open(folder, PLAIN);
        one.create(NAME, 1 << 20);
    }

    @AfterEach
    void close() {
        one.close();
        other.close();
    }

    private static void assertBusy(ThrowingCallable call) {
        assertBusy(NAME, call);
    }

    private static void assertBusy(String name, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        BlockException.class,
                        e -> assertThat(e.error()).isEqualTo(BlockError.EBUSY))
                .hasMessageContaining("file is in use: file=" + name);
    }

    @Test
    void shouldKeepAllOthersOutWhileItWrites() {
        XlatorFile writer = one.openFile(NAME);
        assertBusy(() -> other.openFile(NAME));
        assertBusy(() -> other.openReadOnly(NAME));
        assertBusy(() -> other.await(other.xlator().remove(NAME)));
        other.create("by", 512);
        assertBusy(() -> other.await(other.xlator().replace(NAME, "by")));
        assertBusy(() -> other.await(other.xlator().replace("by", NAME)));
        one.close(writer);
        other.close(other.openFile(NAME));
        other.await(other.xlator().remove(NAME));
    }

    @Test
    void shouldLetOthersReadAndNoneWriteWhileItReads() {
        XlatorFile reader = one.openReadOnly(NAME);
        other.close(other.openReadOnly(NAME));
        assertBusy(() -> other.openFile(NAME));
        one.close(reader);
        other.close(other.openFile(NAME));
    }

    @Test
    void shouldCountAsOneWhenItReadsAndWritesItself() {
        XlatorFile reader = one.openReadOnly(NAME);
        XlatorFile writer = one.openFile(NAME);
        assertBusy(() -> other.openReadOnly(NAME));
        one.close(writer);
        XlatorFile otherReader = other.openReadOnly(NAME);
        // Refused, and left a reader.
        assertBusy(() -> one.openFile(NAME));
        assertBusy(() -> other.openFile(NAME));
        one.close(reader);
        other.close(otherReader);
        other.close(other.openFile(NAME));
    }

    @Test
    void shouldCopyNothingThatIsBeingWritten() {
        XlatorFile writer = one.openFile(NAME);
        CreateOptions copy = new CreateOptions(1 << 20, Map.of("copy_from", NAME));
        assertBusy(() -> other.await(other.xlator().create("copy.raw", copy)));
        one.close(writer);
        other.await(other.xlator().create("copy.raw", copy));
    }

    @Test
    void shouldReadWhatIsBeingWrittenWhenItTakesNoLocks() {
        XlatorFile writer = one.openFile(NAME);
        TestBrick careless = TestBrick.open(folder, Map.of("brick", "off", "locking", "off"));
        careless.close(careless.openReadOnly(NAME));
        careless.close();
        one.close(writer);
    }

    @Test
    void shouldBeRespectedByQemu() {
        Path image = qemuImage();
        XlatorFile writer = one.openFile(IMAGE);
        assertThat(Peer.QEMU_IMG.command("check", image + "").run().stderr())
                .contains("Failed to get shared \"write\" lock");
        one.close(writer);
        XlatorFile reader = one.openReadOnly(IMAGE);
        Peer.QEMU_IMG.command("check", image + "").runOk();
        assertThat(Peer.QEMU_IMG.command("resize", image + "", "2M").run().stderr())
                .contains("Failed to get \"write\" lock");
        one.close(reader);
        Peer.QEMU_IMG.command("resize", image + "", "2M").runOk();
    }

    @Test
    void shouldRespectQemu() {
        Path image = qemuImage();
        Path writing = folder.resolve("writer.sock");
        try (PeerProcess writer =
                serve(writing, Peer.QEMU_NBD.command("-t", "-k", writing + "", image + ""))) {
            assertThat(writer.alive()).isTrue();
            assertBusy(IMAGE, () -> one.openFile(IMAGE));
            assertBusy(IMAGE, () -> one.openReadOnly(IMAGE));
        }
        Path reading = folder.resolve("reader.sock");
        try (PeerProcess reader =
                serve(reading, Peer.QEMU_NBD.command("-t", "-r", "-k", reading + "", image + ""))) {
            assertThat(reader.alive()).isTrue();
            one.close(one.openReadOnly(IMAGE));
            assertBusy(IMAGE, () -> one.openFile(IMAGE));
        }
        one.close(one.openFile(IMAGE));
    }

    private Path qemuImage() {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_NBD);
        Path image = folder.resolve(IMAGE);
        Peer.QEMU_IMG.command("create", "-q", "-f", "qcow2", image + "", "1M").runOk();
        return image;
    }

    /** The socket is there before the image is open; the answer comes afterwards. */
    private static PeerProcess serve(Path socket, PeerCommand server) {
        PeerProcess process = server.start().awaitSocket(socket, Duration.ofSeconds(20));
        Peer.QEMU_IMG.command("info", "nbd+unix:///?socket=" + socket).runOk();
        return process;
    }
}
