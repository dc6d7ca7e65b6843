package io.quoin.qcow2.catalogue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.ImageFixture;
import io.quoin.testkit.MemoryXlator;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.PassThroughXlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Lists of images in memory, and which headers they read. */
@Timeout(120)
class ImageCatalogueTest {
    private static final long SIZE = 1 << 20;
    private static final int SIZE_OFFSET = 24;

    @TempDir private Path folder;

    private final MemoryXlator memory = new MemoryXlator("brick");
    private final Watched brick = new Watched(memory);
    private ImageFixture images;

    /** Tells which files are opened, and whether they have changed. */
    private static final class Watched extends PassThroughXlator {
        private final MemoryXlator memory;
        private final List<String> opened = new ArrayList<>();
        private final Set<String> unreadable = new HashSet<>();
        private final Map<String, Long> fileIds = new HashMap<>();
        private boolean stamps = true;
        private String vanishing = "";
        private int open;
        private int openMax;

        Watched(MemoryXlator memory) {
            super("watched", "test/watched", memory);
            this.memory = memory;
        }

        @Override
        public CompletionStage<List<FileInfo>> list() {
            return memory.list().thenApply(infos -> infos.stream().map(this::known).toList());
        }

        @Override
        public CompletionStage<FileInfo> stat(String fileName) {
            return memory.stat(fileName).thenApply(this::known);
        }

        private FileInfo known(FileInfo info) {
            String name = info.fileName();
            long stamp = 1L + java.util.Arrays.hashCode(memory.content(name));
            return new FileInfo(
                    name,
                    info.sizeBytes(),
                    info.allocatedBytes(),
                    fileIds.getOrDefault(name, 0L),
                    stamps ? stamp : 0);
        }

        @Override
        public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
            opened.add(fileName);
            if (unreadable.contains(fileName)) {
                return CompletableFuture.failedFuture(
                        new BlockException(BlockError.EIO, "bad sector: file=" + fileName));
            }
            if (fileName.equals(vanishing)) {
                memory.remove(fileName).toCompletableFuture().join();
            }
            openMax = Math.max(openMax, ++open);
            return super.open(fileName, options, loop).thenApply(Counted::new);
        }

        private final class Counted extends PassThroughFile {
            Counted(XlatorFile below) {
                super(below);
            }

