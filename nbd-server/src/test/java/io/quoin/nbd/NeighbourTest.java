package io.quoin.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoOp;
import io.quoin.nbd.protocol.NbdOption;
import io.quoin.nbd.protocol.RequestLayout;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients that want too much, beside one that does not. */
@Timeout(120)
final class NeighbourTest {
    private static final int MIB = 1 << 20;
    private static final int FLOODERS = 10;
    private static final int REQUESTS = 200;

    /** What clients have in flight that wait for answers before they go on. */
    private static final int WRITES = 64;

    /** Keeps the first loop, with the disks fixed and other on it, until it is closed. */
    private static AutoCloseable stopLoop(TestServer server) throws Exception {
        CompletableFuture<Void> stopped = new CompletableFuture<>();
        CompletableFuture<Void> goOn = new CompletableFuture<>();
        server.loops
                .loops()
                .get(0)
                .execute(
                        () -> {
                            stopped.complete(null);
                            goOn.join();
                        });
        stopped.get(20, TimeUnit.SECONDS);
        return () -> goOn.complete(null);
    }

    @ParameterizedTest
    @ValueSource(ints = {RequestLayout.BLOCK_STATUS, RequestLayout.READ})
    void shouldServeNeighbourAmidFloodWhenBothAreOnOneLoop(int type) throws Exception {
        IoOp op = type == RequestLayout.READ ? IoOp.READ : IoOp.BLOCK_STATUS;
        try (TestServer server = new TestServer();
                NbdClient neighbour = NbdClient.open(server.unix(), "other", false)) {
            AtomicInteger before = new AtomicInteger(-1);
            server.other.whenSubmitted = () -> before.compareAndSet(-1, server.fixed.count(op));
            List<NbdClient> flooders = new ArrayList<>();
            try {
                for (int i = 0; i < FLOODERS; i++) {
                    flooders.add(NbdClient.open(server.unix(), "fixed", true));
                }
                ByteArrayOutputStream flood = new ByteArrayOutputStream();
                for (int i = 0; i < REQUESTS; i++) {
                    flood.write(NbdClient.requestBytes(type, 0, i, 0, MIB / 4));
                }
                AutoCloseable loop = stopLoop(server);
                for (NbdClient flooder : flooders) {
                    flooder.send(flood.toByteArray());
                }
                neighbour.write(0, 1, 0, new byte[4096]);
                loop.close();
                assertThat(neighbour.readReply(0).error()).isZero();
                // All of the flood was there before; each client had a turn, or a few.
                assertThat(before.get()).isBetween(0, FLOODERS * REQUESTS / 4);
                for (NbdClient flooder : flooders) {
                    assertThat(answers(flooder, REQUESTS)).isEqualTo(REQUESTS);
                }
            } finally {
                for (NbdClient flooder : flooders) {
                    flooder.close();
                }
            }
        }
    }

    @Test
    void shouldServeNeighbourBeforeMostWritesWhenNoClientUsesItsTurnUp() throws Exception {
        try (TestServer server = new TestServer();
                NbdClient neighbour = NbdClient.open(server.unix(), "other", false)) {
            List<Integer> before = new ArrayList<>();
            server.other.whenSubmitted = () -> before.add(server.fixed.count(IoOp.WRITE));
            List<NbdClient> flooders = new ArrayList<>();
            try {
                for (int i = 0; i < FLOODERS; i++) {
                    flooders.add(NbdClient.open(server.unix(), "fixed", true));
                }
                ByteArrayOutputStream flood = new ByteArrayOutputStream();
                for (int i = 0; i < WRITES; i++) {
                    flood.write(NbdClient.writeBytes(0, i, 0, new byte[512]));
                }
                AutoCloseable loop = stopLoop(server);
                for (NbdClient flooder : flooders) {
                    flooder.send(flood.toByteArray());
                }
                neighbour.write(0, 1, 0, new byte[4096]);
                loop.close();
                assertThat(neighbour.readReply(0).error()).isZero();
                assertThat(before).hasSize(1);
                assertThat(before.get(0)).isBetween(0, FLOODERS * WRITES / 4);
                for (NbdClient flooder : flooders) {
                    assertThat(answers(flooder, WRITES)).isEqualTo(WRITES);
                }
            } finally {
                for (NbdClient flooder : flooders) {
                    flooder.close();
                }
            }
        }
    }

