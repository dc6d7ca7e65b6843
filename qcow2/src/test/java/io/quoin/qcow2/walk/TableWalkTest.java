package io.quoin.qcow2.walk;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.qcow2.cache.MappingTables;
import io.quoin.qcow2.cache.Slice;
import io.quoin.qcow2.cache.SliceCache;
import io.quoin.qcow2.io.FrozenMetadata;
import io.quoin.qcow2.io.ImageHealth;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.io.MetadataKind;
import io.quoin.qcow2.io.Steps;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.Qcow2Geometry;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.memory.MemoryUse;
import io.quoin.xlator.memory.ProcessMemory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.agrona.BufferUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tables of all kinds of roots are seen whole, beside what else the loop has to do. */
@Timeout(60)
class TableWalkTest {
    private static final String NAME = "file";
    private static final int CLUSTER_BITS = 14;
    private static final int CLUSTER = 1 << CLUSTER_BITS;
    private static final int SLICE_WORDS = 512;
    private static final int TABLES = 40;

    private final Random random = new Random(RandomOperations.seed());
    private final VirtualLoopGroup loops = new VirtualLoopGroup(1);
    private final MemoryXlator brick = new MemoryXlator("brick");
    private final byte[] content = new byte[(TABLES + 2) * CLUSTER];
    private final long[] l1 = new long[3 * TABLES];
    private final List<Long> seen = new ArrayList<>();
    private final List<Integer> left = new ArrayList<>();
    private BlockError ended = BlockError.EBUSY;

    /** Every third L1 entry has a table: they begin with the third cluster. */
    private ImageIo io() {
        random.nextBytes(content);
        for (int i = 0; i < TABLES; i++) {
            l1[3 * i] = L1Entry.of((long) (i + 2) * CLUSTER, true);
        }
        ByteBuffer.wrap(content, CLUSTER, CLUSTER).asLongBuffer().put(l1);
        brick.put(NAME, content);
        XlatorFile file = loops.await(brick.open(NAME, OpenOptions.READ_WRITE, loops.loop(0)));
        ImageIo io = new ImageIo(file, loops.loop(0), new ImageHealth(NAME, true));
        io.clusterBits(CLUSTER_BITS);
        io.map().addAll(2, TABLES, MetadataKind.L2_TABLE);
        return io;
    }

    private MappingTables tables(ImageIo io) {
        Map<MemoryUse, Long> shares = new EnumMap<>(MemoryUse.class);
        for (MemoryUse use : MemoryUse.values()) {
            shares.put(use, 1L << 18);
        }
        SliceCache cache = new SliceCache(loops.loop(0), new ProcessMemory(shares), 1);
        Qcow2Geometry geometry = new Qcow2Geometry(CLUSTER_BITS, false);
        return new MappingTables(io, io.map(), geometry, l1.clone(), CLUSTER, cache, 1L << 30);
    }

    private TableWalk walk(MappingTables tables, TableRoot root, TableVisitor visitor) {
        return new TableWalk(
                loops.loop(0),
                tables,
                List.of(root),
                visitor,
                WalkPace.NO_REST,
                error -> ended = error);
    }

    private static TableSource source(ImageIo io) {
        return (offset, target, length, outcome) ->
                io.read(offset, BufferUtil.address(target), length, outcome);
    }

    private final class Recording implements TableVisitor {
        @Override
        public boolean enter(int index, long entry) {
            assertThat(entry).isEqualTo(l1[index]);
            return true;
        }

        @Override
        public boolean see(int index, TableWords words) {
            for (int i = 0; i < words.count(); i++) {
                seen.add(words.word(i));
            }
            return true;
        }

        @Override
        public void leave(int index, boolean whole) {
            assertThat(whole).isTrue();
            left.add(index);
        }
    }

    private List<Long> onDisk() {
        List<Long> words = new ArrayList<>();
        ByteBuffer bytes = ByteBuffer.wrap(content);
        for (int at = 2 * CLUSTER; at < content.length; at += Long.BYTES) {
            words.add(bytes.getLong(at));
        }
        return words;
    }

    private void run(TableWalk walk) {
        loops.loop(0).run(walk::start);
        loops.runUntilIdle();
        assertThat(ended).isEqualTo(BlockError.OK);
    }

    /** Has a slice in memory, as a request does. */
    private static final class Load extends Steps {
        @Override
        protected boolean step() {
            return false;
        }

        @Override
        public void fail(BlockError error) {
            throw new AssertionError(error.text());
        }
    }

