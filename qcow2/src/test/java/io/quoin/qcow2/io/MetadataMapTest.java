package io.quoin.qcow2.io;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.quoin.block.BlockError;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.log.LogsErrors;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.XlatorFile;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.agrona.BufferUtil;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(30)
@LogsErrors("image is corrupt: ")
class MetadataMapTest {
    private static final int BITS = 16;
    private static final int CLUSTER = 1 << BITS;

    @Test
    void shouldKnowKindsNearAndFar() {
        MetadataMap map = new MetadataMap();
        long[] places = {0, 255, 256, 1L << 28, (1L << 28) - 1, 1L << 47};
        for (long place : places) {
            assertThat(map.add(place, MetadataKind.L2_TABLE)).isTrue();
            assertThat(map.add(place, MetadataKind.L1_TABLE)).isFalse();
            assertThat(map.kindOf(place)).isEqualTo(MetadataKind.L2_TABLE);
        }
        assertThat(map.containsAny(1, 254)).isFalse();
        assertThat(map.containsAny(1, 255)).isTrue();
        assertThat(map.firstOther(MetadataKind.L2_TABLE, 255, 3)).isEqualTo(257);
        assertThat(map.firstOther(MetadataKind.L2_TABLE, 255, 2)).isEqualTo(-1);
        for (long place : places) {
            map.remove(place);
            assertThat(map.contains(place)).isFalse();
        }
        assertThat(map.addAll(10, 3, MetadataKind.BITMAP)).isTrue();
        assertThat(map.addAll(12, 2, MetadataKind.BITMAP)).isFalse();
    }

    @Test
    void shouldAgreeWithAModelWhenTablesComeAndGo() {
        long seed = RandomOperations.seed();
        System.out.println("metadata map: seed=" + seed);
        Random random = new Random(seed);
        MetadataMap map = new MetadataMap();
        Map<Long, MetadataKind> model = new HashMap<>();
        MetadataKind[] kinds = MetadataKind.values();
        for (int i = 0; i < 200_000; i++) {
            // Some side by side, some far apart at the same distance, and all of them moving on.
            long spread = random.nextBoolean() ? 1 : 1L << 33;
            long cluster = (i / 100 + random.nextInt(300)) * spread;
            MetadataKind kind = kinds[1 + random.nextInt(kinds.length - 1)];
            if (random.nextInt(3) == 0) {
                assertThat(map.add(cluster, kind))
                        .isEqualTo(model.putIfAbsent(cluster, kind) == null);
            } else {
                map.remove(cluster);
                model.remove(cluster);
            }
            long asked = (i / 100 + random.nextInt(300)) * spread;
            assertThat(map.kindOf(asked)).isEqualTo(model.getOrDefault(asked, MetadataKind.NONE));
            int count = random.nextInt(40);
            boolean any = false;
            for (int j = 0; j < count; j++) {
                any |= model.containsKey(asked + j);
            }
            assertThat(map.containsAny(asked, count)).as("seed=%d", seed).isEqualTo(any);
        }
    }

    @Test
    @DisplayName("QCOW2 148: tables far apart cost tens of bytes each")
    void shouldTakeLittleMemoryWhenTablesAreFarApart() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
        MetadataMap map = new MetadataMap();
        int tables = 1 << 18;
        for (long i = 0; i < tables; i++) {
            map.add(i * 513, MetadataKind.L2_TABLE);
        }
        long used = threads.getThreadAllocatedBytes(Thread.currentThread().getId()) - before;
        // Grown by doubling.
        assertThat(used / tables).isLessThan(2 * 64);
        assertThat(map.hasRoom(1)).isTrue();
        assertThat(map.hasRoom(1L << 25)).isFalse();
    }

    @Test
    @DisplayName("QCOW2 148: what went counts no longer towards the bound")
    void shouldHaveRoomAgainWhenTablesWent() {
        MetadataMap map = new MetadataMap();
        long group = 16;
        int added = 0;
        while (map.hasRoomToGrow()) {
            map.add(added * group, MetadataKind.L2_TABLE);
            map.add(added * group + 1, MetadataKind.L2_TABLE);
            added++;
        }
        assertThat(added).isBetween(1 << 20, MetadataMap.GROUPS_AT_OPEN_MAX);
        assertThat(map.hasRoom(1)).isTrue();
        map.remove(group);
        assertThat(map.hasRoomToGrow()).isFalse();
        map.remove(group + 1);
        map.remove(group + 1);
        assertThat(map.hasRoomToGrow()).isTrue();
        map.add(added * group, MetadataKind.L2_TABLE);
        assertThat(map.hasRoomToGrow()).isFalse();
    }

    @ParameterizedTest
    @EnumSource(MetadataKind.class)
    @DisplayName("QCOW2 62: a metadata write hits clusters of its own kind or nothing at all")
    void shouldWriteNothingWhenTheClusterIsOfAnotherKind(MetadataKind kind) {
        for (MetadataKind target : MetadataKind.values()) {
            if (target != MetadataKind.NONE && kind != MetadataKind.NONE) {
                write(kind, target);
            }
        }
    }

    private static void write(MetadataKind kind, MetadataKind target) {
        VirtualLoopGroup loops = new VirtualLoopGroup(1);
        MemoryXlator brick = new MemoryXlator("brick");
        brick.put("image", new byte[4 * CLUSTER]);
        XlatorFile file = loops.await(brick.open("image", OpenOptions.READ_WRITE, loops.loop(0)));
        ImageHealth health = new ImageHealth("image", true);
        List<String> corrupt = new ArrayList<>();
        health.whenCorrupt(() -> corrupt.add(health.reason()));
        ImageIo io = new ImageIo(file, loops.loop(0), health);
        io.clusterBits(BITS);
        io.map().add(1, kind);
        io.map().add(2, target);
        ByteBuffer bytes = BufferUtil.allocateDirectAligned(2 * 4096, 4096);
        bytes.put(0, (byte) 1).put(4096, (byte) 1);
        List<BlockError> outcomes = new ArrayList<>();
        loops.loop(0)
                .execute(
                        () ->
                                io.write(
                                        kind,
                                        2L * CLUSTER - 4096,
                                        BufferUtil.address(bytes),
                                        2 * 4096,
                                        outcomes::add));
        loops.runUntilIdle();
        boolean allowed = kind == target;
        assertThat(outcomes).containsExactly(allowed ? BlockError.OK : BlockError.EIO);
        byte[] content = brick.content("image");
        assertThat(content[2 * CLUSTER] + content[2 * CLUSTER - 4096]).isEqualTo(allowed ? 2 : 0);
        assertThat(health.isWritable()).isEqualTo(allowed);
        assertThat(corrupt).hasSize(allowed ? 0 : 1);
        if (!allowed) {
            assertThat(health.reason())
                    .contains(kind.text(), target.text(), "hostOffset=" + 2 * CLUSTER);
        }
        loops.await(loops.loop(0).call(file::close));
    }
}
