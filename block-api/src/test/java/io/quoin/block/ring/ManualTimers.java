package io.quoin.block.ring;

import java.util.ArrayList;
import java.util.List;

/** Timers of a clock that the test moves; their tasks run inside {@link #advance}. */
final class ManualTimers implements RingTimers {
    private record Timer(long dueNanos, Runnable task) {}

    private final List<Timer> timers = new ArrayList<>();
    private long nowNanos;

    @Override
    public void schedule(long delayNanos, Runnable task) {
        timers.add(new Timer(nowNanos + delayNanos, task));
    }

    int count() {
        return timers.size();
    }

    void advance(long nanos) {
        nowNanos += nanos;
        for (Timer timer : List.copyOf(timers)) {
            if (timer.dueNanos <= nowNanos) {
                timers.remove(timer);
                timer.task.run();
            }
        }
    }
}
