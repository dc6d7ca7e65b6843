package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockException;
import io.quoin.qcow2.bitmap.BitmapControl;
import io.quoin.qcow2.layout.BitmapDirectoryLayout;
import io.quoin.qcow2.layout.BitmapEntry;
import io.quoin.qcow2.layout.BitmapsExtension;
import io.quoin.qcow2.layout.OpaqueBytes;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Directories of bitmaps that are made up: what they may cost, and what they may not reach. */
@Timeout(120)
class BitmapLimitsTest {
    private static final String NAME = "disk.qcow2";
    private static final int AUTO = BitmapDirectoryLayout.AUTO;
    private static final int IN_USE = BitmapDirectoryLayout.IN_USE;

    @TempDir Path folder;
    private ImageFixture images;

    @BeforeEach
    void start() {
        images = new ImageFixture(folder);
    }

    private <T> T call(XlatorFile file, Function<BitmapControl, CompletionStage<T>> operation) {
        BitmapControl control = BitmapControl.of(file).orElseThrow();
        return images.loops.await(images.loops.loop(0).call(() -> operation.apply(control)));
    }

    private Qcow2Header header() {
        byte[] content = images.brick.content(NAME);
        return Qcow2Header.parse(ByteBuffer.wrap(content), content.length);
    }

    /** Has the image end in a directory of {@code entries}, which is said to be right. */
    private void putDirectory(List<BitmapEntry> entries) {
        putDirectory(entries, 0);
    }

    private void putDirectory(List<BitmapEntry> entries, long autoclear) {
        byte[] content = images.brick.content(NAME);
        Qcow2Header header = header();
        int cluster = header.clusterSizeBytes();
        int at = (content.length + cluster - 1) & -cluster;
        ByteBuffer directory = BitmapDirectoryLayout.encode(entries);
        BitmapsExtension extension =
                new BitmapsExtension(entries.size(), directory.limit(), (long) at);
        ByteBuffer changed =
                header.toBuilder()
                        .features(0, 0, autoclear | Qcow2Header.BITMAPS_CONSISTENT)
                        .extension(extension.toExtension())
                        .build()
                        .encode();
        byte[] longer = Arrays.copyOf(content, (at + directory.limit() + cluster - 1) & -cluster);
        changed.get(0, longer, 0, cluster);
        directory.get(0, longer, at, directory.limit());
        ByteBuffer bytes = ByteBuffer.wrap(longer);
        int block = (int) bytes.getLong((int) header.refcountTableOffset());
        for (int i = at / cluster; i < longer.length / cluster && i < cluster / 2; i++) {
            bytes.putShort(block + 2 * i, (short) 1);
        }
        images.brick.put(NAME, longer);
    }

    private static BitmapEntry entry(
            String name, long tableOffset, int tableEntries, int flags, int granularityBits) {
        return new BitmapEntry(
                tableOffset, tableEntries, flags, granularityBits, name, OpaqueBytes.EMPTY);
    }

    @Test
    @DisplayName("QCOW2 112, 148: memory of bitmaps that no 64 bits can tell is refused")
    void shouldRefuseWhenTheMemoryOfAllBitmapsOverflows() {
        images.create(NAME, 1L << 61, Map.of("cluster_size", "2M"));
        List<BitmapEntry> entries = new ArrayList<>();
        for (int i = 0; i < 16_400; i++) {
            entries.add(entry("b" + i, 0, 0, AUTO, 9));
        }
        putDirectory(entries);
        assertThatThrownBy(() -> images.open(NAME, OpenMode.READ_WRITE))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("bitmaps are too large");
        images.close(images.open(NAME, OpenMode.READ_ONLY));
    }

