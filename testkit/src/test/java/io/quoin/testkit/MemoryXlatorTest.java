package io.quoin.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.testkit.fault.ReorderingXlator;
import io.quoin.testkit.sim.VirtualLoop;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class MemoryXlatorTest {
    private final VirtualLoopGroup group = new VirtualLoopGroup(1);
    private final VirtualLoop loop = group.loop(0);
    private final MemoryXlator memory = new MemoryXlator("memory");

    @Test
    void shouldEqualTheModelWhenOperationsAreRandom() {
        runRandom(memory, 1);
    }

    @Test
    void shouldEqualTheModelWhenCompletionsAreReordered() {
        runRandom(new ReorderingXlator("reorder", memory, 7), 16);
    }

    private void runRandom(Xlator xlator, int depth) {
        int sizeBytes = 1_000_003;
        group.await(xlator.create("a", CreateOptions.ofSize(sizeBytes)));
        XlatorFile file = group.await(xlator.open("a", OpenOptions.READ_WRITE, loop));
        FileDriver driver = new FileDriver(file, loop);
        RandomOperations operations =
                new RandomOperations(RandomOperations.seed(), file.geometry(), file.capabilities());
        new ModelDisk(sizeBytes).performAll(driver, operations.next(2000), depth);
        group.await(file.close());
    }

    @Test
    void shouldKnowWhatIsUnflushedWhenWritten() {
        group.await(memory.create("a", CreateOptions.ofSize(10)));
        FileDriver driver =
                new FileDriver(group.await(memory.open("a", OpenOptions.READ_WRITE, loop)), loop);
        driver.write(100, new byte[] {1, 2, 3});
        assertThat(memory.isUnflushed("a")).isTrue();
        assertThat(driver.flush()).isEqualTo(BlockError.OK);
        assertThat(memory.isUnflushed("a")).isFalse();
        assertThat(memory.content("a")).hasSize(103).endsWith(1, 2, 3);
    }

    @Test
    void shouldGiveSpaceBackWhenDiscarded() {
        group.await(memory.create("a", CreateOptions.ofSize(1 << 20)));
        FileDriver driver =
                new FileDriver(group.await(memory.open("a", OpenOptions.READ_WRITE, loop)), loop);
        driver.write(0, new byte[8192]);
        assertThat(group.await(memory.stat("a")).allocatedBytes()).isEqualTo(8192);
        assertThat(driver.discard(0, 6000)).isEqualTo(BlockError.OK);
        assertThat(group.await(memory.stat("a")).allocatedBytes()).isEqualTo(4096);
        assertThat(driver.status(0, 1 << 20, 0)).hasToString("[4096:3, 4096:0, 1040384:3]");
    }

    @Test
    void shouldRefuseWhenOpenedForWritingTwice() {
        group.await(memory.create("a", CreateOptions.ofSize(10)));
        group.await(memory.open("a", OpenOptions.READ_WRITE, loop));
        assertThatThrownBy(() -> group.await(memory.open("a", OpenOptions.READ_WRITE, loop)))
                .isInstanceOf(BlockException.class)
                .hasMessage("file is open for writing already: name=a");
    }
}