            @Override
            public CompletionStage<Void> close() {
                open--;
                return super.close();
            }
        }
    }

    @BeforeEach
    void makeVolume() {
        images = new ImageFixture(folder, memory, brick, Map.of());
    }

    @Test
    void shouldReadNoHeaderAgainWhenNoFileHasChanged() {
        images.create("image.qcow2", SIZE, Map.of());
        byte[] image = memory.content("image.qcow2");
        for (int i = 0; i < 500; i++) {
            memory.put("image" + i + ".qcow2", withSize(image, SIZE + i * 512L));
        }
        memory.put("plain.raw", new byte[512]);
        brick.openMax = 0;
        Map<String, Long> first = list();
        assertThat(first).hasSize(502).containsEntry("plain.raw", 512L);
        for (int i = 0; i < 500; i++) {
            assertThat(first).containsEntry("image" + i + ".qcow2", SIZE + i * 512L);
        }
        assertThat(brick.openMax).as("headers that are read at the same time").isEqualTo(8);

        brick.opened.clear();
        assertThat(list()).isEqualTo(first);
        assertThat(images.loops.await(images.volume.stat("image7.qcow2")).sizeBytes())
                .isEqualTo(SIZE + 7 * 512);
        assertThat(brick.opened).isEmpty();
    }

    @Test
    void shouldServeListsAndOpensFromTheSameHeaders() {
        images.create("base.qcow2", SIZE, Map.of());
        Map<String, String> backing = Map.of("backing_file", "base.qcow2", "backing_fmt", "qcow2");
        images.create("ov.qcow2", 0, backing);
        images.create("free.qcow2", SIZE, Map.of());
        list();
        brick.opened.clear();
        assertFails("base.qcow2", BlockError.EROFS);
        assertThat(brick.opened).isEmpty();
        images.close(images.open("free.qcow2", OpenMode.READ_WRITE));
        assertThat(brick.opened).containsExactly("free.qcow2");
    }

    @Test
    void shouldReadOnlyTheHeaderOfAFileThatHasChanged() {
        images.create("a.qcow2", SIZE, Map.of());
        images.create("b.qcow2", SIZE, Map.of());
        list();
        memory.put("b.qcow2", withSize(memory.content("b.qcow2"), 2 * SIZE));
        brick.opened.clear();
        assertThat(list()).containsEntry("a.qcow2", SIZE).containsEntry("b.qcow2", 2 * SIZE);
        assertThat(brick.opened).containsExactly("b.qcow2");
    }

    @Test
    void shouldReadTheHeaderAgainEachTimeWhileTheStampSaysNothing() {
        brick.stamps = false;
        images.create("a.qcow2", SIZE, Map.of());
        list();
        brick.opened.clear();
        list();
        assertThat(brick.opened).containsExactly("a.qcow2");
    }

    @Test
    void shouldForgetAnImageThatIsGone() {
        images.create("a.qcow2", SIZE, Map.of());
        byte[] content = memory.content("a.qcow2");
        list();
        images.loops.await(memory.remove("a.qcow2"));
        assertThat(list()).isEmpty();
        memory.put("a.qcow2", content);
        brick.opened.clear();
        assertThat(list()).containsEntry("a.qcow2", SIZE);
        assertThat(brick.opened).containsExactly("a.qcow2");
    }

    @Test
    void shouldListAgainWhenAFileIsGoneBeforeItsHeaderIsRead() {
        images.create("a.qcow2", SIZE, Map.of());
        for (String name : List.of("gone.qcow2", "z.qcow2")) { // not known yet
            memory.put(name, memory.content("a.qcow2"));
        }
        brick.vanishing = "gone.qcow2";
        assertThat(list()).containsOnlyKeys("a.qcow2", "z.qcow2").containsEntry("z.qcow2", SIZE);
    }

    @Test
    void shouldListACorruptImageWithoutSizeAndReadItOnce() {
        images.create("good.qcow2", SIZE, Map.of());
        byte[] bad = memory.content("good.qcow2");
        bad[20] = 77; // cluster_bits
        memory.put("bad.qcow2", bad);
        memory.put("empty.qcow2", new byte[0]);
        memory.put("short.qcow2", new byte[] {'Q', 'F', 'I', (byte) 0xfb});
        Map<String, Long> expected =
                Map.of("bad.qcow2", 0L, "empty.qcow2", 0L, "short.qcow2", 0L, "good.qcow2", SIZE);
        assertThat(list()).isEqualTo(expected);
        brick.opened.clear();
        assertThat(list()).isEqualTo(expected);
        assertThat(brick.opened).isEmpty();
        for (String name : List.of("bad.qcow2", "empty.qcow2", "short.qcow2")) {
            assertThatThrownBy(() -> images.loops.await(images.volume.stat(name)))
                    .isInstanceOfSatisfying(
                            BlockException.class,
                            e -> assertThat(e.error()).isEqualTo(BlockError.EINVAL))
                    .hasMessageContaining(name);
        }
    }

    @Test
    void shouldListAnImageThatCannotBeReadAndTryAgain() {
        images.create("a.qcow2", SIZE, Map.of());
        images.create("dark.qcow2", SIZE, Map.of());
        brick.unreadable.add("dark.qcow2");
        assertThat(list()).containsEntry("dark.qcow2", 0L).containsEntry("a.qcow2", SIZE);
        brick.unreadable.clear();
        assertThat(list()).containsEntry("dark.qcow2", SIZE);
    }

    @Test
    void shouldTellThePresentSizeOfAnOpenImageThatIsResized() {
        brick.stamps = false; // as of one that guests write to all the time
        images.create("a.qcow2", SIZE, Map.of());
        XlatorFile file = images.open("a.qcow2", OpenMode.READ_WRITE);
        assertThat(list()).containsEntry("a.qcow2", SIZE);
        brick.opened.clear();
        list();
        assertThat(brick.opened).as("held by this process").isEmpty();

        images.loops.await(images.loops.loop(0).call(() -> file.resize(4 * SIZE)));
        assertThat(list()).containsEntry("a.qcow2", 4 * SIZE);
        images.loops.await(images.loops.loop(0).call(() -> file.shrink(2 * SIZE)));
        assertThat(list()).containsEntry("a.qcow2", 2 * SIZE);
        assertThat(images.loops.await(images.volume.stat("a.qcow2")).sizeBytes())
                .isEqualTo(2 * SIZE);
        images.close(file);
        assertThat(list()).containsEntry("a.qcow2", 2 * SIZE);
    }

    @Test
    void shouldTellTheSizeOfAnImageThatIsListedWhileItIsResized() {
        brick.stamps = false;
        images.create("a.qcow2", SIZE, Map.of());
        XlatorFile file = images.open("a.qcow2", OpenMode.READ_WRITE);
        for (int i = 2; i < 40; i++) {
            long size = i * SIZE;
            CompletionStage<List<FileInfo>> listing = images.volume.list();
            CompletionStage<Void> resized =
                    images.loops.loop(0).call(() -> file.resize(size)).toCompletableFuture();
            images.loops.await(listing);
            images.loops.await(resized);
            assertThat(list()).containsEntry("a.qcow2", size);
        }
        images.close(file);
    }

    @Test
    void shouldSeeTheSuccessorWhenTheFileOfAnOpenImageIsReplaced() {
        brick.stamps = false;
        images.create("a.qcow2", SIZE, Map.of());
        images.create("b.qcow2", 2 * SIZE, Map.of());
        brick.fileIds.put("a.qcow2", 1L);
        XlatorFile file = images.open("a.qcow2", OpenMode.READ_WRITE);
        list();
        brick.opened.clear();
        list();
        assertThat(brick.opened).doesNotContain("a.qcow2");
        brick.fileIds.put("a.qcow2", 2L);
        list();
        assertThat(brick.opened).contains("a.qcow2");
        images.close(file);
    }

    private Map<String, Long> list() {
        Map<String, Long> sizes = new HashMap<>();
        for (FileInfo file : images.loops.await(images.volume.list())) {
            sizes.put(file.fileName(), file.sizeBytes());
        }
        return sizes;
    }

    private void assertFails(String name, BlockError error) {
        assertThatThrownBy(() -> images.open(name, OpenMode.READ_WRITE))
                .isInstanceOfSatisfying(
                        BlockException.class, e -> assertThat(e.error()).isEqualTo(error));
    }

    private static byte[] withSize(byte[] image, long sizeBytes) {
        byte[] other = image.clone();
        ByteBuffer.wrap(other).putLong(SIZE_OFFSET, sizeBytes);
        return other;
    }
}
