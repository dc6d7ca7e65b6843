package io.quoin.replicate.wire;

import static io.quoin.replicate.wire.WireBed.promise;
import static io.quoin.replicate.wire.WireBed.request;
import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.Uncaught;
import io.quoin.replicate.Payload;
import io.quoin.replicate.Reply;
import io.quoin.replicate.Request;
import io.quoin.replicate.wire.RecordingListener.Connected;
import io.quoin.replicate.wire.RecordingListener.Disconnected;
import io.quoin.replicate.wire.RecordingListener.Received;
import io.quoin.replicate.wire.message.Header;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.SocketException;
import java.util.Arrays;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Peers that are silent, stuck, cut off or hostile. */
@Timeout(180)
class BrokenPeerTest {
    private static final UUID FILE = UUID.randomUUID();

    private final RecordingListener listener = new RecordingListener();
    private WireBed bed;

    @BeforeEach
    void start() {
        bed = new WireBed(WireBed.FAST);
    }

    @AfterEach
    void stop() throws Exception {
        bed.close();
    }

    @Test
    void shouldEndAndConnectAgainWhenTheBrickIsSilent() throws Exception {
        try (ServerSocket server = RawPeer.listen()) {
            bed.open(RawPeer.address(server), WireBed.FAST, listener);
            for (int i = 0; i < 2; i++) {
                try (RawPeer silent = RawPeer.accept(server).answerHello()) {
                    listener.next(Connected.class);
                    silent.next(Header.MessageCase.PING);
                    assertThat(listener.next(Disconnected.class).reason())
                            .isEqualTo("silent: missed pings=8");
                }
            }
        }
    }

    @Test
    void shouldEndTheConnectionWhenTheBrickSaysNoHello() throws Exception {
        try (ServerSocket server = RawPeer.listen()) {
            RemoteBrick link = bed.open(RawPeer.address(server), WireBed.FAST, listener);
            try (RawPeer silent = RawPeer.accept(server)) {
                silent.awaitEnd();
                Await.until("failed", () -> link.failure() != null);
                assertThat(link.failure()).isEqualTo("no hello in time");
            }
        }
        assertThat(listener.isEmpty()).isTrue();
    }

    @Test
    void shouldEndTheConnectionWhenTheClientIsSilentOrSaysNoHello() throws Exception {
        try (RawPeer silent = RawPeer.connect(bed.address());
                RawPeer mute = RawPeer.connect(bed.address())) {
            silent.greet();
            silent.next(Header.MessageCase.PING);
            silent.awaitEnd();
            mute.awaitEnd();
        }
    }

    @Test
    void shouldEndTheConnectionWhenTheClientTakesNoReplies() throws Exception {
        AtomicInteger answered = new AtomicInteger();
        bed.brick().watch(arrived -> answered.incrementAndGet());
        try (RawPeer stuck = RawPeer.connect(bed.address())) {
            stuck.greet();
            stuck.send(Frames.of(FILE, promise(1)));
            byte[] ping = Frames.of(Header.newBuilder().setPing(ping()), new byte[0]);
            int id = 0;
            try {
                while (true) {
                    id++;
                    stuck.send(Frames.of(FILE, request(1, id, new Request.Read(0, 1 << 20))));
                    stuck.send(ping);
                }
            } catch (SocketException ended) {
                // Not read any more, and then reset.
            }
        }
        // 24 MiB, one more, and what the sockets hold.
        assertThat(answered.get()).isLessThan(40);
    }

    private static io.quoin.replicate.wire.message.Ping ping() {
        return io.quoin.replicate.wire.message.Ping.getDefaultInstance();
    }

    @Test
    void shouldEndTheConnectionWhenTheBrickTakesNothing() throws Exception {
        Payload data = Payload.of(new byte[1 << 20]);
        try (ServerSocket server = RawPeer.listen()) {
            RemoteBrick link = bed.open(RawPeer.address(server), WireBed.OPTIONS, listener);
            try (RawPeer stuck = RawPeer.accept(server).answerHello()) {
                assertThat(stuck).isNotNull();
                listener.next(Connected.class);
                link.send(FILE, promise(1));
                for (int id = 1; id <= 100; id++) {
                    link.send(FILE, request(1, id, new Request.Write(0, data, false)));
                }
                assertThat(listener.next(Disconnected.class).reason())
                        .startsWith("takes too little of what is sent: pendingBytes=6");
            }
        }
    }

