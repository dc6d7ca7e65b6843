package io.quoin.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockException;
import io.quoin.block.IoOp;
import io.quoin.block.ring.RingOptions;
import io.quoin.nbd.protocol.NbdOption;
import io.quoin.nbd.protocol.RequestLayout;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a client may hold of the server, and that others don't notice. */
@Timeout(120)
final class LimitsTest {
    private static final int MIB = 1 << 20;

    private static NbdServerOptions limits(int requests, long bytes, long memory) {
        return NbdServerOptions.defaults().withInFlightMax(requests, bytes, memory);
    }

    /** Sends without ever waiting for the server; says how much it took. */
    private static long sendUntilRefused(NbdClient client, byte[] bytes, long limitBytes)
            throws Exception {
        client.socket.configureBlocking(false);
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        long sent = 0;
        int refused = 0;
        while (sent < limitBytes && refused < 200) {
            if (!buffer.hasRemaining()) {
                buffer.rewind();
            }
            int part = client.socket.write(buffer);
            sent += part;
            if (part == 0) {
                refused++;
                TimeUnit.MILLISECONDS.sleep(1);
            } else {
                refused = 0;
            }
        }
        client.socket.configureBlocking(true);
        return sent;
    }

    @Test
    void shouldStopReadingWhenTooManyRequestsAreInFlight() throws Exception {
        try (TestServer server = new TestServer(limits(16, 16 * MIB, 64 * MIB));
                NbdClient client = server.open(false);
                NbdClient bystander = NbdClient.open(server.unix(), "other", false)) {
            server.disk.pace(MemoryDisk.Pace.HELD);
            byte[] write = NbdClient.writeBytes(0, 1, 0, new byte[512]);
            long sent = sendUntilRefused(client, write, 64 * MIB);
            assertThat(sent).isLessThan(16 * MIB);
            TestServer.await(() -> server.server.connections().get(0).inFlight() == 16);
            assertThat(bystander.runWrite(0, 0, new byte[100])).isZero();
            // Let go: all that was sent is answered.
            server.disk.pace(MemoryDisk.Pace.AT_ONCE);
            server.disk.letGo();
            for (long whole = sent / write.length; whole > 0; whole--) {
                assertThat(client.readReply(0).error()).isZero();
            }
        }
    }

