package io.quoin.qcow2.io;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.RandomOperations;
import io.quoin.testkit.fault.ReorderingXlator;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.XlatorFile;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.agrona.BufferUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Metadata of one moment are read whatever is written, in whatever order it gets there. */
@Timeout(60)
class FrozenMetadataTest {
    private static final String NAME = "file";
    private static final int UNIT = 4096;
    private static final int SIZE = 60 * UNIT + 1000;
    private static final int CLUSTER_BITS = 9;

    private final long seed = RandomOperations.seed();
    private final Random random = new Random(seed);
    private final VirtualLoopGroup loops = new VirtualLoopGroup(1);
    private final MemoryXlator brick = new MemoryXlator("brick");
    private final List<BlockError> written = new ArrayList<>();
    private int writes;

    @Test
    void shouldReadTheMomentWhileEverythingIsOverwritten() {
        for (int round = 0; round < 20; round++) {
            byte[] before = content();
            XlatorFile file = open(before, seed + round);
            ImageIo io = io(file);
            FrozenMetadata frozen = loops.loop(0).call(() -> io.freeze(1L << 30));
            List<Read> reads = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                write(io);
                write(io);
                reads.add(read(frozen));
                if (random.nextBoolean()) {
                    loops.advance(random.nextInt(500_000));
                }
            }
            loops.runUntilIdle();
            for (Read read : reads) {
                read.check(before);
            }
            assertThat(written).hasSize(writes).containsOnly(BlockError.OK);
            assertThat(brick.content(NAME)).as("seed %s", seed).isNotEqualTo(before);
            loops.loop(0).run(io::thaw);
            Read late = read(frozen);
            loops.runUntilIdle();
            assertThat(late.error).isEqualTo(BlockError.ESHUTDOWN);
            loops.await(loops.loop(0).call(file::close));
        }
    }

    @Test
    void shouldGiveUpAndLetWritesGoOnWhenTooMuchChanges() {
        byte[] before = content();
        XlatorFile file = open(before, seed);
        ImageIo io = io(file);
        FrozenMetadata frozen = loops.loop(0).call(() -> io.freeze(8L * UNIT));
        for (int i = 0; i < 100; i++) {
            write(io);
        }
        loops.runUntilIdle();
        Read late = read(frozen);
        loops.runUntilIdle();
        assertThat(late.error).isEqualTo(BlockError.EOVERFLOW);
        assertThat(written).hasSize(writes).containsOnly(BlockError.OK);
        loops.await(loops.loop(0).call(file::close));
    }

    private byte[] content() {
        byte[] content = new byte[SIZE];
        random.nextBytes(content);
        return content;
    }

    private XlatorFile open(byte[] content, long reorderSeed) {
        brick.put(NAME, content);
        ReorderingXlator reordering = new ReorderingXlator("reorder", brick, reorderSeed);
        return loops.await(reordering.open(NAME, OpenOptions.READ_WRITE, loops.loop(0)));
    }

    private ImageIo io(XlatorFile file) {
        ImageIo io = new ImageIo(file, loops.loop(0), new ImageHealth(NAME, true));
        io.clusterBits(CLUSTER_BITS);
        io.map().addAll(0, (SIZE >> CLUSTER_BITS) + 100, MetadataKind.L2_TABLE);
        return io;
    }

    /** Of a random range, beyond the end of the file too. */
    private void write(ImageIo io) {
        int offset = random.nextInt(SIZE / 512) * 512;
        int length = (1 + random.nextInt(20)) * 512;
        ByteBuffer bytes = BufferUtil.allocateDirectAligned(length, UNIT);
        while (bytes.hasRemaining()) {
            bytes.put((byte) random.nextInt());
        }
        writes++;
        loops.loop(0)
                .run(
                        () ->
                                io.write(
                                        MetadataKind.L2_TABLE,
                                        offset,
                                        BufferUtil.address(bytes),
                                        length,
                                        error -> {
                                            bytes.clear();
                                            written.add(error);
                                        }));
    }

    private Read read(FrozenMetadata frozen) {
        Read read = new Read(random.nextInt(64 * 8) * 512, (1 + random.nextInt(64)) * 512);
        loops.loop(0)
                .run(
                        () ->
                                frozen.read(
                                        read.offset,
                                        read.bytes,
                                        read.bytes.capacity(),
                                        error -> read.error = error));
        return read;
    }

    private static final class Read {
        private final int offset;
        private final ByteBuffer bytes;
        private BlockError error = BlockError.EIO;

        Read(int offset, int length) {
            this.offset = offset;
            this.bytes = BufferUtil.allocateDirectAligned(length, UNIT);
        }

        void check(byte[] before) {
            assertThat(error).isEqualTo(BlockError.OK);
            byte[] actual = new byte[bytes.capacity()];
            bytes.get(0, actual);
            byte[] expected = new byte[actual.length];
            if (offset < before.length) {
                int present = Math.min(expected.length, before.length - offset);
                System.arraycopy(before, offset, expected, 0, present);
            }
            assertThat(Arrays.mismatch(actual, expected)).as("offset %s", offset).isEqualTo(-1);
        }
    }
}
