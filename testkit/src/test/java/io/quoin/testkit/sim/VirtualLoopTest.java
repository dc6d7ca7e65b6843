package io.quoin.testkit.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class VirtualLoopTest {
    @Test
    void shouldRunTimersInOrderOfTimeWhenIdle() {
        VirtualLoopGroup group = new VirtualLoopGroup(1);
        VirtualLoop loop = group.loop(0);
        List<String> seen = new ArrayList<>();
        loop.schedule(200, () -> seen.add("late at " + loop.nanoTime()));
        loop.schedule(100, () -> seen.add("early at " + loop.nanoTime()));
        loop.schedule(150, () -> seen.add("cancelled")).cancel();
        loop.execute(() -> seen.add("first"));
        group.runUntilIdle();
        assertThat(seen).containsExactly("first", "early at 100", "late at 200");
    }

    @Test
    void shouldKeepTheOrderOfEachLoopWhenTurnsAreRandom() {
        List<List<Integer>> orders = new ArrayList<>();
        for (int run = 0; run < 2; run++) {
            VirtualLoopGroup group = VirtualLoopGroup.random(2, 42);
            List<Integer> seen = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                int number = i;
                group.loop(i % 2).execute(() -> seen.add(number));
            }
            group.runReady();
            assertThat(seen.stream().filter(n -> n % 2 == 0)).isSorted();
            assertThat(seen.stream().filter(n -> n % 2 == 1)).isSorted();
            orders.add(seen);
        }
        assertThat(orders.get(0)).isEqualTo(orders.get(1)).isNotEqualTo(sorted(orders.get(0)));
    }

    private static List<Integer> sorted(List<Integer> numbers) {
        return numbers.stream().sorted().toList();
    }

    @Test
    void shouldKnowItsOwnTasksWhenAsked() {
        VirtualLoopGroup group = new VirtualLoopGroup(2);
        List<Boolean> seen = new ArrayList<>();
        group.loop(0)
                .execute(
                        () -> {
                            seen.add(group.loop(0).inLoop());
                            seen.add(group.loop(1).inLoop());
                        });
        group.runReady();
        assertThat(seen).containsExactly(true, false);
        assertThat(group.loop(0).inLoop()).isFalse();
    }

    @Test
    void shouldTakeWorkFromOtherThreadsWhenAwaiting() {
        VirtualLoopGroup group = new VirtualLoopGroup(1);
        CompletableFuture<String> stage = new CompletableFuture<>();
        Thread thread =
                new Thread(() -> group.loop(0).execute(() -> stage.complete("from outside")));
        thread.start();
        assertThat(group.await(stage)).isEqualTo("from outside");
    }

    @Test
    void shouldAdvanceOnlyAsFarAsAskedWhenTimersRemain() {
        VirtualLoopGroup group = new VirtualLoopGroup(1);
        List<String> seen = new ArrayList<>();
        group.loop(0).schedule(100, () -> seen.add("due"));
        group.loop(0).schedule(101, () -> seen.add("not yet"));
        group.advance(100);
        assertThat(seen).containsExactly("due");
        assertThat(group.nanoTime()).isEqualTo(100);
    }

    @Test
    void shouldThrowWhatATaskThrows() {
        VirtualLoopGroup group = new VirtualLoopGroup(1);
        group.loop(0)
                .execute(
                        () -> {
                            throw new IllegalStateException("broken");
                        });
        assertThatThrownBy(group::runReady).isInstanceOf(IllegalStateException.class);
    }
}
