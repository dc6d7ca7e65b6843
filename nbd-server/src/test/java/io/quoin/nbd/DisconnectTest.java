package io.quoin.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.IoOp;
import io.quoin.nbd.protocol.NbdOption;
import io.quoin.nbd.protocol.RequestLayout;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Ends of connections, asked for or not, and the server's own. */
@Timeout(120)
final class DisconnectTest {
    private static byte[] filled(int length, int value) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    /** Closes so that the peer sees a reset. */
    private static void reset(NbdClient client) throws IOException {
        client.socket.setOption(StandardSocketOptions.SO_LINGER, 0);
        client.close();
    }

    @Test
    void shouldCarryOutQueuedWritesWhenDisconnected() throws Exception {
        try (TestServer server = new TestServer()) {
            for (MemoryDisk.Pace pace :
                    new MemoryDisk.Pace[] {MemoryDisk.Pace.AT_ONCE, MemoryDisk.Pace.REORDERED}) {
                server.disk.pace(pace);
                int value = pace == MemoryDisk.Pace.AT_ONCE ? 1 : 2;
                for (int round = 0; round < 10; round++) {
                    int before = server.disk.count(IoOp.WRITE);
                    // Joined writes count once: leave gaps between them.
                    try (NbdClient client = server.open(false)) {
                        ByteBuffer batch = ByteBuffer.allocate(700 * 600);
                        for (int i = 0; i < 600; i++) {
                            batch.put(NbdClient.writeBytes(0, i, i * 1024L, filled(600, value)));
                        }
                        batch.put(NbdClient.requestBytes(RequestLayout.DISC, 0, 0, 0, 0));
                        client.send(Arrays.copyOf(batch.array(), batch.position()));
                        // Closed without reading a reply.
                    }
                    TestServer.await(() -> server.catalogue.users.get() == 0);
                    assertThat(server.disk.count(IoOp.WRITE) - before).isEqualTo(600);
                }
                assertThat(server.disk.content(599 * 1024, 600)).containsOnly(value);
            }
        }
    }

    /** Sent in a moment, and hours of reading: none is left to take it. */
    @Test
    void shouldCarryOutNoReadsButAllWritesWhenTheClientIsGone() throws Exception {
        try (TestServer server = new TestServer()) {
            for (boolean structured : new boolean[] {false, true}) {
                int before = server.disk.count(IoOp.READ);
                ByteBuffer batch = ByteBuffer.allocate(2000 * 28 + 28 + 512);
                for (int i = 0; i < 2000; i++) {
                    batch.put(NbdClient.requestBytes(RequestLayout.READ, 0, i, 0, 1 << 20));
                }
                int value = structured ? 5 : 6;
                batch.put(NbdClient.writeBytes(0, 2000, 4096, filled(512, value)));
                try (NbdClient client = server.open(structured)) {
                    client.send(batch.array());
                }
                TestServer.await(() -> server.catalogue.users.get() == 0);
                // What fits into the socket, and what was under way.
                assertThat(server.disk.count(IoOp.READ) - before).isLessThan(500);
                assertThat(server.disk.content(4096, 512)).containsOnly(value);
            }
        }
    }

    @Test
    void shouldAnswerThenCloseWhenDisconnected() throws Exception {
        try (TestServer server = new TestServer();
                NbdClient client = server.open(false)) {
            server.disk.pace(MemoryDisk.Pace.REORDERED);
            for (int i = 0; i < 10; i++) {
                client.write(0, i, i * 4096L, filled(512, 7));
            }
            client.request(RequestLayout.DISC, 0, 0, 0, 0);
            client.request(RequestLayout.WRITE_ZEROES, 0, 99, 0, 1 << 20);
            for (int i = 0; i < 10; i++) {
                assertThat(client.readReply(0).error()).isZero();
            }
            assertThat(client.isClosedSilently()).isTrue();
            // What follows DISC is not looked at.
            assertThat(server.disk.count(IoOp.WRITE_ZEROES)).isZero();
        }
    }