    /** Reads answers until as many have come. */
    private static int answers(NbdClient client, int count) throws IOException {
        int whole = 0;
        while (whole < count) {
            whole += client.readReply(0).isDone() ? 1 : 0;
        }
        return whole;
    }

    @Test
    void shouldServeNeighbourAmidOptionsWhenBothAreOnOneLoop() throws Exception {
        try (TestServer server = new TestServer();
                NbdClient neighbour = NbdClient.open(server.unix(), "other", false);
                NbdClient flooder = NbdClient.greeted(server.unix())) {
            AtomicInteger before = new AtomicInteger(-1);
            server.other.whenSubmitted =
                    () -> before.compareAndSet(-1, server.catalogue.opens.get());
            int opensBefore = server.catalogue.opens.get();
            ByteArrayOutputStream flood = new ByteArrayOutputStream();
            for (int i = 0; i < REQUESTS; i++) {
                flood.write(NbdClient.optionBytes(NbdOption.INFO, NbdClient.info("n")));
            }
            AutoCloseable loop = stopLoop(server);
            flooder.send(flood.toByteArray());
            neighbour.write(0, 1, 0, new byte[4096]);
            loop.close();
            assertThat(neighbour.readReply(0).error()).isZero();
            assertThat(before.get() - opensBefore).isLessThan(REQUESTS / 2);
            for (int i = 0; i < REQUESTS; i++) {
                assertThat(flooder.readOptionReply().type()).isEqualTo(NbdOption.REP_ERR_UNKNOWN);
            }
        }
    }

    @Test
    void shouldTakeLargeWriteWhenOthersReadNoneOfTheirAnswers() throws Exception {
        NbdServerOptions options =
                NbdServerOptions.defaults().withInFlightMax(256, 8 * MIB, 64 * MIB);
        try (TestServer server = new TestServer(options);
                NbdClient guest = server.open(false)) {
            List<NbdClient> deaf = new ArrayList<>();
            try {
                for (int i = 0; i < 12; i++) {
                    NbdClient client = server.open(false);
                    deaf.add(client);
                    for (int k = 0; k < 8; k++) {
                        client.request(RequestLayout.READ, 0, k, 0, 3 * MIB);
                    }
                }
                TestServer.await(() -> server.disk.count(IoOp.READ) >= 12);
                for (int i = 0; i < 5; i++) {
                    assertThat(guest.runWrite(0, 0, new byte[8 * MIB])).isZero();
                }
            } finally {
                for (NbdClient client : deaf) {
                    client.close();
                }
            }
        }
    }

    @Test
    void shouldDropClientThatTakesNothingWhenOthersWaitForItsMemory() throws Exception {
        NbdServerOptions options =
                NbdServerOptions.defaults()
                        .withInFlightMax(256, 8 * MIB, 64 * MIB)
                        .withTimeouts(
                                Duration.ofSeconds(10),
                                Duration.ofSeconds(1),
                                Duration.ofSeconds(5));
        try (TestServer server = new TestServer(options);
                NbdClient guest = server.open(false)) {
            List<NbdClient> deaf = new ArrayList<>();
            try {
                for (int i = 0; i < 12; i++) {
                    NbdClient client = server.open(false);
                    deaf.add(client);
                    for (int k = 0; k < 8; k++) {
                        client.request(RequestLayout.READ, 0, k, 0, 7 * MIB);
                    }
                }
                TestServer.await(() -> server.disk.count(IoOp.READ) >= 12);
                assertThat(guest.read(0, 0, 8 * MIB)).hasSize(8 * MIB);
            } finally {
                for (NbdClient client : deaf) {
                    client.close();
                }
            }
        }
    }

