package io.quoin.replicate.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockException;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.sim.VirtualLoop;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.XlatorFile;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class MetadataLogTest {
    private static final int RECORD_BYTES = 40;
    private static final long CAPACITY = 16 << 10;

    private final VirtualLoopGroup group = new VirtualLoopGroup(1);
    private final VirtualLoop loop = group.loop(0);
    private final MemoryXlator below = new MemoryXlator("below", false);
    private final List<Integer> durable = new ArrayList<>();
    private final List<byte[]> appended = new ArrayList<>();
    private final List<BlockException> failures = new ArrayList<>();

    private MetadataLog begin() {
        LogLayout.Header header = new LogLayout.Header(0, new UUID(1, 2), 3, 4, 0, "boot");
        LogImage image = LogImage.of(header, appended, CAPACITY);
        group.await(below.create(LogFiles.NAME, io.quoin.xlator.CreateOptions.ofSize(0)));
        XlatorFile file = group.await(MetadataLog.replace(below, loop, image));
        return new MetadataLog(
                below, loop, image, file, CAPACITY, () -> List.copyOf(appended), failures::add);
    }

    private void append(MetadataLog log, int number) {
        byte[] record = ByteBuffer.allocate(RECORD_BYTES).putInt(number).array();
        appended.add(record);
        loop.run(() -> log.append(record, () -> durable.add(number)));
    }

    private static List<Integer> replay(byte[] content) {
        List<Integer> numbers = new ArrayList<>();
        new LogReader(content)
                .replay(
                        records -> {
                            while (records.hasRemaining()) {
                                numbers.add(records.getInt());
                                records.position(records.position() + RECORD_BYTES - 4);
                            }
                        });
        return numbers;
    }

    private static List<Integer> upTo(int count) {
        List<Integer> numbers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            numbers.add(i);
        }
        return numbers;
    }

    @Test
    void shouldShareOneSyncWhenRecordsComeTogether() {
        MetadataLog log = begin();
        long before = below.flushCount(LogFiles.NAME);
        for (int i = 0; i < 50; i++) {
            append(log, i);
        }
        group.runUntilIdle();
        assertThat(durable).isEqualTo(upTo(50));
        assertThat(below.flushCount(LogFiles.NAME) - before).isLessThanOrEqualTo(2);
        assertThat(replay(below.content(LogFiles.NAME))).isEqualTo(upTo(50));
    }

    @Test
    void shouldKeepEveryRecordAndItsSizeWhenCheckpointsAreMade() {
        MetadataLog log = begin();
        for (int i = 0; i < 300; i++) {
            append(log, i);
            group.runUntilIdle();
            assertThat(replay(below.content(LogFiles.NAME))).isEqualTo(upTo(i + 1));
        }
        assertThat(durable).isEqualTo(upTo(300));
        // Without checkpoints it would be a sector for each.
        assertThat(below.content(LogFiles.NAME).length).isLessThan(300 * 512);
    }

    @Test
    void shouldReplayAPrefixWhenTheLastFrameIsTorn() {
        MetadataLog log = begin();
        Random random = new Random(1);
        for (int i = 0; i < 10; i++) {
            append(log, i);
            group.runUntilIdle();
        }
        byte[] before = below.content(LogFiles.NAME);
        for (int i = 10; i < 60; i++) {
            append(log, i);
        }
        group.runUntilIdle();
        byte[] after = below.content(LogFiles.NAME);
        for (int torn = 0; torn < 200; torn++) {
            byte[] state = before.clone();
            for (int at = 0; at < state.length; at += LogLayout.SECTOR_BYTES) {
                if (random.nextBoolean()) {
                    System.arraycopy(after, at, state, at, LogLayout.SECTOR_BYTES);
                }
            }
            int count = replay(state).size();
            assertThat(count).isIn(10, 60);
            assertThat(replay(state)).isEqualTo(upTo(count));
        }
    }

    @Test
    void shouldRefuseWhenADurableRecordIsDamaged() {
        MetadataLog log = begin();
        for (int i = 0; i < 10; i++) {
            append(log, i);
            group.runUntilIdle();
        }
        byte[] content = below.content(LogFiles.NAME);
        int last = lastByte(content);
        for (int at = 0; at < last - LogLayout.SECTOR_BYTES; at += 97) {
            byte[] damaged = content.clone();
            damaged[at] ^= 1;
            if (!Arrays.equals(meaning(damaged), meaning(content))) {
                assertThatThrownBy(() -> replay(damaged))
                        .isInstanceOf(BlockException.class)
                        .hasMessageContaining("damaged");
            }
        }
    }

    /** Zeros behind the records of a frame mean nothing. */
    private static byte[] meaning(byte[] log) {
        byte[] copy = log.clone();
        for (int at = LogLayout.SECTOR_BYTES; at < copy.length; at += LogLayout.SECTOR_BYTES) {
            Arrays.fill(copy, at + 24 + RECORD_BYTES, at + LogLayout.SECTOR_BYTES, (byte) 0);
        }
        return copy;
    }

    private static int lastByte(byte[] content) {
        int last = content.length - 1;
        while (content[last] == 0) {
            last--;
        }
        return last;
    }

    @Test
    void shouldNotReplayFramesOfAnotherLogWhenTheyFollow() {
        MetadataLog log = begin();
        append(log, 0);
        append(log, 1);
        group.runUntilIdle();
        byte[] content = below.content(LogFiles.NAME);
        byte[] foreign = LogLayout.frame(77, 2, new byte[] {1, 2, 3});
        System.arraycopy(foreign, 0, content, 2 * LogLayout.SECTOR_BYTES, foreign.length);
        assertThat(replay(content)).isEqualTo(upTo(2));
    }
}