    @Test
    void shouldAnswerWhenClientHalfCloses() throws Exception {
        try (TestServer server = new TestServer();
                NbdClient client = NbdClient.open(server.tcp(), "disk", false)) {
            server.disk.pace(MemoryDisk.Pace.REORDERED);
            client.write(0, 1, 0, filled(512, 7));
            client.request(RequestLayout.READ, 0, 2, 0, 512);
            client.socket.shutdownOutput();
            for (int i = 0; i < 2; i++) {
                client.in.readInt();
                assertThat(client.in.readInt()).isZero();
                if (client.in.readLong() == 2) {
                    client.in.skipNBytes(512);
                }
            }
            assertThat(client.isClosedSilently()).isTrue();
        }
    }

    @Test
    void shouldNotWriteWhenClientDiesAtAnyByteOfAWrite() throws Exception {
        byte[] write = NbdClient.writeBytes(0, 1, 4096, filled(200, 9));
        try (TestServer server = new TestServer();
                NbdClient bystander = server.open(true)) {
            for (int length = 0; length < write.length; length++) {
                NbdClient client =
                        NbdClient.open(
                                length % 2 == 0 ? server.unix() : server.tcp(), "disk", false);
                client.send(Arrays.copyOf(write, length));
                if (length % 3 == 0) {
                    reset(client);
                } else {
                    client.close();
                }
            }
            TestServer.await(() -> server.catalogue.users.get() == 1);
            assertThat(server.disk.count(IoOp.WRITE)).isZero();
            assertThat(bystander.read(0, 4096, 200)).containsOnly(0);
        }
    }

    @Test
    void shouldNotWriteWhenClientDiesInALargePayload() throws Exception {
        try (TestServer server = new TestServer()) {
            byte[] write = NbdClient.writeBytes(0, 1, 0, filled(5 << 20, 9));
            for (int length : new int[] {28, 30_000, 262_144, 1 << 20, (5 << 20) + 27}) {
                NbdClient client = server.open(false);
                client.send(Arrays.copyOf(write, length));
                client.close();
            }
            TestServer.await(() -> server.catalogue.users.get() == 0);
            assertThat(server.disk.count(IoOp.WRITE)).isZero();
        }
    }

    @Test
    void shouldKeepMemoryUntilDiskIsDoneWhenClientResets() throws Exception {
        try (TestServer server = new TestServer();
                NbdClient bystander = NbdClient.open(server.unix(), "other", true)) {
            server.disk.pace(MemoryDisk.Pace.HELD);
            for (int i = 0; i < 10; i++) {
                NbdClient client = NbdClient.open(server.tcp(), "disk", i % 2 == 0);
                client.write(0, 1, i * 4096L, filled(4096, i + 1));
                client.request(RequestLayout.READ, 0, 2, 0, 1 << 20);
                int expected = i + 2;
                TestServer.await(
                        () ->
                                server.server.connections().stream()
                                                .mapToInt(NbdConnection::inFlight)
                                                .sum()
                                        >= 2);
                assertThat(expected).isPositive();
                reset(client);
            }
            assertThat(bystander.runWrite(0, 0, new byte[10])).isZero();
            assertThat(server.catalogue.users.get()).isGreaterThan(1);
            server.disk.pace(MemoryDisk.Pace.AT_ONCE);
            server.disk.letGo();
            TestServer.await(() -> server.catalogue.users.get() == 1);
            for (int i = 0; i < 10; i++) {
                assertThat(server.disk.content(i * 4096, 4096)).containsOnly(i + 1);
            }
        }
    }

    @Test
    void shouldServeOthersWhenClientResetsWithRepliesPending() throws Exception {
        try (TestServer server = new TestServer();
                NbdClient bystander = server.open(true)) {
            assertThat(bystander.runWrite(0, 0, filled(1 << 20, 3))).isZero();
            for (int i = 0; i < 30; i++) {
                NbdClient client =
                        NbdClient.open(
                                i % 2 == 0 ? server.unix() : server.tcp(), "disk", i % 3 == 0);
                for (int k = 0; k < 50; k++) {
                    client.request(RequestLayout.READ, 0, k, 0, 1 << 20);
                }
                client.in.readInt();
                reset(client);
                assertThat(bystander.read(0, 0, 100)).containsOnly(3);
            }
            TestServer.await(() -> server.catalogue.users.get() == 1);
        }
    }