    @Test
    void shouldEndTheConnectionWhenTheBrickStopsTaking() throws Exception {
        Payload data = Payload.of(new byte[1 << 20]);
        try (ServerSocket server = RawPeer.listen()) {
            RemoteBrick link = bed.open(RawPeer.address(server), WireBed.FAST, listener);
            try (RawPeer stuck = RawPeer.accept(server).answerHello()) {
                listener.next(Connected.class);
                link.send(FILE, promise(1));
                for (int id = 1; id <= 20; id++) {
                    link.send(FILE, request(1, id, new Request.Write(0, data, false)));
                }
                boolean isEnded = false;
                byte[] ping = Frames.of(Header.newBuilder().setPing(ping()), new byte[0]);
                // It lives, and reads nothing.
                while (!isEnded) {
                    try {
                        stuck.send(ping);
                        Thread.sleep(20);
                    } catch (SocketException e) {
                        isEnded = true;
                    }
                }
                assertThat(listener.next(Disconnected.class).reason())
                        .startsWith("takes nothing of what is sent");
            }
        }
    }

    @Test
    void shouldCarryOutNoPartWhenTheConnectionIsCutAtAnyByteOfARequest() throws Exception {
        byte[] written = {1, 2, 3, 4, 5, 6, 7, 8};
        Request.Operation write = new Request.Write(0, Payload.of(written), true);
        byte[] frame = Frames.of(FILE, request(1, 1, write));
        AtomicInteger writes = new AtomicInteger();
        bed.brick()
                .watch(
                        arrived -> {
                            if (arrived.request().operation() instanceof Request.Write) {
                                writes.incrementAndGet();
                            }
                        });
        for (int cut = 0; cut < frame.length; cut++) {
            try (RawPeer peer = RawPeer.connect(bed.address()).greet()) {
                peer.send(Frames.of(FILE, promise(cut)));
                peer.next(Header.MessageCase.REPLY);
                peer.send(Arrays.copyOf(frame, cut));
            }
        }
        try (RawPeer peer = RawPeer.connect(bed.address()).greet()) {
            peer.send(frame);
            peer.next(Header.MessageCase.REPLY);
        }
        assertThat(writes.get()).isEqualTo(1);
    }

    @Test
    void shouldTellNothingWhenTheConnectionIsCutAtAnyByteOfAReply() throws Exception {
        Reply reply = new Reply(1, 1, 1, new Reply.Data(Payload.of(new byte[] {9, 9})));
        byte[] frame =
                Frames.of(
                        Header.newBuilder().setReply(ReplyCodec.toMessage(FILE, reply)),
                        new byte[] {9, 9});
        try (ServerSocket server = RawPeer.listen()) {
            bed.open(RawPeer.address(server), WireBed.OPTIONS, listener);
            for (int cut = 0; cut <= frame.length; cut++) {
                try (RawPeer peer = RawPeer.accept(server).answerHello()) {
                    listener.next(Connected.class);
                    peer.send(Arrays.copyOf(frame, cut));
                }
                if (cut == frame.length) {
                    assertThat(listener.next(Received.class).reply().id()).isEqualTo(1);
                }
                listener.next(Disconnected.class);
            }
        }
    }

    @Test
    void shouldServeOthersWhenAClientSendsRandomFrames() throws Exception {
        long before = Uncaught.count();
        RecordingListener others = new RecordingListener();
        bed.brick().answerBy(request -> new Reply.Done());
        RemoteBrick link = bed.open(bed.address(), WireBed.OPTIONS, others);
        others.next(Connected.class);
        for (long seed = 0; seed < 3000; seed++) {
            Random random = new Random(seed);
            try (RawPeer hostile = RawPeer.connect(bed.address())) {
                if (random.nextInt(4) > 0) {
                    hostile.greet();
                }
                for (int i = 0; i < 5; i++) {
                    hostile.send(HostileBytes.frame(random));
                }
            } catch (IOException ended) {
                // As it should.
            }
        }
        link.send(FILE, promise(1));
        assertThat(others.next(Received.class).reply().id()).isZero();
        assertThat(Uncaught.count()).isEqualTo(before);
    }

    @Test
    void shouldConnectAgainWhenABrickSendsRandomFrames() throws Exception {
        long before = Uncaught.count();
        try (ServerSocket server = RawPeer.listen()) {
            bed.open(RawPeer.address(server), WireBed.OPTIONS, listener);
            for (long seed = 0; seed < 300; seed++) {
                Random random = new Random(seed);
                try (RawPeer hostile = RawPeer.accept(server)) {
                    if (random.nextInt(4) > 0) {
                        hostile.answerHello();
                    }
                    for (int i = 0; i < 5; i++) {
                        hostile.send(HostileBytes.frame(random));
                    }
                } catch (IOException ended) {
                    // As it should.
                }
            }
            assertThat(Uncaught.count()).isEqualTo(before);
        }
    }

    @Test
    void shouldRefuseConnectionsWhenThereAreTooMany() throws Exception {
        RawPeer[] peers = new RawPeer[BrickServer.CONNECTIONS_MAX];
        for (int i = 0; i < peers.length; i++) {
            peers[i] = RawPeer.connect(bed.address());
        }
        try (RawPeer beyond = RawPeer.connect(bed.address())) {
            beyond.awaitEnd();
        }
        for (RawPeer peer : peers) {
            peer.close();
        }
        bed.connect(listener);
    }
}
