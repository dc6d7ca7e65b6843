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

    @Test
    void shouldLoseTasksAndTimersWhenALoopIsKilled() {
        VirtualLoopGroup group = new VirtualLoopGroup(2);
        VirtualLoop crashed = group.loop(0);
        List<String> seen = new ArrayList<>();
        crashed.execute(() -> seen.add("task"));
        crashed.schedule(100, () -> seen.add("timer"));
        group.loop(1).schedule(200, () -> seen.add("other loop"));
        crashed.kill();
        crashed.execute(() -> seen.add("late task"));
        crashed.schedule(1, () -> seen.add("late timer")).cancel();

        VirtualLoop restarted = crashed.restart();
        restarted.execute(() -> seen.add("restarted"));
        crashed.execute(() -> seen.add("left over"));
        group.runUntilIdle();

        assertThat(seen).containsExactly("restarted", "other loop");
        assertThat(group.loop(0)).isSameAs(restarted);
        assertThat(crashed.isDead()).isTrue();
    }

    @Test
    void shouldDrawTheSameOnALoopWhateverOthersDraw() {
        List<Long> alone = draws(VirtualLoopGroup.random(2, 5), 0);
        List<Long> beside = draws(VirtualLoopGroup.random(2, 5), 3);
        assertThat(alone).isEqualTo(beside);
        assertThat(draws(VirtualLoopGroup.random(2, 6), 0)).isNotEqualTo(alone);
    }

    /** What loop 0 draws in its tasks, while loop 1 draws {@code others} times in each of its. */
    private static List<Long> draws(VirtualLoopGroup group, int others) {
        List<Long> drawn = new ArrayList<>();
        List<Long> elsewhere = new ArrayList<>();
        VirtualLoop first = group.loop(0);
        VirtualLoop second = group.loop(1);
        for (int i = 0; i < 10; i++) {
            first.execute(() -> drawn.add(first.random().nextLong()));
            second.execute(() -> second.random().longs(others).forEach(elsewhere::add));
        }
        group.runReady();
        assertThat(elsewhere).hasSize(10 * others).doesNotContainAnyElementsOf(drawn);
        return drawn;
    }
}