    @Test
    void shouldBoundMemoryWhenClientsSendLargePayloads() throws Exception {
        try (TestServer server = new TestServer(limits(256, 4 * MIB, 64 * MIB))) {
            server.disk.pace(MemoryDisk.Pace.HELD);
            List<NbdClient> clients = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                clients.add(server.open(false));
                byte[] write = NbdClient.writeBytes(0, i, 0, new byte[3 * MIB]);
                clients.get(i).socket.configureBlocking(false);
                clients.get(i).socket.write(ByteBuffer.wrap(write));
            }
            // 20 x 3 MiB do not fit at 2 MiB each beyond a client's own share; all get there.
            server.disk.pace(MemoryDisk.Pace.AT_ONCE);
            server.disk.letGo();
            for (NbdClient client : clients) {
                client.close();
            }
            try (NbdClient client = server.open(true)) {
                assertThat(client.runWrite(0, 0, new byte[3 * MIB])).isZero();
            }
        }
    }

    @Test
    void shouldServeAllWhenTheyExceedTheMemoryOfAllTogether() throws Exception {
        try (TestServer server = new TestServer(limits(256, 64 * MIB, 64 * MIB))) {
            server.disk.pace(MemoryDisk.Pace.REORDERED);
            ExecutorService threads = Executors.newFixedThreadPool(8);
            List<CompletableFuture<Void>> clients = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                int id = i;
                clients.add(CompletableFuture.runAsync(() -> writeAndRead(server, id), threads));
            }
            for (CompletableFuture<Void> client : clients) {
                client.get(60, TimeUnit.SECONDS);
            }
            threads.shutdown();
        }
    }

    private static void sendRequests(NbdClient client, int id) {
        try {
            for (int i = 0; i < 4; i++) {
                client.request(RequestLayout.READ, 0, i, 0, 6 * MIB);
            }
            client.write(0, 9, MIB * (long) id, new byte[MIB]);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void writeAndRead(TestServer server, int id) {
        try (NbdClient client = server.open(id % 2 == 0)) {
            for (int round = 0; round < 3; round++) {
                CompletableFuture<Void> sent =
                        CompletableFuture.runAsync(() -> sendRequests(client, id));
                long left = 4L * 6 * MIB;
                boolean isWritten = false;
                while (left > 0 || !isWritten) {
                    NbdClient.Reply reply = client.readReply(0);
                    if (reply.cookie() == 9) {
                        isWritten = true;
                    } else if (!reply.structured()) {
                        client.in.skipNBytes(6L * MIB);
                        left -= 6L * MIB;
                    } else if (reply.type() == 1) {
                        left -= reply.payload().length - 8;
                    } else if (reply.type() == 2) {
                        left -= reply.buffer().getInt(8);
                    }
                }
                sent.get(60, TimeUnit.SECONDS);
            }
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void shouldBoundBacklogAndServeOthersWhenClientDoesNotRead() throws Exception {
        try (TestServer server = new TestServer(limits(256, 2 * MIB, 64 * MIB));
                NbdClient deaf = server.open(false);
                NbdClient acks = server.open(false);
                NbdClient bystander = server.open(true)) {
            assertThat(bystander.runWrite(0, 0, new byte[MIB])).isZero();
            byte[] reads = NbdClient.requestBytes(RequestLayout.READ, 0, 1, 0, 65536);
            long requests = sendUntilRefused(deaf, reads, MIB) / RequestLayout.BYTES;
            long carriedOut = server.disk.count(IoOp.READ);
            // Two MiB, and what the socket takes: not all that was asked for.
            assertThat(carriedOut).isLessThan(requests).isLessThan(1000);
            byte[] writes = NbdClient.writeBytes(0, 1, 4096, new byte[1]);
            assertThat(sendUntilRefused(acks, writes, 64L * MIB)).isLessThan(64L * MIB);
            for (int i = 0; i < 50; i++) {
                assertThat(bystander.read(0, 0, 4096)).hasSize(4096);
            }
        }
    }

    @Test
    void shouldAnswerAllWhenClientReadsLate() throws Exception {
        try (TestServer server = new TestServer(limits(8, MIB, 64 * MIB));
                NbdClient client = server.open(false)) {
            int count = 500;
            ByteBuffer batch = ByteBuffer.allocate(count * RequestLayout.BYTES);
            for (int i = 0; i < count; i++) {
                batch.put(NbdClient.requestBytes(RequestLayout.READ, 0, i, 0, 200_000));
            }
            client.send(batch.array());
            boolean[] seen = new boolean[count];
            for (int i = 0; i < count; i++) {
                NbdClient.Reply reply = client.readReply(200_000);
                assertThat(reply.error()).isZero();
                assertThat(seen[(int) reply.cookie()]).isFalse();
                seen[(int) reply.cookie()] = true;
            }
        }
    }

    @Test
    void shouldGoOnWhenRingHasLittleRoom() throws Exception {
        RingOptions tiny = new RingOptions(4, 1 << 16, 1 << 16, false, "blocking");
        try (TestServer server = new TestServer(limits(256, 16 * MIB, 64 * MIB), tiny)) {
            for (MemoryDisk.Pace pace :
                    new MemoryDisk.Pace[] {MemoryDisk.Pace.AT_ONCE, MemoryDisk.Pace.REORDERED}) {
                server.disk.pace(pace);
                try (NbdClient one = server.open(true);
                        NbdClient two = server.open(false)) {
                    int count = 300;
                    for (NbdClient client : new NbdClient[] {one, two}) {
                        for (int i = 0; i < count; i++) {
                            client.write(0, i, i * 5000L, new byte[5000]);
                        }
                    }
                    for (int i = 0; i < count; i++) {
                        assertThat(one.readReply(0).error()).isZero();
                        assertThat(two.readReply(0).error()).isZero();
                    }
                    assertThat(one.read(0, 0, MIB)).hasSize(MIB);
                    assertThat(two.read(0, 0, MIB)).hasSize(MIB);
                }
            }
        }
    }

    @Test
    void shouldReportConnections() throws Exception {
        try (TestServer server = new TestServer(NbdServerOptions.defaults());
                NbdClient one = server.open(true);
                NbdClient two = NbdClient.greeted(server.tcp())) {
            assertThat(one.runWrite(0, 0, new byte[10])).isZero();
            assertThat(two.result(NbdOption.INFO, NbdClient.info("disk")))
                    .isEqualTo(NbdOption.REP_ACK);
            TestServer.await(() -> server.server.connections().get(0).requests() == 1);
            assertThat(server.server.connections())
                    .extracting(NbdConnection::export)
                    .containsExactly("disk", "");
            assertThat(server.server.connections().get(0).peer()).isEqualTo("unix");
            assertThat(server.server.connections().get(1).peer()).startsWith("127.0.0.1:");
        }
    }

    @Test
    void shouldRefuseOptionsThatMakeNoSense() {
        assertThat(refused(() -> limits(0, MIB, 64 * MIB))).contains("requestsInFlightMax");
        assertThat(refused(() -> limits(1, 5, 64 * MIB))).contains("bytesInFlightMax");
        assertThat(refused(() -> limits(1, MIB, MIB))).contains("memoryBytesMax");
        assertThat(refused(() -> NbdServerOptions.defaults().withSocketAccess(01000, null)))
                .contains("socketMode");
    }

    private static String refused(Runnable task) {
        try {
            task.run();
        } catch (BlockException e) {
            return e.getMessage();
        }
        throw new AssertionError("not refused");
    }
}
