package io.quoin.replicate.wire;

import static io.quoin.replicate.wire.WireBed.promise;
import static io.quoin.replicate.wire.WireBed.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quoin.block.BlockException;
import io.quoin.replicate.BrickSpace;
import io.quoin.replicate.Payload;
import io.quoin.replicate.Reply;
import io.quoin.replicate.Request;
import io.quoin.replicate.wire.RecordingListener.Connected;
import io.quoin.replicate.wire.RecordingListener.Disconnected;
import io.quoin.replicate.wire.RecordingListener.Received;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class RemoteBrickTest {
    private static final UUID FILE = UUID.randomUUID();

    private final RecordingListener listener = new RecordingListener();
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
    void shouldTellTheIdentityWhenConnected() {
        bed.open(bed.address(), WireBed.OPTIONS, listener);
        assertThat(listener.next(Connected.class).identity()).isEqualTo(WireBed.IDENTITY);
    }

    @Test
    void shouldCarryEachRequestAndReplyWhenConnected() {
        RemoteBrick link = bed.connect(listener);
        ConcurrentLinkedQueue<Request> arrived = new ConcurrentLinkedQueue<>();
        bed.brick().watch(request -> arrived.add(kept(request.request())));
        for (long seed = 0; seed < 20; seed++) {
            List<Reply.Result> results = new Samples(seed).results();
            bed.brick().answerBy(request -> results.get((int) (request.id() % results.size())));
            link.send(FILE, promise(seed));
            arrived.clear();
            listener.next(Received.class);
            arrived.clear();
            List<Request> sent = new ArrayList<>();
            for (Request.Operation operation : new Samples(seed).operations()) {
                Request request = request(seed, sent.size(), operation);
                sent.add(request);
                link.send(FILE, request);
            }
            for (int id = 0; id < sent.size(); id++) {
                Received received = listener.next(Received.class);
                Reply expected = new Reply(1, seed, id, results.get(id % results.size()));
                assertThat(received.file()).isEqualTo(FILE);
                assertThat(received.reply()).isEqualTo(expected);
            }
            assertThat(arrived).containsExactlyElementsOf(sent);
        }
    }

    /** What is written is in memory that is used again, once the request is answered. */
    private static Request kept(Request request) {
        if (!(request.operation() instanceof Request.Write write)) {
            return request;
        }
        Payload copy = Payload.of(write.data().bytes());
        return new Request(
                request.gateway(),
                request.epoch(),
                request.session(),
                request.id(),
                new Request.Write(write.offsetBytes(), copy, write.isDurable()));
    }

    @Test
    void shouldAnswerCallsWhenConnected() throws Exception {
        RemoteBrick link = bed.connect(listener);
        link.send(FILE, promise(1));
        listener.next(Received.class);
        assertThat(Await.result(link.list())).containsExactly(FILE);
        assertThat(Await.result(link.space())).isEqualTo(new BrickSpace(1L << 50, 1L << 49));
        assertThat(Await.result(link.probe(FILE))).isEqualTo(MemoryBrick.probed(FILE, true));
        Await.result(link.delete(FILE));
        assertThat(Await.result(link.list())).isEmpty();
        assertThatThrownBy(() -> Await.result(link.delete(FILE)))
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOf(BlockException.class)
                .hasMessage("file is in use: id=" + FILE)
                .extracting(cause -> ((BlockException) cause).error().name())
                .isEqualTo("EBUSY");
    }

    @Test
    void shouldKeepTheOrderOfEachFileWhenManyAreUsedAtOnce() throws Exception {
        RemoteBrick link = bed.connect(listener);
        Map<UUID, Long> last = new HashMap<>();
        List<String> wrong = new ArrayList<>();
        bed.brick()
                .watch(
                        arrived -> {
                            long id = arrived.request().id();
                            Long before = last.put(arrived.file(), id);
                            if (id != (before == null ? 0 : before + 1)) {
                                wrong.add(arrived.file() + ": " + before + " then " + id);
                            }
                        });
        int requests = 500;
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            UUID file = new UUID(1, i);
            Thread thread =
                    new Thread(
                            () -> {
                                link.send(file, promise(1));
                                for (int id = 1; id < requests; id++) {
                                    link.send(file, request(1, id, new Request.Read(id, 100 * 8)));
                                }
                            });
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        Map<UUID, Long> replied = new HashMap<>();
        for (int i = 0; i < 20 * requests; i++) {
            Received received = listener.next(Received.class);
            long id = received.reply().id();
            assertThat(id).isEqualTo(replied.getOrDefault(received.file(), -1L) + 1);
            replied.put(received.file(), id);
            if (received.reply().result() instanceof Reply.Data data) {
                assertThat(data.data().bytes()[799]).isEqualTo((byte) id);
            }
        }
        assertThat(wrong).isEmpty();
    }

    @Test
    void shouldDropAllOfASessionWhenOneOfItsRequestsWasDropped() throws Exception {
        RemoteBrick link = bed.connect(listener);
        ConcurrentLinkedQueue<Long> sessions = new ConcurrentLinkedQueue<>();
        bed.brick().watch(arrived -> sessions.add(arrived.request().session()));
        link.send(FILE, promise(1));
        listener.next(Received.class);
        bed.stopServer();
        listener.next(Disconnected.class);
        link.send(FILE, request(1, 1, new Request.Flush()));
        bed.startServer();
        listener.next(Connected.class);
        link.send(FILE, request(1, 2, new Request.Flush()));
        link.send(FILE, promise(2));
        link.send(FILE, request(1, 3, new Request.Flush()));
        link.send(FILE, request(2, 4, new Request.Flush()));
        assertThat(listener.next(Received.class).reply().id()).isEqualTo(0);
        assertThat(listener.next(Received.class).reply().id()).isEqualTo(4);
        assertThat(sessions).containsExactly(1L, 2L, 2L);
    }

    @Test
    void shouldConnectAgainEachTimeWhenTheServerComesBack() throws Exception {
        bed.connect(listener);
        for (int i = 0; i < 5; i++) {
            bed.stopServer();
            assertThat(listener.next(Disconnected.class).reason())
                    .isEqualTo("the brick is being stopped");
            bed.startServer();
            listener.next(Connected.class);
        }
        assertThat(listener.isEmpty()).isTrue();
    }

    @Test
    void shouldFailCallsWhenNotConnected() throws Exception {
        RemoteBrick link = bed.connect(listener);
        bed.stopServer();
        listener.next(Disconnected.class);
        assertThatThrownBy(() -> Await.result(link.list()))
                .cause()
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("brick is not connected: address=127.0.0.1:");
        Await.until("refused", () -> String.valueOf(link.failure()).contains("refused"));
        bed.startServer();
        listener.next(Connected.class);
        assertThat(link.failure()).isNull();
    }

    @Test
    void shouldFailCallsInFlightWhenTheConnectionIsLost() throws Exception {
        RemoteBrick link = bed.connect(listener);
        bed.linkLoop().execute(() -> {}); // the call is sent, and closed behind
        var list = link.list();
        link.close();
        try {
            assertThat(Await.result(list)).isEmpty();
        } catch (ExecutionException e) {
            assertThat(e.getCause()).hasMessageContaining("connection to the brick lost");
        }
        assertThat(listener.isEmpty()).isTrue();
    }

    @Test
    void shouldAnswerWhatIsInFlightWhenTheServerStops() throws Exception {
        RemoteBrick link = bed.connect(listener);
        link.send(FILE, promise(1));
        listener.next(Received.class);
        bed.brick().hold();
        link.send(FILE, request(1, 1, new Request.Write(0, Payload.of(new byte[100]), true)));
        Await.until("arrived", () -> bed.brick().arrivedBytes() == 100);
        Thread stopping =
                new Thread(
                        () -> {
                            try {
                                bed.stopServer();
                            } catch (Exception e) {
                                throw new AssertionError(e);
                            }
                        });
        stopping.start();
        bed.brickLoop().execute(bed.brick()::letGo);
        assertThat(listener.next(Received.class).reply().id()).isEqualTo(1);
        listener.next(Disconnected.class);
        stopping.join();
        bed.startServer();
        listener.next(Connected.class);
    }

    @Test
    void shouldRefuseTheBrickWhenItIsOfAnotherVolumeOrIndex() {
        UUID other = UUID.randomUUID();
        RemoteBrick volume = new RemoteBrick(bed.linkLoop(), bed.address(), other, 1, local());
        bed.open(volume, listener);
        Await.until("refused", () -> volume.failure() != null);
        assertThat(volume.failure())
                .isEqualTo(
                        "refused: brick of another volume: expected="
                                + other
                                + ", actual="
                                + WireBed.VOLUME);
        RemoteBrick index =
                new RemoteBrick(bed.linkLoop(), bed.address(), WireBed.VOLUME, 0, local());
        bed.open(index, listener);
        Await.until("refused", () -> index.failure() != null);
        assertThat(index.failure())
                .isEqualTo("refused: brick with another index: expected=0, actual=1");
        assertThat(listener.isEmpty()).isTrue();
    }

    private static WireOptions local() {
        return WireBed.OPTIONS;
    }

    @Test
    void shouldRefuseAddressesOffTheMachineWhenThereIsNoTls() {
        BrickAddress anywhere = new BrickAddress("0.0.0.0", 0);
        assertThatThrownBy(() -> BrickServer.start(bed.brickLoop(), bed.brick(), anywhere, local()))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("address needs TLS: address=0.0.0.0:0");
        RemoteBrick link =
                bed.open(new BrickAddress("192.0.2.1", 24007), WireBed.OPTIONS, listener);
        Await.until("refused", () -> link.failure() != null);
        assertThat(link.failure()).contains("address needs TLS: address=192.0.2.1:24007");
    }

    @Test
    void shouldNameTheAddressWhenItIsTaken() {
        assertThatThrownBy(
                        () ->
                                BrickServer.start(
                                        bed.brickLoop(), bed.brick(), bed.address(), local()))
                .isInstanceOf(BlockException.class)
                .hasMessageContaining("cannot listen: address=" + bed.address())
                .hasMessageContaining("in use");
    }
}
