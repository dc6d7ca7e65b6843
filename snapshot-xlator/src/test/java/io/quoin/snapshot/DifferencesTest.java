package io.quoin.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.ExtentList;
import io.quoin.qcow2.diff.DiffControl;
import io.quoin.qcow2.diff.DiffExtent;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.sim.VirtualLoop;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.XlatorFile;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Comparisons that are made for those that ask, a window at a time. */
@Timeout(30)
class DifferencesTest {
    private static final long GIB = 1L << 30;
    private static final long SIZE = 20 * GIB;
    private static final int CLUSTER = 1 << 16;

    private final VirtualLoopGroup loops = new VirtualLoopGroup(1);
    private final VirtualLoop loop = loops.loop(0);
    private final ArrayDeque<Comparison> comparisons = new ArrayDeque<>();
    private final List<String> answers = new ArrayList<>();
    private Differences differences;

    /** One that has begun. */
    private record Comparison(
            long start, long end, Predicate<DiffExtent> consumer, CompletableFuture<Void> done) {}

    @BeforeEach
    void openTheOlder() {
        MemoryXlator images = new MemoryXlator("images");
        images.put("older", new byte[512]);
        XlatorFile older = loops.await(images.open("older", OpenOptions.READ_ONLY, loop));
        DiffControl newer =
                (file, start, end, consumer) -> {
                    assertThat(file).isSameAs(older);
                    CompletableFuture<Void> done = new CompletableFuture<>();
                    comparisons.add(new Comparison(start, end, consumer, done));
                    return done;
                };
        differences = new Differences(newer, SIZE, older, loop);
    }

    private void ask(String who, long offset, long length) {
        ExtentList extents = new ExtentList(8);
        differences.report(
                offset,
                length,
                extents,
                error -> answers.add(who + ' ' + (error.isOk() ? extents : error)));
    }

    /** Ends the comparison that runs, and says what it told. */
    private Comparison compare(DiffExtent... told) {
        assertThat(comparisons).as("one at a time").hasSize(1);
        Comparison running = comparisons.remove();
        for (DiffExtent extent : told) {
            assertThat(running.consumer().test(extent)).isTrue();
        }
        running.done().complete(null);
        loops.runUntilIdle();
        return running;
    }

    private static DiffExtent extent(long start, long length) {
        return new DiffExtent(start, length, false);
    }

    @Test
    void shouldAnswerManyQuestionsOutOfOneComparison() {
        ask("first", 100, GIB);
        ask("behind", 8 * GIB - 1, GIB);
        assertThat(answers).isEmpty();
        Comparison compared =
                compare(
                        extent(0, CLUSTER),
                        new DiffExtent(CLUSTER, CLUSTER, true),
                        extent(GIB, CLUSTER));
        assertThat(compared.start()).isEqualTo(100);
        assertThat(compared.end()).isEqualTo(100 + 8 * GIB);
        assertThat(answers)
                .containsExactly(
                        "first ["
                                + (2 * CLUSTER - 100)
                                + ":1, "
                                + (GIB - 2 * CLUSTER)
                                + ":0, 100:1]",
                        "behind [101:0]");
        answers.clear();
        ask("inside", GIB + 10, 20);
        ask("at its end", 2 * CLUSTER, 20);
        ask("at the end of the window", 100 + 8 * GIB - 5, 20);
        assertThat(answers)
                .containsExactly(
                        "inside [20:1]", "at its end [20:0]", "at the end of the window [5:0]");
        assertThat(comparisons).isEmpty();
    }

    @Test
    void shouldCompareForOneAfterAnotherWhenTheyAreFarApart() {
        ask("first", 0, 512);
        ask("far", 19 * GIB, GIB);
        ask("near", 512, 512);
        assertThat(compare().end()).isEqualTo(8 * GIB);
        assertThat(answers).containsExactly("first [512:0]", "near [512:0]");
        assertThat(compare(extent(19 * GIB, GIB)).end()).isEqualTo(SIZE);
        assertThat(answers).last().isEqualTo("far [" + GIB + ":1]");
    }

    @Test
    void shouldEndTheWindowWithTheLastExtentThatIsKept() {
        ask("first", 0, GIB);
        Comparison running = comparisons.remove();
        long start = 0;
        while (running.consumer().test(extent(start, CLUSTER))) {
            start += 2 * CLUSTER;
        }
        running.done().complete(null);
        loops.runUntilIdle();
        assertThat(answers).hasSize(1);
        ask("last", start, GIB);
        assertThat(answers).last().isEqualTo("last [" + CLUSTER + ":1]");
        ask("next", start + CLUSTER, 512);
        assertThat(compare().start()).isEqualTo(start + CLUSTER);
        assertThat(answers).last().isEqualTo("next [512:0]");
    }

    @Test
    void shouldTellTheErrorToTheOneThatAskedAndGoOnForTheOthers() {
        ask("first", 0, 512);
        ask("second", 0, 512);
        BlockException failure = new BlockException(BlockError.EIO, "bad sector");
        comparisons.remove().done().completeExceptionally(failure);
        loops.runUntilIdle();
        assertThat(answers).containsExactly("first EIO");
        compare();
        assertThat(answers).last().isEqualTo("second [512:0]");
    }

    @Test
    void shouldAskAgainOutOfAnAnswer() {
        ExtentList extents = new ExtentList(8);
        differences.report(0, 512, extents, error -> ask("again", extents.lengthBytes(), SIZE));
        compare();
        assertThat(answers).containsExactly("again [" + (8 * GIB - 512) + ":0]");
        assertThat(comparisons).isEmpty();
    }

    @Test
    void shouldCloseWhenTheComparisonHasEnded() {
        ask("first", 0, 512);
        ask("far", 19 * GIB, 512);
        CompletableFuture<Void> closed = differences.close().toCompletableFuture();
        ask("late", 0, 512);
        assertThat(closed).isNotDone();
        compare();
        assertThat(closed).isDone();
        assertThat(answers).containsExactly("late ESHUTDOWN", "first [512:0]", "far ESHUTDOWN");
        assertThat(comparisons).isEmpty();
    }
}
