package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.qcow2.bitmap.BitmapControl;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What bitmaps say when the file below fails for a while. */
@Timeout(60)
class BitmapFaultTest {
    private static final String NAME = "disk.qcow2";
    private static final int CLUSTER = 512;
    private static final int SIZE = 1 << 20;

    @TempDir Path folder;

    @Test
    @DisplayName(
            "QCOW2 117, 139: a shrink that fails half-way leaves a mark on all that it changed")
    void shouldMarkWhatHasChangedWhenShrinkFailsHalfWay() {
        MemoryXlator brick = new MemoryXlator("brick");
        FailingReads failing = new FailingReads(brick);
        ImageFixture images = new ImageFixture(folder, brick, failing, Map.of());
        images.create(NAME, SIZE, Map.of("cluster_size", "" + CLUSTER));
        byte[] content = new byte[SIZE];
        Arrays.fill(content, (byte) 1);
        XlatorFile made = images.open(NAME, OpenMode.READ_WRITE);
        images.driver(made).write(0, content);
        BitmapControl control = BitmapControl.of(made).orElseThrow();
        images.loops.await(images.loops.loop(0).call(() -> control.add("on", CLUSTER, true)));
        images.close(made);

        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        // Tables of what stays and some of what goes are read; the next one cannot be.
        driver.read(0, SIZE / 2);
        failing.readsLeft = 2;
        assertThatThrownBy(
                        () ->
                                images.loops.await(
                                        images.loops.loop(0).call(() -> file.shrink(SIZE / 4))))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("resize failed");
        failing.readsLeft = Integer.MAX_VALUE;
        byte[] after = driver.read(0, SIZE);
        images.close(file);
        BitmapsOnDisk.Found found = BitmapsOnDisk.read(brick.content(NAME)).get("on");
        assertThat(found.inUse()).isFalse();
        int changed = 0;
        for (int at = 0; at < SIZE; at += CLUSTER) {
            if (after[at] != 1) {
                changed++;
                assertThat(found.isMarked(at)).as("guest offset %d", at).isTrue();
            }
        }
        assertThat(changed).isPositive();
        assertThat(found.isMarked(SIZE / 4 - 1)).isFalse();
    }

    /** Reads fail once so many have been done. */
    private static final class FailingReads extends PassThroughXlator {
        private int readsLeft = Integer.MAX_VALUE;

        FailingReads(Xlator subvolume) {
            super("failing", "test/failing", subvolume);
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
                                            if (request.op() == IoOp.READ && readsLeft-- <= 0) {
                                                request.complete(BlockError.EIO);
                                            } else {
                                                below().submit(request);
                                            }
                                        }
                                    });
        }
    }
}
