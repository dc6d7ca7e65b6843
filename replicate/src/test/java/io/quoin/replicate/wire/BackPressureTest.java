package io.quoin.replicate.wire;

import static io.quoin.replicate.wire.WireBed.promise;
import static io.quoin.replicate.wire.WireBed.request;
import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.replicate.Payload;
import io.quoin.replicate.Reply;
import io.quoin.replicate.Request;
import io.quoin.replicate.wire.RecordingListener.Disconnected;
import io.quoin.replicate.wire.RecordingListener.Received;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class BackPressureTest {
    private static final UUID FILE = UUID.randomUUID();
    private static final int MIB = 1 << 20;

    private final RecordingListener listener = new RecordingListener();
    private final Payload data = Payload.of(new byte[MIB]);
    private WireBed bed;

    @BeforeEach
    void start() {
        bed = new WireBed();
    }

    @AfterEach
    void stop() throws Exception {
        bed.close();
    }

    @Test
    void shouldStopReadingWhenTheBrickLagsAndGoOnWhenItAnswers() {
        RemoteBrick link = bed.connect(listener);
        link.send(FILE, promise(1));
        listener.next(Received.class);
        bed.brick().hold();
        int writes = 50;
        for (int id = 1; id <= writes; id++) {
            link.send(FILE, request(1, id, new Request.Write(0, data, false)));
        }
        long most = 25L * MIB;
        Await.until("as much as is allowed", () -> bed.brick().arrivedBytes() >= 24L * MIB);
        for (int i = 0; i < 5; i++) {
            onBrickLoop();
            assertThat(bed.brick().arrivedBytes()).isLessThanOrEqualTo(most);
        }
        bed.brickLoop().execute(bed.brick()::letGo);
        for (int id = 1; id <= writes; id++) {
            assertThat(listener.next(Received.class).reply().id()).isEqualTo(id);
        }
    }

    /** Lets the brick's loop look at its sockets. */
    private void onBrickLoop() {
        try {
            var turned = new java.util.concurrent.CountDownLatch(1);
            bed.brickLoop().schedule(TimeUnit.MILLISECONDS.toNanos(20), turned::countDown);
            turned.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void shouldEndTheConnectionWhenTheBrickAnswersNothingOfTooMuch() throws Exception {
        bed.close();
        bed = new WireBed(WireBed.FAST);
        RemoteBrick link = bed.connect(listener);
        link.send(FILE, promise(1));
        bed.brick().hold();
        for (int id = 1; id <= 40; id++) {
            link.send(FILE, request(1, id, new Request.Write(0, data, false)));
        }
        assertThat(listener.next(Disconnected.class).reason()).contains("closed");
        Await.until("connected again", () -> link.failure() == null);
    }

    @Test
    void shouldForgetRequestsWhenTheirSessionHasEnded() {
        RemoteBrick link = bed.connect(listener);
        for (int session = 1; session <= 10; session++) {
            link.send(FILE, promise(session));
            listener.next(Received.class);
            bed.brick().hold();
            for (int id = 1; id <= 10; id++) {
                link.send(FILE, request(session, id, new Request.Write(0, data, false)));
            }
            long arrived = session * 10L * MIB;
            Await.until("arrived", () -> bed.brick().arrivedBytes() == arrived);
            bed.brick().forgetHeld();
        }
    }

    @Test
    void shouldCountNothingTwiceWhenRequestsAreRefused() {
        InFlight inFlight = new InFlight();
        inFlight.add(FILE, promise(1));
        inFlight.answered(FILE, new Reply(0, 1, 0, new Reply.Done()));
        assertThat(inFlight.bytes()).isZero();
        for (int id = 1; id <= 3; id++) {
            inFlight.add(FILE, request(1, id, new Request.Write(0, data, false)));
        }
        inFlight.add(FILE, request(0, 4, new Request.Write(0, data, false)));
        assertThat(inFlight.bytes()).isBetween(3L * MIB, 3L * MIB + 4096);
        inFlight.answered(FILE, new Reply(0, 1, 1, new Reply.Done()));
        inFlight.answered(FILE, new Reply(0, 1, 1, new Reply.Done()));
        inFlight.answered(FILE, new Reply(0, 7, 2, new Reply.Done()));
        assertThat(inFlight.bytes()).isBetween(2L * MIB, 2L * MIB + 4096);
        inFlight.answered(FILE, new Reply(0, 1, 9, new Reply.NoSession()));
        assertThat(inFlight.bytes()).isZero();
    }
}
