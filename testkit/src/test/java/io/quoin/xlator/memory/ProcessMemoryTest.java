package io.quoin.xlator.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockException;
import org.junit.jupiter.api.Test;

class ProcessMemoryTest {
    private static final long MIB = 1 << 20;

    @Test
    void shouldShareAllOfItWhenDividedByUse() {
        for (long total : new long[] {96 * MIB, 192 * MIB, 1024 * MIB}) {
            ProcessMemory memory = new ProcessMemory(total);
            long sum = 0;
            for (MemoryUse use : MemoryUse.values()) {
                assertThat(memory.limitBytes(use)).isGreaterThanOrEqualTo(4 * MIB);
                sum += memory.limitBytes(use);
            }
            assertThat(sum).isEqualTo(total);
        }
    }

    @Test
    void shouldTakeNoMoreThanTheShareWhenAskedForIt() {
        ProcessMemory memory = new ProcessMemory(96 * MIB);
        long limit = memory.limitBytes(MemoryUse.WORK);
        assertThat(memory.tryTake(MemoryUse.WORK, limit)).isTrue();
        assertThat(memory.tryTake(MemoryUse.WORK, 1)).isFalse();
        assertThat(memory.tryTake(MemoryUse.CACHE, 1)).isTrue();
        memory.giveBack(MemoryUse.WORK, 1);
        assertThat(memory.tryTake(MemoryUse.WORK, 1)).isTrue();
    }

    @Test
    void shouldFollowTheMachineWhenNothingIsSaid() {
        assertThat(ProcessMemory.defaultBytes(256 * MIB)).isEqualTo(96 * MIB);
        assertThat(ProcessMemory.defaultBytes(1024 * MIB)).isEqualTo(128 * MIB);
        assertThat(ProcessMemory.defaultBytes(1L << 40)).isEqualTo(192 * MIB);
    }

    @Test
    void shouldRefuseWhenItIsTooSmallOrTooLarge() {
        assertThatThrownBy(() -> new ProcessMemory(MIB))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining(
                        "illegal memory: bytes=1048576, expected=100663296 to 4294967296");
        assertThatThrownBy(() -> new ProcessMemory(1L << 40)).isInstanceOf(BlockException.class);
    }
}
