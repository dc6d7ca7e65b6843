package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.log.LogsErrors;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Backing files that several images of one loop stand on. */
@Timeout(120)
@LogsErrors("image is corrupt: ")
class SharedParentsTest {
    private static final long SIZE = 4 << 20;
    private static final int CHILDREN = 100;

    @TempDir private Path folder;

    private final MemoryXlator memory = new MemoryXlator("brick");
    private final Counted brick = new Counted(memory);

    /** Counts what is open, and the reads of each file. */
    private static final class Counted extends PassThroughXlator {
        private final Map<String, Integer> open = new TreeMap<>();
        private final Map<String, Integer> reads = new TreeMap<>();

        Counted(MemoryXlator memory) {
            super("counted", "test/counted", memory);
        }

        @Override
        public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
            return super.open(fileName, options, loop)
                    .thenApply(
                            file -> {
                                open.merge(fileName, 1, Integer::sum);
                                return new CountedFile(file, fileName);
                            });
        }

        private final class CountedFile extends PassThroughFile {
            private final String name;

            CountedFile(XlatorFile below, String name) {
                super(below);
                this.name = name;
            }

            @Override
            public void submit(io.quoin.block.IoRequest request) {
                if (request.op() == IoOp.READ) {
                    reads.merge(name, 1, Integer::sum);
                }
                super.submit(request);
            }

