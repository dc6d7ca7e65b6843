package io.quoin.qcow2;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.IoFlags;
import io.quoin.qcow2.layout.ClusterKind;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.layout.RefcountLayout;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.ModelDisk;
import io.quoin.testkit.peer.Peer;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Rules of the format that other tests hold only by the way. */
@Timeout(60)
class FormatRulesTest {
    private static final String NAME = "disk.qcow2";
    private static final int CLUSTER = 4096;
    private static final int SIZE = 2 << 20;

    @TempDir Path folder;
    private ImageFixture images;

    @BeforeEach
    void start() {
        images = new ImageFixture(folder);
    }

    @Test
    @DisplayName("QCOW2 22: a raw file in which a guest put a qcow2 header stays raw")
    void shouldServeTheBytesWhenARawFileLooksLikeQcow2() {
        images.create(NAME, SIZE, Map.of());
        byte[] disguised = images.brick.content(NAME);
        images.brick.put("plain.raw", disguised);
        XlatorFile file = images.open("plain.raw", OpenMode.READ_WRITE);
        assertThat(file.geometry().sizeBytes()).isEqualTo(disguised.length);
        assertThat(images.driver(file).read(0, disguised.length)).isEqualTo(disguised);
        images.close(file);
    }

    @Test
    @DisplayName("QCOW2 50: two overlays change what they show, and not their base")
    void shouldLeaveTheBaseAloneWhenTwoOverlaysAreWritten() {
        byte[] content = new byte[SIZE];
        Arrays.fill(content, (byte) 3);
        images.create("base.qcow2", SIZE, Map.of());
        XlatorFile base = images.open("base.qcow2", OpenMode.READ_WRITE);
        images.driver(base).write(0, content);
        images.close(base);
        byte[] before = images.brick.content("base.qcow2");
        Map<String, String> over = Map.of("backing_file", "base.qcow2", "backing_fmt", "qcow2");
        images.create("a.qcow2", 0, over);
        images.create("b.qcow2", 0, over);
        XlatorFile a = images.open("a.qcow2", OpenMode.READ_WRITE);
        XlatorFile b = images.open("b.qcow2", OpenMode.READ_WRITE);
        ModelDisk modelA = new ModelDisk(content.clone());
        ModelDisk modelB = new ModelDisk(content.clone());
        byte[] data = new byte[100_000];
        for (int at = 0; at + data.length < SIZE; at += 3 * data.length) {
            Arrays.fill(data, (byte) (at / data.length + 10));
            images.driver(a).write(at, data);
            modelA.write(at, data);
            images.driver(b).write(at + 150_000, data);
            modelB.write(at + 150_000, data);
        }
        modelA.checkContent(images.driver(a));
        modelB.checkContent(images.driver(b));
        images.close(a);
        images.close(b);
        assertThat(images.brick.content("base.qcow2")).isEqualTo(before);
    }

