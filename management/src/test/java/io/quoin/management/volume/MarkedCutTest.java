package io.quoin.management.volume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.block.disk.Disk;
import io.quoin.block.disk.MarkedCut;
import io.quoin.block.disk.Snapshot;
import io.quoin.block.disk.Volume;
import io.quoin.block.disk.Volumes;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots at markers that an application puts among its own requests. */
@Timeout(120)
class MarkedCutTest {
    private static final long SIZE = 4 << 20;
    private static final int BLOCK = 4096;
    private static final int BURST = 64;
    private static final List<String> BOTH = List.of("a", "b");

    @TempDir private Path folder;

    private Volume volume;
    private Disk a;
    private Disk b;

    @BeforeEach
    void open() {
        volume = Volumes.open(folder.resolve("one"));
        BOTH.forEach(disk -> volume.create(disk, SIZE));
        a = volume.open("a");
        b = volume.open("b");
    }

    @AfterEach
    void close() {
        a.close();
        b.close();
        volume.close();
    }

    private static ByteBuffer block(long stamp) {
        ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
        for (int i = 0; i < BLOCK; i += Long.BYTES) {
            block.putLong(i, stamp);
        }
        return block;
    }

    /** Not waited for. */
    private static List<CompletableFuture<Void>> burst(Disk disk, long stamp) {
        List<CompletableFuture<Void>> writes = new ArrayList<>();
        for (int i = 0; i < BURST; i++) {
            writes.add(disk.writeAsync((long) i * BLOCK, block(stamp), IoFlags.NONE));
        }
        return writes;
    }

    private static void join(List<CompletableFuture<Void>> writes) {
        writes.forEach(CompletableFuture::join);
    }

    private void requireStamp(String name, long stamp) {
        try (Disk disk = volume.open(name)) {
            for (int i = 0; i < BURST; i++) {
                ByteBuffer content = ByteBuffer.allocateDirect(BLOCK);
                disk.read((long) i * BLOCK, content);
                assertThat(content).as("%s, block %d", name, i).isEqualTo(block(stamp));
            }
        }
    }

    @Test
    void shouldHaveWhatIsBeforeTheMarkersAndNothingBehindThemWhenNoAnswerIsWaitedFor() {
        for (int round = 0; round < 8; round++) {
            long stamp = 1 + 2L * round;
            String name = "cut" + round;
            List<CompletableFuture<Void>> writes = new ArrayList<>();
            try (MarkedCut cut = volume.cut(BOTH, name)) {
                writes.addAll(burst(a, stamp));
                cut.mark(a);
                writes.addAll(burst(a, stamp + 1));
                writes.addAll(burst(b, stamp));
                cut.mark(b);
                writes.addAll(burst(b, stamp + 1));
                assertThat(cut.await())
                        .extracting(Snapshot::fullName)
                        .containsExactly("a@" + name, "b@" + name);
            }
            join(writes);
            requireStamp("a@" + name, stamp);
            requireStamp("b@" + name, stamp);
            requireStamp("a", stamp + 1);
            requireStamp("b", stamp + 1);
        }
    }

    @Test
    void shouldBeAtTheMarkersOfTwoThreads() {
        try (MarkedCut cut = volume.cut(BOTH, "both")) {
            CompletableFuture<Void> other =
                    CompletableFuture.runAsync(
                            () -> {
                                join(burst(b, 1));
                                List<CompletableFuture<Void>> before = burst(b, 2);
                                cut.mark(b);
                                join(burst(b, 3));
                                join(before);
                            });
            List<CompletableFuture<Void>> before = burst(a, 2);
            cut.mark(a);
            join(burst(a, 3));
            join(before);
            other.join();
            assertThat(cut.await()).hasSize(2);
        }
        BOTH.forEach(disk -> requireStamp(disk + "@both", 2));
        BOTH.forEach(disk -> requireStamp(disk, 3));
    }

    @Test
    void shouldCutOpenDisksAtTheCall() {
        List<CompletableFuture<Void>> writes = burst(a, 5);
        writes.addAll(burst(b, 6));
        List<Snapshot> made = Volumes.cut(List.of(b, a), "now");
        assertThat(made).extracting(Snapshot::disk).containsExactly("b", "a");
        join(writes);
        requireStamp("a@now", 5);
        requireStamp("b@now", 6);
    }

    @Test
    void shouldMakeNoneAndGoOnWhenAMarkerDoesNotCome() {
        try (MarkedCut cut = volume.cut(BOTH, "half")) {
            cut.mark(a);
            List<CompletableFuture<Void>> writes = burst(a, 9);
            assertThatThrownBy(cut::await)
                    .isInstanceOfSatisfying(
                            BlockException.class,
                            e -> assertThat(e.error()).isEqualTo(BlockError.EBUSY))
                    .hasMessageContaining("disk=b");
            join(writes);
        }
        try (MarkedCut cut = volume.cut(BOTH, "none")) {
            cut.mark(b);
        }
        join(burst(b, 9));
        BOTH.forEach(disk -> assertThat(volume.snapshots(disk)).as(disk).isEmpty());
        assertThat(Volumes.cut(List.of(a, b), "whole")).hasSize(2);
        BOTH.forEach(disk -> requireStamp(disk + "@whole", 9));
    }

    @Test
    void shouldRefuseDisksThatAreNotOfTheCut() {
        volume.create("c", SIZE);
        try (Volume other = Volumes.open(folder.resolve("two"))) {
            other.create("a", SIZE);
            try (Disk foreign = other.open("a");
                    Disk c = volume.open("c")) {
                assertThatThrownBy(() -> Volumes.cut(List.of(a, foreign), "x"))
                        .isInstanceOf(BlockException.class)
                        .hasMessageContaining("of one volume");
                assertThatThrownBy(() -> Volumes.cut(List.of(a, a), "x"))
                        .isInstanceOf(BlockException.class)
                        .hasMessageContaining("each once");
                try (MarkedCut cut = volume.cut(BOTH, "x")) {
                    assertThatThrownBy(() -> cut.mark(c)).hasMessageContaining("expected=one of");
                    assertThatThrownBy(() -> cut.mark(foreign)).isInstanceOf(BlockException.class);
                }
            }
        }
        BOTH.forEach(disk -> assertThat(volume.snapshots(disk)).as(disk).isEmpty());
    }
}