    private Slice load(MappingTables tables, int sliceIndex) {
        loops.loop(0).run(() -> tables.load(sliceIndex, new Load()));
        loops.runUntilIdle();
        Slice slice = tables.find(sliceIndex);
        assertThat(slice).isNotNull();
        return slice;
    }

    @Test
    void shouldSeeActiveTablesAsTheyAreInMemory() {
        ImageIo io = io();
        MappingTables tables = tables(io);
        Slice slice = load(tables, tables.firstSlice(3) + 1);
        loops.loop(0).run(() -> tables.setEntry(slice, 7, 12345, false));
        run(walk(tables, TableRoot.active(0, Integer.MAX_VALUE), new Recording()));
        List<Long> expected = onDisk();
        expected.set(CLUSTER / Long.BYTES + SLICE_WORDS + 7, 12345L);
        assertThat(seen).isEqualTo(expected);
        assertThat(left).hasSize(TABLES);
    }

    @Test
    void shouldSeeStoredTablesAsTheyAreOnDisk() {
        ImageIo io = io();
        MappingTables tables = tables(io);
        Slice slice = load(tables, tables.firstSlice(3) + 1);
        loops.loop(0).run(() -> tables.setEntry(slice, 7, 12345, false));
        run(walk(tables, TableRoot.l1(CLUSTER, l1.length, source(io)), new Recording()));
        assertThat(seen).isEqualTo(onDisk());
    }

    @Test
    void shouldSeeTheMomentOfAFrozenView() {
        ImageIo io = io();
        MappingTables tables = tables(io);
        FrozenMetadata frozen = loops.loop(0).call(() -> io.freeze(1 << 20));
        ByteBuffer zeros = BufferUtil.allocateDirectAligned(CLUSTER, 4096);
        loops.loop(0)
                .run(
                        () ->
                                io.write(
                                        MetadataKind.L2_TABLE,
                                        5L * CLUSTER,
                                        BufferUtil.address(zeros),
                                        CLUSTER,
                                        error -> {}));
        loops.runUntilIdle();
        assertThat(brick.content(NAME)[5 * CLUSTER + 100]).isZero();
        run(walk(tables, TableRoot.l1(CLUSTER, l1.length, frozen::read), new Recording()));
        assertThat(seen).isEqualTo(onDisk());
    }

    @Test
    void shouldEnterNothingWhereEntriesLeadToNoTables() {
        ImageIo io = io();
        List<Long> entries = new ArrayList<>();
        run(
                walk(
                        tables(io),
                        TableRoot.pointers(CLUSTER, l1.length, source(io)),
                        (index, entry) -> entries.add(entry)));
        assertThat(entries).hasSize(TABLES).contains(l1[0], l1[3 * TABLES - 3]);
    }

    @Test
    void shouldLeaveTheSlicesOfGuestsInMemory() {
        MappingTables tables = tables(io());
        List<Integer> used = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            int sliceIndex = tables.firstSlice(3 * (i / 2)) + i % 2;
            load(tables, sliceIndex).touch();
            used.add(sliceIndex);
        }
        run(walk(tables, TableRoot.active(0, Integer.MAX_VALUE), new Recording()));
        assertThat(seen).isEqualTo(onDisk());
        assertThat(used).filteredOn(sliceIndex -> tables.peek(sliceIndex) == null).isEmpty();
    }

    @Test
    void shouldGiveWayBetweenSlicesAndEndWhenItIsStopped() {
        ImageIo io = io();
        AtomicInteger slices = new AtomicInteger();
        TableWalk[] walk = new TableWalk[1];
        walk[0] =
                walk(
                        tables(io),
                        TableRoot.active(0, Integer.MAX_VALUE),
                        new TableVisitor() {
                            @Override
                            public boolean enter(int index, long entry) {
                                return true;
                            }

                            @Override
                            public boolean see(int index, TableWords words) {
                                if (slices.incrementAndGet() == 10) {
                                    walk[0].stop();
                                }
                                return true;
                            }
                        });
        loops.loop(0).run(walk[0]::start);
        while (slices.get() < 10) {
            int before = slices.get();
            AtomicInteger done = new AtomicInteger();
            loops.loop(0).execute(done::incrementAndGet);
            loops.runUntil(() -> done.get() == 1);
            assertThat(slices.get() - before).isLessThanOrEqualTo(1);
        }
        loops.runUntilIdle();
        assertThat(slices).hasValue(10);
        assertThat(ended).isEqualTo(BlockError.EBUSY);
    }
}
