package io.quoin.xlator.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class DedicatedLoopTest {
    @Test
    void shouldRunTasksAndTimersOnItsThread() throws Exception {
        try (DedicatedLoop loop = new DedicatedLoop("disk-1")) {
            assertThat(loop.name()).isEqualTo("disk-1");
            assertThat(loop.inLoop()).isFalse();
            CompletableFuture<Boolean> ran = new CompletableFuture<>();
            loop.execute(() -> ran.complete(loop.inLoop() && loop.requests() != null));
            assertThat(ran.get(10, TimeUnit.SECONDS)).isTrue();

            CompletableFuture<Boolean> fired = new CompletableFuture<>();
            long before = loop.nanoTime();
            long delay = TimeUnit.MILLISECONDS.toNanos(20);
            loop.schedule(
                    delay,
                    () -> fired.complete(loop.inLoop() && loop.nanoTime() - before >= delay));
            assertThat(fired.get(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void shouldNotRunATimerWhenItWasCancelled() throws Exception {
        try (DedicatedLoop loop = new DedicatedLoop("disk-2")) {
            AtomicInteger runs = new AtomicInteger();
            CountDownLatch later = new CountDownLatch(1);
            loop.schedule(TimeUnit.MILLISECONDS.toNanos(20), runs::incrementAndGet).cancel();
            loop.schedule(TimeUnit.MILLISECONDS.toNanos(40), later::countDown);
            assertThat(later.await(10, TimeUnit.SECONDS)).isTrue();
            assertThat(runs).hasValue(0);
        }
    }
}