    @Test
    void shouldStayUsableWhenClientsSendGarbage() throws Exception {
        long seed = System.nanoTime();
        System.out.println("garbage seed " + seed);
        Random random = new Random(seed);
        try (TestServer server = new TestServer();
                NbdClient bystander = server.open(true)) {
            for (int i = 0; i < 200; i++) {
                try (NbdClient client = NbdClient.connect(server.unix())) {
                    client.send(garbage(random, i));
                    if (random.nextBoolean()) {
                        client.socket.shutdownOutput();
                        assertThat(client.isClosedByServer()).isTrue();
                    }
                } catch (IOException e) {
                    // The server closed first.
                    assertThat(e).isNotNull();
                }
                if (i % 10 == 0) {
                    assertThat(bystander.run(RequestLayout.FLUSH, 0, 0, 0)).isZero();
                }
            }
            TestServer.await(() -> server.catalogue.users.get() == 1);
        }
    }

    private static byte[] garbage(Random random, int round) {
        byte[] noise = new byte[random.nextInt(5000)];
        random.nextBytes(noise);
        ByteBuffer out = ByteBuffer.allocate(20_000);
        out.putInt(3);
        int option = random.nextInt(13);
        byte[] data = round % 2 == 0 ? noise : NbdClient.info("disk", 3);
        out.put(NbdClient.optionBytes(option, data));
        if (round % 3 != 0) {
            out.put(NbdClient.optionBytes(NbdOption.GO, NbdClient.info("disk")));
            for (int i = 0; i < 50; i++) {
                byte[] request =
                        NbdClient.requestBytes(
                                random.nextInt(9),
                                random.nextInt(32),
                                random.nextLong(),
                                random.nextInt(TestServer.DISK_BYTES),
                                random.nextInt(100_000));
                if (random.nextInt(20) == 0) {
                    request[random.nextInt(request.length)] ^= (byte) (1 << random.nextInt(8));
                }
                out.put(request);
            }
        }
        out.put(noise);
        return Arrays.copyOf(out.array(), out.position());
    }

    @Test
    void shouldAnswerWhatWasTakenUpAndCloseWhenClientsOfAnExportAreSentAway() throws Exception {
        try (TestServer server = new TestServer();
                NbdClient client = server.open(false);
                NbdClient other = NbdClient.open(server.unix(), "other", false)) {
            server.disk.pace(MemoryDisk.Pace.HELD);
            client.write(0, 7, 4096, filled(512, 3));
            TestServer.await(() -> server.server.connections().get(0).inFlight() == 1);

            assertThat(server.server.disconnect("disk")).isEqualTo(1);
            server.settle();
            client.write(0, 8, 8192, filled(512, 4));
            server.disk.pace(MemoryDisk.Pace.AT_ONCE);
            server.disk.letGo();

            NbdClient.Reply answered = client.readReply(0);
            assertThat(answered.cookie()).isEqualTo(7);
            assertThat(answered.error()).isZero();
            assertThat(client.isClosedByServer()).isTrue();
            TestServer.await(() -> server.server.connections().size() == 1);
            assertThat(server.disk.content(4096, 512)).containsOnly(3);
            // Not taken up: the client sends it again where it connects again.
            assertThat(server.disk.content(8192, 512)).containsOnly(0);
            assertThat(other.run(RequestLayout.FLUSH, 0, 0, 0)).isZero();
            assertThat(server.server.disconnect("none")).isZero();
        }
    }

