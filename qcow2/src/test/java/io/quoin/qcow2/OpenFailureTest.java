package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockException;
import io.quoin.block.IoOp;
import io.quoin.qcow2.io.ChildFiles;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.fault.ReorderingXlator;
import io.quoin.testkit.log.LogsErrors;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.boundary.BoundaryXlator;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever fails while an image is opened, and however late its reads end: no file stays open. */
@Timeout(60)
@LogsErrors("image is corrupt: ")
class OpenFailureTest {
    private static final long SIZE = 16L << 20;
    private static final int SEEDS = 4;
    private static final List<String> FILES =
            List.of("top.qcow2", "top.data", "base.qcow2", "base.raw");

    private final MemoryXlator memory = new MemoryXlator("brick");
    private final FaultyBrick faulty = new FaultyBrick(memory);
    private BoundaryXlator brick = new BoundaryXlator(faulty);
    private ImageFixture images;

    @TempDir Path folder;

    @BeforeEach
    void makeAChain() {
        memory.put("base.raw", new byte[1 << 20]);
        images = new ImageFixture(folder, memory, brick, Map.of());
        images.create("base.qcow2", SIZE, Map.of("backing_file", "base.raw", "backing_fmt", "raw"));
        images.create(
                "top.qcow2",
                SIZE,
                Map.of(
                        "backing_file", "base.qcow2",
                        "backing_fmt", "qcow2",
                        "data_file", "top.data"));
    }

    private void reorder(long seed) {
        brick = new BoundaryXlator(new ReorderingXlator("reorder", faulty, seed));
        images = new ImageFixture(folder, memory, brick, Map.of());
    }

    private void checkNothingIsOpen(String when) {
        images.loops.runUntilIdle();
        assertThat(brick.statistics()).as(when).containsEntry("files-open", 0);
        for (String file : FILES) {
            memory.put(file, memory.content(file)); // which refuses to replace an open one
        }
    }

    @ParameterizedTest
    @EnumSource(OpenMode.class)
    void shouldLeaveNoFileOpenWhenAnyReadFailsAndOthersAreLate(OpenMode mode) {
        for (int seed = 1; seed <= SEEDS; seed++) {
            boolean opened = false;
            for (int good = 0; !opened; good++) {
                reorder(seed);
                int[] left = {good};
                faulty.failing = (file, request) -> request.op() == IoOp.READ && left[0]-- <= 0;
                try {
                    images.close(images.open("top.qcow2", mode));
                    opened = left[0] >= 0;
                } catch (BlockException e) {
                    assertThat(left[0]).as("reads left").isNegative();
                }
                checkNothingIsOpen("seed=" + seed + ", reads that are right=" + good);
            }
        }
    }

    @Test
    void shouldCloseTheBackingFileWhenMetadataOverlap() {
        ByteBuffer bytes = ByteBuffer.wrap(memory.content("top.qcow2"));
        long refcountTable = bytes.getLong(48);
        bytes.putLong((int) bytes.getLong(40), refcountTable | 1L << 63);
        memory.put("top.qcow2", bytes.array());
        for (int seed = 1; seed <= SEEDS; seed++) {
            reorder(seed);
            assertThatThrownBy(() -> images.open("top.qcow2", OpenMode.READ_WRITE))
                    .hasMessageContaining("overlaps other metadata");
            checkNothingIsOpen("seed=" + seed);
        }
    }

    @Test
    void shouldCloseTheFileWhenItsUseThrowsAnErrorOfTheProgram() {
        XlatorFile file = images.loops.await(brick.open("base.raw", OpenOptions.READ_ONLY, loop()));
        boolean[] closed = {false};
        XlatorFile watched =
                new PassThroughFile(file) {
                    @Override
                    public CompletableFuture<Void> close() {
                        closed[0] = true;
                        return below().close().toCompletableFuture();
                    }
                };
        CompletableFuture<Void> used =
                images.loops
                        .loop(0)
                        .call(
                                () ->
                                        ChildFiles.<Void>orClose(
                                                watched,
                                                open -> {
                                                    throw new OutOfMemoryError("no direct memory");
                                                }))
                        .toCompletableFuture();
        assertThatThrownBy(() -> images.loops.await(used)).isNotNull();
        assertThat(closed[0]).isTrue();
        checkNothingIsOpen("after an error");
    }

    private io.quoin.xlator.loop.Loop loop() {
        return images.loops.loop(0);
    }
}