            @Override
            public CompletionStage<Void> close() {
                open.computeIfPresent(name, (file, count) -> count == 1 ? null : count - 1);
                return super.close();
            }
        }
    }

    private ImageFixture withBase() {
        ImageFixture images = new ImageFixture(folder, memory, brick, Map.of());
        images.create("base.qcow2", SIZE, Map.of());
        XlatorFile base = images.open("base.qcow2", OpenMode.READ_WRITE);
        byte[] data = new byte[(int) SIZE];
        Arrays.fill(data, (byte) 7);
        images.driver(base).write(0, data);
        images.close(base);
        return images;
    }

    @Test
    void shouldOpenEachLevelOnceForAllThatStandOnItAndReadItsTablesOnce() {
        ImageFixture images = withBase();
        overlay(images, "mid.qcow2", "base.qcow2");
        List<XlatorFile> children = new ArrayList<>();
        for (int i = 0; i < CHILDREN; i++) {
            overlay(images, "ov" + i + ".qcow2", "mid.qcow2");
            children.add(images.open("ov" + i + ".qcow2", OpenMode.READ_WRITE));
            assertThat(brick.open.get("mid.qcow2")).isEqualTo(1);
            assertThat(brick.open.get("base.qcow2")).isEqualTo(1);
        }
        images.driver(children.get(0)).read(0, 65536);
        brick.reads.clear();
        byte[] stamp = new byte[4096];
        for (int i = 0; i < CHILDREN; i++) {
            FileDriver driver = images.driver(children.get(i));
            Arrays.fill(stamp, (byte) i);
            driver.write(0, stamp);
            assertThat(driver.read(0, 8192)).startsWith(stamp).endsWith(7, 7, 7, 7);
        }
        // 4 KiB of content for each copy on write or read, and no table.
        assertThat(brick.reads.get("base.qcow2")).isLessThanOrEqualTo(2 * CHILDREN);
        assertThat(brick.reads.getOrDefault("mid.qcow2", 0)).isZero();

        for (int i = 0; i < CHILDREN; i++) {
            assertThat(brick.open).containsKeys("mid.qcow2", "base.qcow2");
            images.close(children.get(i));
        }
        assertThat(brick.open).isEmpty();
        images.close(images.open("ov0.qcow2", OpenMode.READ_ONLY));
        assertThat(brick.open).isEmpty();
    }

    @Test
    void shouldTellEachChildOfACorruptParent() {
        ImageFixture images = withBase();
        overlay(images, "a.qcow2", "base.qcow2");
        overlay(images, "b.qcow2", "base.qcow2");
        byte[] bytes = memory.content("base.qcow2");
        java.nio.ByteBuffer image = java.nio.ByteBuffer.wrap(bytes);
        long l1 = image.getLong(40);
        int l2 = (int) (image.getLong((int) l1) & 0x00ff_ffff_ffff_fe00L);
        image.putLong(l2, image.getLong(l2) | 0x200); // no multiple of the cluster size
        memory.put("base.qcow2", bytes);

        XlatorFile a = images.open("a.qcow2", OpenMode.READ_WRITE);
        XlatorFile b = images.open("b.qcow2", OpenMode.READ_WRITE);
        for (XlatorFile child : List.of(a, b)) {
            FileDriver driver = images.driver(child);
            FileDriver.Pending read = driver.startRead(0, 4096);
            assertThat(driver.await(read)).isEqualTo(BlockError.EIO);
            assertThat(driver.read(65536, 4096)).containsOnly(7);
            assertThat(driver.zero(0, 65536, IoFlags.NONE)).isEqualTo(BlockError.OK);
        }
        for (XlatorFile child : List.of(a, b)) {
            Map<String, Object> details = images.loops.loop(0).call(child::details);
            assertThat(details).containsEntry("corrupt", false);
            assertThat((Map<?, ?>) details.get("backing")).isNotNull();
            assertThat(((Map<?, ?>) details.get("backing")).get("corrupt")).isEqualTo(true);
        }
        images.close(a);
        images.close(b);
        assertThat(brick.open).isEmpty();
    }

    @Test
    void shouldShareWhatIsBeingOpenedAndCloseAllWhenItCannotBe() {
        ImageFixture images = withBase();
        overlay(images, "a.qcow2", "base.qcow2");
        overlay(images, "b.qcow2", "base.qcow2");
        Loop loop = images.loops.loop(0);
        CompletionStage<XlatorFile> a = images.volume.open("a.qcow2", OpenOptions.READ_WRITE, loop);
        CompletionStage<XlatorFile> b = images.volume.open("b.qcow2", OpenOptions.READ_WRITE, loop);
        XlatorFile first = images.loops.await(a);
        XlatorFile second = images.loops.await(b);
        assertThat(brick.open.get("base.qcow2")).isEqualTo(1);
        images.close(first);
        assertThat(images.driver(second).read(0, 512)).containsOnly(7);
        images.close(second);

        byte[] broken = memory.content("base.qcow2");
        broken[0] = 0;
        memory.put("base.qcow2", broken);
        CompletionStage<XlatorFile> c = images.volume.open("a.qcow2", OpenOptions.READ_WRITE, loop);
        CompletionStage<XlatorFile> d = images.volume.open("b.qcow2", OpenOptions.READ_WRITE, loop);
        assertThatThrownBy(() -> images.loops.await(c)).hasMessageContaining("base.qcow2");
        assertThatThrownBy(() -> images.loops.await(d)).hasMessageContaining("base.qcow2");
        assertThat(brick.open).isEmpty();
    }

    @Test
    void shouldEndWhenTwoImagesOfOneLoopOfBackingFilesAreOpenedAtOnce() {
        ImageFixture images = withBase();
        overlay(images, "a.qcow2", "base.qcow2");
        overlay(images, "x.qcow2", "a.qcow2");
        overlay(images, "y.qcow2", "base.qcow2");
        byte[] cycle = memory.content("x.qcow2"); // names a.qcow2
        memory.put("base.qcow2", cycle); // a -> base -> a
        Loop loop = images.loops.loop(0);
        CompletionStage<XlatorFile> x = images.volume.open("x.qcow2", OpenOptions.READ_ONLY, loop);
        CompletionStage<XlatorFile> y = images.volume.open("y.qcow2", OpenOptions.READ_ONLY, loop);
        assertThatThrownBy(() -> images.loops.await(x)).hasMessageContaining("loop");
        assertThatThrownBy(() -> images.loops.await(y)).hasMessageContaining("loop");
        assertThat(brick.open).isEmpty();
    }

    private static void overlay(ImageFixture images, String name, String backing) {
        images.create(name, 0, Map.of("backing_file", backing, "backing_fmt", "qcow2"));
    }
}
