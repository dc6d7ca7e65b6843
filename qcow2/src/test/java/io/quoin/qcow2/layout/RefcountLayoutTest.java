package io.quoin.qcow2.layout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.Random;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Checklist section 5, lines 52 to 54. */
@Timeout(20)
class RefcountLayoutTest {
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6})
    @DisplayName("QCOW2 53: counts of every width are kept")
    void shouldKeepEveryCountWhenBlockIsFilledAtRandom(int order) {
        long seed = 52L + order;
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        RefcountLayout layout = new RefcountLayout(order, 9);
        assertThat(layout.widthBits()).isEqualTo(1 << order);
        assertThat(layout.blockEntries()).isEqualTo(512 * 8 / layout.widthBits());
        ByteBuffer direct = ByteBuffer.allocateDirect(512);
        UnsafeBuffer buffer = new UnsafeBuffer(direct);
        long[] expected = new long[layout.blockEntries()];
        for (int i = 0; i < 4 * expected.length; i++) {
            int index = random.nextInt(expected.length);
            expected[index] = random.nextLong() & layout.countMax();
            if (random.nextBoolean()) {
                layout.set(buffer, 0, index, expected[index]);
            } else {
                layout.set(direct, index, expected[index]);
            }
        }
        for (int i = 0; i < expected.length; i++) {
            assertThat(layout.get(buffer, 0, i)).isEqualTo(expected[i]);
            assertThat(layout.get(direct, i)).isEqualTo(expected[i]);
        }
    }

    @Test
    @DisplayName("QCOW2 53: entry 0 is in the lowest bits")
    void shouldPutEntryZeroInLowestBitsWhenWidthIsBelowEight() {
        ByteBuffer block = ByteBuffer.allocate(512);
        new RefcountLayout(0, 9).set(block, 0, 1);
        new RefcountLayout(0, 9).set(block, 15, 1);
        new RefcountLayout(1, 9).set(block, 9, 3);
        new RefcountLayout(2, 9).set(block, 7, 0xa);
        assertThat(block.get(0)).isEqualTo((byte) 1);
        assertThat(block.get(1)).isEqualTo((byte) 0x80);
        assertThat(block.get(2)).isEqualTo((byte) 0x0c);
        assertThat(block.get(3)).isEqualTo((byte) 0xa0);
    }

    @Test
    void shouldBeBigEndianWhenWidthIsSixteenOrMore() {
        ByteBuffer block = ByteBuffer.allocate(512);
        new RefcountLayout(4, 9).set(block, 1, 0x1234);
        assertThat(block.get(2)).isEqualTo((byte) 0x12);
        new RefcountLayout(6, 9).set(block, 1, -2);
        assertThat(block.getLong(8)).isEqualTo(-2);
    }

    @Test
    @DisplayName("QCOW2 52: block and index of a cluster")
    void shouldFindBlockAndIndexOfCluster() {
        RefcountLayout layout = new RefcountLayout(4, 16);
        assertThat(layout.blockEntries()).isEqualTo(32768);
        assertThat(layout.blockCoverBytes()).isEqualTo(2L << 30);
        assertThat(layout.blockIndex(32768L * 5 + 7)).isEqualTo(5);
        assertThat(layout.indexInBlock(32768L * 5 + 7)).isEqualTo(7);
        assertThat(layout.tableEntriesPerCluster()).isEqualTo(8192);
    }

    @Test
    @DisplayName("QCOW2 57: a count above the width is refused")
    void shouldRefuseCountWhenAboveWidth() {
        assertThatThrownBy(() -> new RefcountLayout(0, 9).set(ByteBuffer.allocate(512), 0, 2))
                .isInstanceOf(AssertionError.class);
    }

    @Test
    @DisplayName("QCOW2 54: faults of refcount table entries have names")
    void shouldNameFaultOfTableEntry() {
        assertThat(RefcountLayout.tableFault(0, 16, 1 << 20)).isEqualTo(EntryFault.NONE);
        assertThat(RefcountLayout.tableFault(0x10000, 16, 1 << 20)).isEqualTo(EntryFault.NONE);
        assertThat(RefcountLayout.tableFault(0x10001, 16, 1 << 20))
                .isEqualTo(EntryFault.RESERVED_BITS);
        assertThat(RefcountLayout.tableFault(0x10200, 16, 1 << 20)).isEqualTo(EntryFault.UNALIGNED);
        assertThat(RefcountLayout.tableFault(0x100000, 16, 1 << 20))
                .isEqualTo(EntryFault.BEYOND_EOF);
        assertThat(RefcountLayout.tableFault(-1L << 16, 16, 1 << 20))
                .isEqualTo(EntryFault.BEYOND_EOF);
    }
}
