package io.quoin.qcow2.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.testkit.sim.VirtualLoop;
import io.quoin.testkit.sim.VirtualLoopGroup;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Work beside a guest that sends one request after the other, in virtual time. */
class GuestPaceTest {
    private static final long SLICE_NANOS = TimeUnit.MICROSECONDS.toNanos(60);
    private static final long CALM_NANOS = TimeUnit.MICROSECONDS.toNanos(100);
    private static final int SLICES_PER_TABLE = 16;

    private final VirtualLoopGroup loops = new VirtualLoopGroup(1);
    private final VirtualLoop loop = loops.loop(0);
    private final IoRequest request = new IoRequest();
    private long submitted;
    private final GuestPace pace = new GuestPace(loop, () -> submitted);
    private double slowedBy = 1;
    private boolean isWorking;
    private boolean hasGuest;
    private long slices;
    private long rests;

    /** What a request takes: {@code slowedBy} times as long if there is work when it begins. */
    private void send() {
        if (!hasGuest) {
            return;
        }
        submitted++;
        request.prepare(IoOp.READ, 0, 4096, 0);
        request.push((done, error) -> send());
        if (pace.isTiming()) {
            pace.time(request);
        }
        long takes = (long) (CALM_NANOS * (isWorking ? slowedBy : 1));
        loop.schedule(takes, () -> request.complete(BlockError.OK));
    }

    private void work() {
        isWorking = true;
        loop.schedule(SLICE_NANOS, this::worked);
    }

    private void worked() {
        slices++;
        long restNanos = pace.restNanos(slices % SLICES_PER_TABLE == 0);
        if (restNanos == 0) {
            work();
        } else {
            rests++;
            isWorking = false;
            loop.schedule(restNanos, this::work);
        }
    }

    private long submittedIn(long millis) {
        long before = submitted;
        loops.advance(TimeUnit.MILLISECONDS.toNanos(millis));
        return submitted - before;
    }

    @ParameterizedTest
    @ValueSource(doubles = {1.5, 2, 4, 10})
    void shouldSlowAGuestByLessThanAFifthWhenWorkMakesItsRequestsLonger(double factor) {
        hasGuest = true;
        loop.run(this::send);
        long alone = submittedIn(2000);
        slowedBy = factor;
        loop.run(this::work);
        submittedIn(1000); // it finds out
        long slicesBefore = slices;
        long beside = submittedIn(2000);
        assertThat((double) beside / alone).isGreaterThan(0.8);
        assertThat(slices - slicesBefore).as("it goes on").isGreaterThan(500);
    }

    @Test
    void shouldWorkMoreWhenGuestsDoNotNotice() {
        hasGuest = true;
        loop.run(this::send);
        loop.run(this::work);
        submittedIn(2000);
        long before = slices;
        submittedIn(1000);
        long most = TimeUnit.SECONDS.toNanos(1) / SLICE_NANOS;
        assertThat(slices - before).isGreaterThan(most / 2);
    }

    @Test
    void shouldNotRestWhenThereAreNoGuests() {
        loop.run(this::work);
        submittedIn(1000);
        assertThat(rests).isZero();
        hasGuest = true;
        loop.run(this::send);
        submittedIn(100);
        assertThat(rests).isPositive();
        hasGuest = false;
        submittedIn(300);
        rests = 0;
        submittedIn(1000);
        assertThat(rests).isZero();
    }

    @Test
    void shouldTimeNoRequestWhenTheWorkIsOver() {
        hasGuest = true;
        loop.run(this::send);
        assertThat(pace.isTiming()).isFalse();
        loop.run(() -> assertThat(pace.restNanos(true)).isPositive());
        assertThat(pace.isTiming()).isTrue();
        submittedIn(2000);
        assertThat(pace.isTiming()).isFalse();
        assertThat(pace.factor()).isPositive();
    }
}