    @Test
    void shouldAnswerFlushAndCloseWhenServerStops() throws Exception {
        try (TestServer server = new TestServer();
                NbdClient client = server.open(false);
                NbdClient idle = server.open(true);
                NbdClient haggling = NbdClient.greeted(server.tcp())) {
            server.disk.pace(MemoryDisk.Pace.HELD);
            client.write(0, 1, 0, filled(4096, 5));
            TestServer.await(() -> server.server.connections().get(0).inFlight() == 1);
            var closed = server.server.close();
            assertThat(haggling.isClosedSilently()).isTrue();
            // The word passes from the accepting loop to the disk's: a turn of each, in either
            // order.
            server.settle();
            server.settle();
            client.write(0, 2, 4096, filled(4096, 6));
            NbdClient.Reply refused = client.readReply(0);
            assertThat(refused.cookie()).isEqualTo(2);
            assertThat(refused.error()).isEqualTo(108);
            server.disk.pace(MemoryDisk.Pace.AT_ONCE);
            server.disk.letGo();
            NbdClient.Reply answered = client.readReply(0);
            assertThat(answered.cookie()).isEqualTo(1);
            assertThat(answered.error()).isZero();
            assertThat(client.isClosedSilently()).isTrue();
            assertThat(idle.isClosedSilently()).isTrue();
            closed.toCompletableFuture().get(20, TimeUnit.SECONDS);
            assertThat(Arrays.copyOf(server.disk.stable(), 4096)).containsOnly(5);
            assertThat(Files.exists(server.folder.resolve("nbd"))).isFalse();
            assertThat(connects(server)).isFalse();
        }
    }

    private static boolean connects(TestServer server) {
        try (NbdClient client = NbdClient.connect(server.tcp())) {
            return client.in.read() >= 0;
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void shouldReplyShutdownWhenOptionComesWhileServerStops() throws Exception {
        try (TestServer server = new TestServer();
                NbdClient client = NbdClient.greeted(server.unix())) {
            byte[] option = NbdClient.optionBytes(NbdOption.GO, NbdClient.info("disk"));
            client.send(Arrays.copyOf(option, 10));
            assertThat(NbdClient.greeted(server.unix())).satisfies(NbdClient::close);
            server.settle();
            var closed = server.server.close();
            server.settle();
            client.send(Arrays.copyOfRange(option, 10, option.length));
            assertThat(client.readOptionReply().type()).isEqualTo(NbdOption.REP_ERR_SHUTDOWN);
            assertThat(client.isClosedSilently()).isTrue();
            closed.toCompletableFuture().get(20, TimeUnit.SECONDS);
        }
    }

    @Test
    void shouldStopInTimeWhenClientNeverReads() throws Exception {
        NbdServerOptions options =
                NbdServerOptions.defaults()
                        .withTimeouts(
                                Duration.ofSeconds(5),
                                Duration.ofSeconds(5),
                                Duration.ofMillis(300));
        try (TestServer server = new TestServer(options);
                NbdClient deaf = server.open(false)) {
            assertThat(deaf.runWrite(0, 0, filled(1 << 20, 1))).isZero();
            for (int i = 0; i < 30; i++) {
                deaf.request(RequestLayout.READ, 0, i, 0, 1 << 20);
            }
            TestServer.await(() -> server.server.connections().get(0).requests() > 1);
            server.server.close().toCompletableFuture().get(20, TimeUnit.SECONDS);
        }
    }

    @Test
    void shouldStopInTimeWhenDiskNeverAnswers() throws Exception {
        NbdServerOptions options =
                NbdServerOptions.defaults()
                        .withTimeouts(
                                Duration.ofSeconds(5),
                                Duration.ofSeconds(5),
                                Duration.ofMillis(300));
        try (TestServer server = new TestServer(options);
                NbdClient client = server.open(false)) {
            server.disk.pace(MemoryDisk.Pace.HELD);
            client.write(0, 1, 0, filled(4096, 5));
            TestServer.await(() -> server.server.connections().get(0).inFlight() == 1);
            server.server.close().toCompletableFuture().get(20, TimeUnit.SECONDS);
            assertThat(server.catalogue.users).hasValue(1);
            server.disk.pace(MemoryDisk.Pace.AT_ONCE);
            server.disk.letGo();
            TestServer.await(() -> server.catalogue.users.get() == 0);
            assertThat(server.disk.content(0, 4096)).containsOnly(5);
        }
    }
}