    @Test
    void shouldDropClientWhenItStopsAmidRequestAndKeepTheIdleOne() throws Exception {
        NbdServerOptions options =
                NbdServerOptions.defaults()
                        .withTimeouts(
                                Duration.ofSeconds(10),
                                Duration.ofSeconds(1),
                                Duration.ofSeconds(5));
        try (TestServer server = new TestServer(options);
                NbdClient idle = server.open(false);
                NbdClient amidHeader = server.open(false);
                NbdClient amidPayload = server.open(false)) {
            assertThat(idle.runWrite(0, 0, new byte[512])).isZero();
            amidHeader.send(new byte[] {0x25, 0x60});
            byte[] write = NbdClient.writeBytes(0, 1, 0, new byte[8000]);
            amidPayload.send(java.util.Arrays.copyOf(write, 4000));
            assertThat(amidHeader.isClosedSilently()).isTrue();
            assertThat(amidPayload.isClosedSilently()).isTrue();
            assertThat(idle.runWrite(0, 0, new byte[512])).isZero();
            assertThat(server.disk.content(0, 4000)).containsOnly(0);
        }
    }

    @Test
    void shouldServeUnixSocketWhenAllPlacesOverTcpAreTaken() throws Exception {
        NbdServerOptions options = NbdServerOptions.defaults().withConnectionsMax(4, 3);
        try (TestServer server = new TestServer(options)) {
            List<NbdClient> idle = new ArrayList<>();
            try {
                for (int i = 0; i < 3; i++) {
                    idle.add(NbdClient.open(server.tcp(), "disk", false));
                }
                try (NbdClient fourth = NbdClient.connect(server.tcp())) {
                    assertThat(fourth.isClosedSilently()).isTrue();
                }
                try (NbdClient guest = server.open(true)) {
                    assertThat(guest.runWrite(0, 0, new byte[512])).isZero();
                }
                idle.remove(0).close();
                TestServer.await(() -> server.server.connections().size() == 2);
                idle.add(NbdClient.open(server.tcp(), "disk", false));
            } finally {
                for (NbdClient client : idle) {
                    client.close();
                }
            }
        }
    }

    @Test
    void shouldTakeBurstOfConnectionsAsLargeAsTheKernelAllows() throws Exception {
        int burst = Math.min(400, io.netty.util.NetUtil.SOMAXCONN);
        NbdServerOptions options = NbdServerOptions.defaults().withConnectionsMax(500, 500);
        try (TestServer server = new TestServer(options)) {
            List<NbdClient> clients = new ArrayList<>();
            try {
                AutoCloseable loop = stopLoop(server);
                for (int i = 0; i < burst; i++) {
                    // A connect to a full backlog would wait for ever, or fail.
                    clients.add(NbdClient.connect(server.unix()));
                }
                loop.close();
                for (NbdClient client : clients) {
                    client.readGreeting();
                }
            } finally {
                for (NbdClient client : clients) {
                    client.close();
                }
            }
        }
    }

    @Test
    void shouldSayUnknownWhenNoExportCanHaveTheName() throws Exception {
        try (TestServer server = new TestServer();
                NbdClient client = NbdClient.greeted(server.unix())) {
            server.catalogue.illegal =
                    new BlockException(BlockError.EINVAL, "illegal name: expected=...");
            for (String name : new String[] {"no such disk", "../../x", "a\nb", "/", "%s"}) {
                assertThat(client.result(NbdOption.INFO, NbdClient.info(name)))
                        .isEqualTo(NbdOption.REP_ERR_UNKNOWN);
                assertThat(client.result(NbdOption.GO, NbdClient.info(name)))
                        .isEqualTo(NbdOption.REP_ERR_UNKNOWN);
            }
            server.catalogue.illegal = null;
            server.catalogue.failure = new BlockException(BlockError.EINVAL, "image is none");
            assertThat(client.result(NbdOption.INFO, NbdClient.info("disk")))
                    .isEqualTo(NbdOption.REP_ERR_PLATFORM);
            server.catalogue.failure = null;
        }
    }
}