    @Test
    @DisplayName("QCOW2 72, 108: what lies behind the disk, VM state, is kept and not shown")
    void shouldKeepVmStateWhenTheDiskIsWritten() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG, Peer.QEMU_IO);
        Path path = folder.resolve(NAME);
        Peer.QEMU_IMG
                .command(
                        "create",
                        "-f",
                        "qcow2",
                        "-o",
                        "cluster_size=4k",
                        path.toString(),
                        "" + SIZE)
                .runOk();
        Peer.QEMU_IO.command("-f", "qcow2", "-c", "write -b -P 7 0 300k", path.toString()).runOk();
        images.brick.put(NAME, Files.readAllBytes(path));
        Qcow2Header header = header(images.brick.content(NAME));
        assertThat(header.l1Size()).isGreaterThan(1);
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        assertThat(file.geometry().sizeBytes()).isEqualTo(SIZE);
        FileDriver driver = images.driver(file);
        assertThat(driver.read(0, SIZE)).isEqualTo(new byte[SIZE]);
        byte[] data = new byte[SIZE];
        Arrays.fill(data, (byte) 1);
        driver.write(0, data);
        images.close(file);
        images.checkClean(NAME);
        assertThat(images.qemuContent(NAME)).isEqualTo(data);
        String read =
                Peer.QEMU_IO
                        .command("-f", "qcow2", "-c", "read -b -P 7 0 300k", path.toString())
                        .runOk()
                        .stdout();
        assertThat(read).contains("read 307200/307200").doesNotContain("Pattern verification");
    }

    @Test
    @DisplayName("QCOW2 74, 75, 76: entries have COPIED at count 1 only, and no reserved bits")
    void shouldWriteEntriesThatFollowTheRulesWhenClustersAreOfAllKinds() throws IOException {
        Peer.assumeAll(Peer.QEMU_IMG);
        images.brick.put("base.raw", new byte[SIZE]);
        images.export("base.raw");
        images.create(
                NAME,
                SIZE,
                Map.of("cluster_size", "4k", "backing_file", "base.raw", "backing_fmt", "raw"));
        change(1);
        Path path = images.export(NAME);
        Peer.QEMU_IMG.command("snapshot", "-c", "before", path.toString()).runOk();
        images.brick.put(NAME, Files.readAllBytes(path));
        change(2);
        images.checkClean(NAME);
        Set<ClusterKind> kinds = EnumSet.noneOf(ClusterKind.class);
        byte[] bytes = images.brick.content(NAME);
        Qcow2Header header = header(bytes);
        ByteBuffer image = ByteBuffer.wrap(bytes);
        boolean shared = false;
        for (int i = 0; i < header.l1Size(); i++) {
            long l1Entry = image.getLong((int) header.l1TableOffset() + L1Entry.SIZE_BYTES * i);
            assertThat(l1Entry & L1Entry.RESERVED_MASK).isZero();
            if (!L1Entry.isAllocated(l1Entry)) {
                assertThat(l1Entry).isZero();
                continue;
            }
            long l2Offset = L1Entry.hostOffset(l1Entry);
            assertThat((l1Entry & L1Entry.COPIED) != 0)
                    .isEqualTo(count(header, image, l2Offset) == 1);
            for (int at = 0; at < CLUSTER; at += 8) {
                long entry = image.getLong((int) l2Offset + at);
                ClusterKind kind = L2Entry.kind(entry);
                kinds.add(kind);
                switch (kind) {
                    case UNALLOCATED -> assertThat(entry).isZero();
                    case ZERO_PLAIN -> assertThat(entry).isEqualTo(L2Entry.ZERO);
                    case COMPRESSED -> assertThat(L2Entry.isCopied(entry)).isFalse();
                    default -> {
                        assertThat(entry & L2Entry.RESERVED_MASK).isZero();
                        long count = count(header, image, entry & L2Entry.OFFSET_MASK);
                        assertThat(L2Entry.isCopied(entry)).isEqualTo(count == 1);
                        shared |= count > 1;
                    }
                }
            }
        }
        assertThat(shared).isTrue();
        assertThat(kinds)
                .contains(
                        ClusterKind.UNALLOCATED,
                        ClusterKind.NORMAL,
                        ClusterKind.ZERO_PLAIN,
                        ClusterKind.COMPRESSED);
    }

    /** Clusters of each kind; the second round changes some of those that are shared by then. */
    private void change(int round) {
        XlatorFile file = images.open(NAME, OpenMode.READ_WRITE);
        FileDriver driver = images.driver(file);
        byte[] data = new byte[20 * CLUSTER];
        for (int i = 0; i < 6 / round; i++) {
            Arrays.fill(data, (byte) (10 * round + i));
            driver.write((long) i * 40 * CLUSTER, data, IoFlags.COMPRESSED);
            driver.write(((long) i * 40 + 20) * CLUSTER, Arrays.copyOf(data, 15 * CLUSTER));
        }
        driver.zero(5 * CLUSTER, 3 * CLUSTER, IoFlags.MAY_UNMAP);
        driver.discard(45 * CLUSTER, 3 * CLUSTER);
        driver.write(25 * CLUSTER + 100 * round, new byte[] {1, 2, 3});
        images.close(file);
    }

    private static Qcow2Header header(byte[] bytes) {
        return Qcow2Header.parse(ByteBuffer.wrap(bytes, 0, CLUSTER).slice(), bytes.length);
    }

    private static long count(Qcow2Header header, ByteBuffer image, long hostOffset) {
        RefcountLayout layout = header.refcounts();
        long cluster = hostOffset / CLUSTER;
        int table = (int) header.refcountTableOffset();
        long block = image.getLong(table + 8 * (int) layout.blockIndex(cluster));
        ByteBuffer counts = image.slice((int) RefcountLayout.blockHostOffset(block), CLUSTER);
        return layout.get(counts, layout.indexInBlock(cluster));
    }
}