    @Test
    @DisplayName(
            "QCOW2 112: a bitmap whose table is an L2 table goes without a word about clusters")
    void shouldFreeNothingWhenTheTableOfARemovedBitmapIsAnotherOnes() {
        images.create(NAME, 1 << 20, Map.of("cluster_size", "4k"));
        XlatorFile made = images.open(NAME, OpenMode.READ_WRITE);
        images.driver(made).write(0, new byte[] {1});
        images.close(made);
        ByteBuffer bytes = ByteBuffer.wrap(images.brick.content(NAME));
        int l2 = (int) (bytes.getLong((int) header().l1TableOffset()) & Long.MAX_VALUE);
        long data = bytes.getLong(l2) & Long.MAX_VALUE;
        bytes.putLong(l2, data); // without COPIED, which no entry of a bitmap has
        images.brick.put(NAME, bytes.array());
        putDirectory(List.of(entry("bad", l2, 1, IN_USE | AUTO, 16)));
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        call(file, control -> control.remove("bad"));
        images.close(file);
        assertThat(header().bitmaps()).isNull();
        assertThat(count(data)).isEqualTo(1);
        assertThat(count(l2)).isEqualTo(1);
    }

    @Test
    @DisplayName("QCOW2 148: memory that bitmaps are read into does not depend on their number")
    void shouldReadAllBitmapsIntoTheSameMemory() {
        images.create(NAME, 1 << 20, Map.of("cluster_size", "512"));
        int tables = images.brick.content(NAME).length;
        int count = 500;
        byte[] content = Arrays.copyOf(images.brick.content(NAME), tables + count * 512);
        List<BitmapEntry> entries = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            entries.add(entry("b" + i, tables + i * 512, 1, AUTO, 16));
        }
        images.brick.put(NAME, content);
        putDirectory(entries);
        long before = directBytes();
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        assertThat(directBytes() - before).isLessThan(48 << 20);
        assertThat(call(file, BitmapControl::list)).hasSize(count);
        images.close(file);
    }

    private static long directBytes() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
    }

    @Test
    @DisplayName("QCOW2 110: no bitmap with which the image could not be opened for writing again")
    void shouldRefuseABitmapWhenTheDirectoryHasNoRoomForIt() {
        images.create(NAME, 1 << 20, Map.of());
        OpaqueBytes extra = OpaqueBytes.copyOf(new byte[(2 << 20) - 2 * 32 - 24]);
        int flags = AUTO | BitmapDirectoryLayout.EXTRA_DATA_COMPATIBLE;
        putDirectory(List.of(new BitmapEntry(0, 0, flags, 16, "a", extra)));
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        call(file, control -> control.add("b", 65536, true));
        assertThatThrownBy(() -> call(file, control -> control.add("c", 65536, true)))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("directory would be too large");
        images.close(file);
        images.close(images.open(NAME, OpenMode.READ_WRITE));
    }

    @Test
    @DisplayName("QCOW2 148: leaks are not looked for by one table that many bitmaps share")
    void shouldLookForNoLeaksWhenBitmapsShareATable() {
        images.create(NAME, 1 << 20, Map.of("cluster_size", "512"));
        int table = images.brick.content(NAME).length;
        images.brick.put(NAME, Arrays.copyOf(images.brick.content(NAME), table + (8 << 20)));
        List<BitmapEntry> entries = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            entries.add(entry("b" + i, table, 1 << 20, IN_USE, 9));
        }
        putDirectory(entries, Qcow2Header.LEAKS_POSSIBLE);
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        images.loops.runUntilIdle();
        assertThat(file.details().get("leak-reclaim").toString()).contains("state=given up");
        images.close(file);
        assertThat(header().autoclearFeatures() & Qcow2Header.LEAKS_POSSIBLE).isNotZero();
    }

    /** The count of the cluster at {@code hostOffset}, of 16 bits, in the first refcount block. */
    private int count(long hostOffset) {
        ByteBuffer bytes = ByteBuffer.wrap(images.brick.content(NAME));
        int block = (int) bytes.getLong((int) header().refcountTableOffset());
        return bytes.getShort(block + 2 * (int) (hostOffset / header().clusterSizeBytes()));
    }
}
