package io.quoin.xlator.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Work that gives way. */
@Timeout(60)
class TurnsTest {
    private final AtomicLong now = new AtomicLong();
    private final Deque<Runnable> arranged = new ArrayDeque<>();
    private final Turns turns = new Turns(now::get, arranged::add);
    private final List<String> done = new ArrayList<>();

    private void add(String name, long nanos) {
        turns.add(
                () -> {
                    done.add(name);
                    now.addAndGet(nanos);
                });
    }

    private void turn() {
        arranged.remove().run();
    }

    @Test
    void shouldRunInOrderUntilTheSliceIsUsedUp() {
        long half = Turns.SLICE_NANOS / 2;
        add("a", half);
        add("b", half);
        add("c", 10 * half);
        add("d", 1);
        assertThat(arranged).hasSize(1);
        turn();
        assertThat(done).containsExactly("a", "b");
        turn();
        assertThat(done).containsExactly("a", "b", "c");
        turn();
        assertThat(done).containsExactly("a", "b", "c", "d");
        assertThat(arranged).isEmpty();
    }

    @Test
    void shouldLeaveWhatCameMeanwhileToTheNextTurn() {
        turns.add(() -> add("later", 0));
        add("now", 0);
        turn();
        assertThat(done).containsExactly("now");
        turn();
        assertThat(done).containsExactly("now", "later");
    }

    @Test
    void shouldGoOnWhenATaskFails() {
        turns.add(
                () -> {
                    throw new IllegalStateException("a task's own trouble");
                });
        add("next", 0);
        try {
            turn();
        } catch (IllegalStateException expected) {
            done.add("failed");
        }
        turn();
        assertThat(done).containsExactly("failed", "next");
    }

    @Test
    void shouldLetOthersRunOnALoopWhenWorkGivesWayWithoutEnd() throws Exception {
        try (NettyLoopGroup loops = new NettyLoopGroup(1)) {
            Loop loop = loops.next();
            AtomicBoolean isEnough = new AtomicBoolean();
            CountDownLatch others = new CountDownLatch(100);
            CountDownLatch ended = new CountDownLatch(1);
            Runnable endless =
                    new Runnable() {
                        @Override
                        public void run() {
                            if (isEnough.get()) {
                                ended.countDown();
                            } else {
                                loop.giveWay(this);
                            }
                        }
                    };
            loop.execute(() -> loop.giveWay(endless));
            for (int i = 0; i < 100; i++) {
                loop.schedule(1, others::countDown);
            }
            assertThat(others.await(30, TimeUnit.SECONDS)).isTrue();
            isEnough.set(true);
            assertThat(ended.await(30, TimeUnit.SECONDS)).isTrue();
        }
    }
}
