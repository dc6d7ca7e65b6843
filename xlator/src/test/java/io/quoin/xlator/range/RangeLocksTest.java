package io.quoin.xlator.range;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

/** Ranges are had alone or shared, in the order of those that want them. */
class RangeLocksTest {
    private final RangeLocks locks = new RangeLocks();
    private final List<RangeLock> granted = new ArrayList<>();

    private RangeLock lock(long first, long last, boolean exclusive) {
        RangeLock[] self = new RangeLock[1];
        RangeLock lock = new RangeLock(() -> granted.add(self[0]));
        self[0] = lock;
        lock.range(first, last);
        lock.exclusive(exclusive);
        return lock;
    }

    @Test
    void shouldShareARangeAndKeepItFromOneThatWantsItAlone() {
        RangeLock a = lock(0, 9, false);
        RangeLock b = lock(9, 20, false);
        RangeLock alone = lock(9, 9, true);
        assertThat(locks.acquire(a)).isTrue();
        assertThat(locks.acquire(b)).isTrue();
        assertThat(locks.acquire(alone)).isFalse();
        locks.release(a);
        assertThat(granted).isEmpty();
        locks.release(b);
        assertThat(granted).containsExactly(alone);
        assertThat(alone.isHeld()).isTrue();
    }

    @Test
    void shouldNotOvertakeAWaiterThatItConflictsWith() {
        RangeLock shared = lock(0, 9, false);
        RangeLock alone = lock(5, 15, true);
        RangeLock later = lock(0, 6, false);
        RangeLock apart = lock(0, 4, false);
        locks.acquire(shared);
        assertThat(locks.acquire(alone)).isFalse();
        assertThat(locks.acquire(later)).isFalse();
        assertThat(locks.acquire(apart)).isTrue();
        locks.release(shared);
        assertThat(granted).containsExactly(alone);
        locks.release(alone);
        assertThat(granted).containsExactly(alone, later);
    }

    @Test
    void shouldGrantAgainWhatIsReleasedWhileItIsTold() {
        RangeLock first = lock(0, 0, true);
        List<String> order = new ArrayList<>();
        RangeLock[] second = new RangeLock[1];
        second[0] =
                new RangeLock(
                        () -> {
                            order.add("second");
                            locks.release(second[0]);
                            order.add("second has let go");
                        });
        second[0].exclusive(true);
        RangeLock third = new RangeLock(() -> order.add("third"));
        third.exclusive(true);
        locks.acquire(first);
        locks.acquire(second[0]);
        locks.acquire(third);
        locks.release(first);
        assertThat(order).containsExactly("second", "second has let go", "third");
    }

    /** Random requests: never two that conflict at once, and each has its turn. */
    @RepeatedTest(200)
    void shouldKeepConflictsApartAndStarveNone(RepetitionInfo repetition) {
        Random random = new Random(repetition.getCurrentRepetition());
        List<RangeLock> waiting = new ArrayList<>();
        List<RangeLock> held = new ArrayList<>();
        for (int step = 0; step < 400; step++) {
            boolean asks = step < 300 && random.nextInt(5) < 3;
            if (asks) {
                long first = random.nextInt(20);
                RangeLock wanted = lock(first, first + random.nextInt(6), random.nextBoolean());
                boolean had = locks.acquire(wanted);
                boolean conflictsWithAny =
                        held.stream().anyMatch(other -> conflict(other, wanted))
                                || waiting.stream().anyMatch(other -> conflict(other, wanted));
                assertThat(had).isEqualTo(!conflictsWithAny);
                (had ? held : waiting).add(wanted);
            } else if (!held.isEmpty()) {
                RangeLock gone = held.remove(random.nextInt(held.size()));
                locks.release(gone);
                waiting.removeAll(granted);
                held.addAll(granted);
                granted.clear();
            }
            checkApart(held);
        }
        while (!held.isEmpty()) {
            locks.release(held.remove(0));
            waiting.removeAll(granted);
            held.addAll(granted);
            granted.clear();
            checkApart(held);
        }
        assertThat(waiting).isEmpty();
    }

    private static void checkApart(List<RangeLock> held) {
        for (int i = 0; i < held.size(); i++) {
            assertThat(held.get(i).isHeld()).isTrue();
            for (int j = i + 1; j < held.size(); j++) {
                assertThat(conflict(held.get(i), held.get(j))).isFalse();
            }
        }
    }

    private static boolean conflict(RangeLock a, RangeLock b) {
        return (a.isExclusive() || b.isExclusive()) && a.first <= b.last && b.first <= a.last;
    }
}
