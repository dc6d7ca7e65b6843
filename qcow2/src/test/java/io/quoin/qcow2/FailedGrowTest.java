package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.log.LogsErrors;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A grow that fails on its way to a longer L1 table. */
@Timeout(60)
@LogsErrors("image refuses writes from now on: ")
class FailedGrowTest {
    private static final String NAME = "disk.qcow2";
    private static final int SIZE = 1 << 20;
    private static final int NEW_SIZE = 64 << 20;
    private static final int NEW_L1_BYTES = NEW_SIZE / (64 * 512) * Long.BYTES;

    @TempDir Path folder;
    private FaultyBrick brick;
    private ImageFixture images;
    private XlatorFile file;
    private FileDriver driver;
    private long newL1Offset;

    @BeforeEach
    void start() {
        Peer.assumeAll(Peer.QEMU_IMG);
        MemoryXlator memory = new MemoryXlator("brick");
        brick = new FaultyBrick(memory);
        images = new ImageFixture(folder, memory, brick, Map.of());
        images.create(NAME, SIZE, Map.of("cluster_size", "512"));
        file = images.open(NAME, OpenMode.READ_WRITE);
        driver = images.driver(file);
        driver.write(0, new byte[] {1, 2, 3});
    }

    @Test
    void shouldLeakNothingWhenTheNewL1CannotBeWritten() throws IOException {
        brick.error = BlockError.ENOSPC;
        brick.failing =
                (name, request) ->
                        request.op() == IoOp.WRITE && request.lengthBytes() == NEW_L1_BYTES;
        for (int i = 0; i < 3; i++) {
            assertGrowFails(BlockError.ENOSPC);
        }
        brick.failing = (name, request) -> false;
        images.loops.await(images.loops.loop(0).call(() -> file.resize(NEW_SIZE)));
        driver.write(NEW_SIZE - 3, new byte[] {4, 5, 6});
        images.close(file);
        images.checkClean(NAME);
        XlatorFile again = images.open(NAME, OpenMode.READ_ONLY);
        assertThat(images.driver(again).read(0, 3)).containsExactly(1, 2, 3);
        assertThat(images.driver(again).read(NEW_SIZE - 3, 3)).containsExactly(4, 5, 6);
        images.close(again);
    }

    /** Whether it is on disk is not known; here it is. */
    @Test
    void shouldKeepTheNewL1WhenTheSwitchOfTheHeaderFails() throws IOException {
        brick.failing = (name, request) -> isHeaderAfterL1(request);
        assertGrowFails(BlockError.EIO);
        brick.failing = (name, request) -> false;
        assertThatThrownBy(() -> images.close(file)).isInstanceOf(BlockException.class);
        byte[] bytes = images.brick.content(NAME);
        ByteBuffer.wrap(bytes).putInt(36, NEW_L1_BYTES / Long.BYTES).putLong(40, newL1Offset);
        images.brick.put(NAME, bytes);
        images.checkLeaksAtWorst(NAME);
        XlatorFile again = images.open(NAME, OpenMode.READ_ONLY);
        assertThat(images.driver(again).read(0, 3)).containsExactly(1, 2, 3);
        images.close(again);
    }

    private boolean isHeaderAfterL1(IoRequest request) {
        if (request.op() != IoOp.WRITE) {
            return false;
        }
        if (request.lengthBytes() == NEW_L1_BYTES) {
            newL1Offset = request.offsetBytes();
        }
        return newL1Offset != 0 && request.offsetBytes() == 0;
    }

    private void assertGrowFails(BlockError error) {
        assertThatThrownBy(
                        () ->
                                images.loops.await(
                                        images.loops.loop(0).call(() -> file.resize(NEW_SIZE))))
                .isInstanceOfSatisfying(
                        BlockException.class, e -> assertThat(e.error()).isEqualTo(error));
    }
}
