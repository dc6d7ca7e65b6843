package io.quoin.nbd;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.Capabilities;
import io.quoin.block.Capability;
import io.quoin.block.Geometry;
import io.quoin.block.IoOp;
import io.quoin.nbd.protocol.ReplyLayout;
import io.quoin.nbd.protocol.RequestLayout;
import io.quoin.nbd.protocol.TransmissionFlags;
import io.quoin.testkit.log.LogsErrors;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Commands and their replies, simple and structured. */
@Timeout(60)
final class TransmissionTest {
    private static final int SIZE = TestServer.DISK_BYTES;
    private static final int EPERM = 1;
    private static final int EIO = 5;
    private static final int EINVAL = 22;
    private static final int ENOSPC = 28;

    private final TestServer server = new TestServer();

    @AfterEach
    void stop() throws Exception {
        server.close();
    }

    private static byte[] random(int length, long seed) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    @Test
    void shouldAdvertiseWhatDiskCanDo() throws Exception {
        int all =
                TransmissionFlags.HAS_FLAGS
                        | TransmissionFlags.SEND_FLUSH
                        | TransmissionFlags.SEND_FUA
                        | TransmissionFlags.SEND_TRIM
                        | TransmissionFlags.SEND_WRITE_ZEROES
                        | TransmissionFlags.CAN_MULTI_CONN
                        | TransmissionFlags.SEND_CACHE
                        | TransmissionFlags.SEND_FAST_ZERO;
        try (NbdClient simple = server.open(false);
                NbdClient structured = server.open(true);
                NbdClient fixed = NbdClient.open(server.unix(), "fixed", false)) {
            assertThat(simple.transmissionFlags).isEqualTo(all);
            assertThat(structured.transmissionFlags).isEqualTo(all | TransmissionFlags.SEND_DF);
            int changing =
                    TransmissionFlags.SEND_TRIM
                            | TransmissionFlags.SEND_WRITE_ZEROES
                            | TransmissionFlags.SEND_FAST_ZERO;
            assertThat(fixed.transmissionFlags)
                    .isEqualTo((all & ~changing) | TransmissionFlags.READ_ONLY);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldReadBackWhenWrittenAtAnyAlignmentAndSize(boolean structured) throws Exception {
        Random random = new Random(11);
        byte[] model = new byte[SIZE];
        try (NbdClient client = server.open(structured)) {
            for (int i = 0; i < 300; i++) {
                if (i % 50 == 0) {
                    server.disk.pace(
                            i % 100 == 0 ? MemoryDisk.Pace.AT_ONCE : MemoryDisk.Pace.REORDERED);
                }
                int length = 1 + random.nextInt(i % 10 == 0 ? 2 << 20 : 20_000);
                int offset = random.nextInt(SIZE - length);
                if (random.nextBoolean()) {
                    byte[] data = random(length, i);
                    assertThat(client.runWrite(0, offset, data)).isZero();
                    System.arraycopy(data, 0, model, offset, length);
                } else {
                    int flags = structured && random.nextBoolean() ? RequestLayout.FLAG_DF : 0;
                    byte[] expected = Arrays.copyOfRange(model, offset, offset + length);
                    assertThat(client.read(flags, offset, length)).isEqualTo(expected);
                }
            }
        }
    }

    /** Small ones are pinned where they were received, larger ones have memory of their own. */
    @ParameterizedTest
    @ValueSource(ints = {512, 4096, 40_000, 300_000})
    void shouldKeepPayloadsThatAreReadAfterTheirAnswer(int length) throws Exception {
        server.disk.pace(MemoryDisk.Pace.KEPT);
        int count = SIZE / length / 2;
        try (NbdClient client = server.open(true)) {
            for (int i = 0; i < count; i++) {
                assertThat(client.runWrite(0, (long) i * length, random(length, i))).isZero();
            }
            server.disk.pace(MemoryDisk.Pace.AT_ONCE);
            for (int i = 0; i < 100; i++) {
                assertThat(client.runWrite(0, SIZE - length, random(length, -i))).isZero();
            }
            letGo();
            for (int i = 0; i < count; i++) {
                assertThat(client.read(0, (long) i * length, length)).isEqualTo(random(length, i));
            }
        }
    }

    /** Ends what the disk holds, and waits until it has. */
    private void letGo() {
        server.disk.letGo();
        CompletableFuture.runAsync(() -> {}, server.loops.loops().get(1)).join();
    }

    /** Memory that is kept is the client's own, also when it has gone. */
    @Test
    void shouldGivePayloadsBackThatAreKeptBeyondTheConnection() throws Exception {
        server.disk.pace(MemoryDisk.Pace.KEPT);
        try (NbdClient client = server.open(true)) {
            assertThat(client.runWrite(0, 0, random(100_000, 1))).isZero();
            assertThat(client.runWrite(0, 100_000, random(512, 2))).isZero();
        }
        TestServer.await(() -> server.server.connections().isEmpty());
        server.disk.pace(MemoryDisk.Pace.AT_ONCE);
        letGo();
        try (NbdClient client = server.open(true)) {
            assertThat(client.read(0, 0, 100_000)).isEqualTo(random(100_000, 1));
            assertThat(client.read(0, 100_000, 512)).isEqualTo(random(512, 2));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldAnswerEachCookieWhenManyAreInFlight(boolean structured) throws Exception {
        Random random = new Random(12);
        server.disk.pace(MemoryDisk.Pace.REORDERED);
        byte[] content = random(1 << 20, 5);
        try (NbdClient client = server.open(structured)) {
            assertThat(client.runWrite(0, 0, content)).isZero();
            Map<Long, int[]> reads = new HashMap<>();
            for (int round = 0; round < 20; round++) {
                ByteBuffer batch = ByteBuffer.allocate(64 * 4200);
                for (int i = 0; i < 64; i++) {
                    long cookie = random.nextLong();
                    int length = 1 + random.nextInt(4000);
                    int offset = random.nextInt((1 << 20) - length);
                    if (i % 2 == 0) {
                        reads.put(cookie, new int[] {offset, length});
                        batch.put(
                                NbdClient.requestBytes(
                                        RequestLayout.READ, 0, cookie, offset, length));
                    } else {
                        byte[] same = Arrays.copyOfRange(content, offset, offset + length);
                        batch.put(NbdClient.writeBytes(0, cookie, offset, same));
                    }
                }
                client.send(Arrays.copyOf(batch.array(), batch.position()));
                for (int left = 64; left > 0; ) {
                    NbdClient.Reply reply = readReply(client, reads);
                    assertThat(reply.error()).isZero();
                    left -= reply.isDone() ? 1 : 0;
                    int[] range = reads.get(reply.cookie());
                    if (range != null && !structured) {
                        assertThat(reply.payload())
                                .isEqualTo(
                                        Arrays.copyOfRange(content, range[0], range[0] + range[1]));
                    }
                }
            }
        }
    }

    /** A simple reply doesn't say how long it is: the request it answers does. */
    private static NbdClient.Reply readReply(NbdClient client, Map<Long, int[]> reads)
            throws Exception {
        client.in.readInt();
        int error = client.in.readInt();
        long cookie = client.in.readLong();
        if ((client.transmissionFlags & TransmissionFlags.SEND_DF) != 0) {
            if (reads.containsKey(cookie)) {
                byte[] payload = new byte[client.in.readInt()];
                client.in.readFully(payload);
                return new NbdClient.Reply(true, error >>> 16, error & 0xffff, 0, cookie, payload);
            }
            return new NbdClient.Reply(false, 0, 0, error, cookie, new byte[0]);
        }
        int[] range = reads.get(cookie);
        byte[] data = new byte[range == null ? 0 : range[1]];
        client.in.readFully(data);
        return new NbdClient.Reply(false, 0, 0, error, cookie, data);
    }

    @Test
    void shouldAnswerBothWhenTwoRequestsUseOneCookie() throws Exception {
        try (NbdClient client = server.open(false)) {
            client.request(RequestLayout.FLUSH, 0, 5, 0, 0);
            client.request(RequestLayout.CACHE, 0, 5, 0, 10);
            assertThat(client.readReply(0).cookie()).isEqualTo(5);
            assertThat(client.readReply(0).cookie()).isEqualTo(5);
        }
    }

    @Test
    void shouldSendHolesWhenRangeIsUnwritten() throws Exception {
        try (NbdClient client = server.open(true)) {
            assertThat(client.runWrite(0, 1 << 20, random(8192, 1))).isZero();
            client.request(RequestLayout.READ, 0, 1, (1 << 20) - 4096, 16384);
            var chunks = client.readChunks();
            assertThat(chunks)
                    .extracting(NbdClient.Reply::type)
                    .containsExactly(
                            ReplyLayout.TYPE_OFFSET_HOLE,
                            ReplyLayout.TYPE_OFFSET_DATA,
                            ReplyLayout.TYPE_OFFSET_HOLE);
            assertThat(chunks)
                    .extracting(NbdClient.Reply::isDone)
                    .containsExactly(false, false, true);
            client.request(RequestLayout.READ, 0, 1, 0, 1 << 20);
            for (NbdClient.Reply chunk : client.readChunks()) {
                assertThat(chunk.type()).isEqualTo(ReplyLayout.TYPE_OFFSET_HOLE);
                assertThat(chunk.payload()).hasSize(12);
            }
        }
    }

    @Test
    void shouldSendOneChunkWhenFragmentsAreUnwanted() throws Exception {
        try (NbdClient client = server.open(true)) {
            client.request(RequestLayout.READ, RequestLayout.FLAG_DF, 1, 0, 3 << 20);
            var chunks = client.readChunks();
            assertThat(chunks).hasSize(1);
            assertThat(chunks.get(0).type()).isEqualTo(ReplyLayout.TYPE_OFFSET_DATA);
            assertThat(chunks.get(0).payload()).hasSize(8 + (3 << 20));
        }
    }

    @Test
    void shouldReplyInChunksWhenStructuredReadIsRefused() throws Exception {
        try (NbdClient client = server.open(true)) {
            client.request(RequestLayout.READ, 0, 1, SIZE, 1);
            NbdClient.Reply reply = client.readReply(0);
            assertThat(reply.structured()).isTrue();
            assertThat(reply.error()).isEqualTo(EINVAL);
            assertThat(reply.isDone()).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldReportErrorWhenReadFails(boolean structured) throws Exception {
        try (NbdClient client = server.open(structured)) {
            server.disk.fail(IoOp.READ, BlockError.EIO);
            for (int length : new int[] {1, 4096, 1 << 20}) {
                client.request(RequestLayout.READ, 0, 1, 0, length);
                NbdClient.Reply reply = client.readReply(length);
                assertThat(reply.error()).isEqualTo(EIO);
                assertThat(reply.isDone()).isTrue();
            }
            server.disk.fail(IoOp.READ, BlockError.OK);
            assertThat(client.read(0, 0, 4096)).containsOnly(0);
        }
    }

    @Test
    void shouldRefuseAndStayInStepWhenRangeIsOutside() throws Exception {
        long[][] ranges = {
            {SIZE, 1}, {SIZE - 1, 2}, {-1, 1}, {Long.MIN_VALUE, 1}, {Long.MAX_VALUE, 100}, {-10, 20}
        };
        byte[] before = server.disk.content(0, SIZE);
        try (NbdClient client = server.open(false)) {
            for (long[] range : ranges) {
                for (int type :
                        new int[] {RequestLayout.READ, RequestLayout.TRIM, RequestLayout.CACHE}) {
                    assertThat(client.run(type, 0, range[0], range[1])).isEqualTo(EINVAL);
                }
                assertThat(client.run(RequestLayout.WRITE_ZEROES, 0, range[0], range[1]))
                        .isEqualTo(ENOSPC);
                assertThat(client.runWrite(0, range[0], random((int) range[1], 1)))
                        .isEqualTo(ENOSPC);
            }
            assertThat(client.run(RequestLayout.FLUSH, 0, 0, 0)).isZero();
        }
        assertThat(server.disk.content(0, SIZE)).isEqualTo(before);
    }

    @Test
    void shouldRefuseAndStayInStepWhenFlagOrTypeIsUnknown() throws Exception {
        try (NbdClient client = server.open(false)) {
            for (int type : new int[] {8, 9, 100, 0xffff}) {
                assertThat(client.run(type, 0, 0, 1)).isEqualTo(EINVAL);
            }
            int[][] bad = {
                {RequestLayout.READ, RequestLayout.FLAG_DF},
                {RequestLayout.READ, RequestLayout.FLAG_NO_HOLE},
                {RequestLayout.TRIM, RequestLayout.FLAG_NO_HOLE},
                {RequestLayout.TRIM, RequestLayout.FLAG_FAST_ZERO},
                {RequestLayout.FLUSH, RequestLayout.FLAG_REQ_ONE},
                {RequestLayout.CACHE, 1 << 9},
                {RequestLayout.WRITE_ZEROES, 1 << 15}
            };
            for (int[] pair : bad) {
                assertThat(client.run(pair[0], pair[1], 0, 10)).isEqualTo(EINVAL);
            }
            assertThat(client.runWrite(1 << 5, 0, random(5000, 1))).isEqualTo(EINVAL);
            assertThat(client.runWrite(RequestLayout.FLAG_DF, 0, random(9, 1))).isEqualTo(EINVAL);
            assertThat(client.run(RequestLayout.FLUSH, 0, 77, 88)).isZero();
        }
        assertThat(server.disk.content(0, 5000)).containsOnly(0);
    }

    @Test
    void shouldAcceptFuaOnEveryCommand() throws Exception {
        try (NbdClient client = server.open(true)) {
            int fua = RequestLayout.FLAG_FUA;
            assertThat(client.runWrite(fua, 0, random(512, 1))).isZero();
            assertThat(server.disk.stable()).startsWith(random(512, 1));
            assertThat(client.read(fua, 0, 512)).isEqualTo(random(512, 1));
            for (int type :
                    new int[] {
                        RequestLayout.FLUSH,
                        RequestLayout.TRIM,
                        RequestLayout.WRITE_ZEROES,
                        RequestLayout.CACHE
                    }) {
                assertThat(client.run(type, fua, 0, 512)).as("type " + type).isZero();
            }
            client.request(RequestLayout.BLOCK_STATUS, fua, 1, 0, 512);
            assertThat(client.readReply(0).error()).isZero();
        }
        assertThat(server.disk.log).contains("WRITE_ZEROES 0+512 FUA|MAY_UNMAP");
        assertThat(server.disk.log).contains("DISCARD 0+512 FUA");
    }

    @Test
    void shouldPassFlagsOnWhenZeroesAreWritten() throws Exception {
        try (NbdClient client = server.open(false)) {
            int type = RequestLayout.WRITE_ZEROES;
            assertThat(client.run(type, RequestLayout.FLAG_NO_HOLE, 0, 1)).isZero();
            assertThat(client.run(type, RequestLayout.FLAG_FAST_ZERO, 1, 1)).isZero();
            server.disk.fail(IoOp.WRITE_ZEROES, BlockError.ENOTSUP);
            assertThat(client.run(type, RequestLayout.FLAG_FAST_ZERO, 2, 1)).isEqualTo(95);
            assertThat(client.run(type, 0, 2, 1)).isEqualTo(EINVAL);
        }
        assertThat(server.disk.log)
                .containsSubsequence("WRITE_ZEROES 0+1 -", "WRITE_ZEROES 1+1 MAY_UNMAP|FAST_ZERO");
    }

    @Test
    void shouldRefuseWithPermissionErrorWhenExportIsReadOnly() throws Exception {
        try (NbdClient client = NbdClient.open(server.unix(), "fixed", false)) {
            assertThat(client.runWrite(0, 0, random(100, 1))).isEqualTo(EPERM);
            assertThat(client.run(RequestLayout.TRIM, 0, 0, 100)).isEqualTo(EPERM);
            assertThat(client.run(RequestLayout.WRITE_ZEROES, 0, 0, 100)).isEqualTo(EPERM);
            assertThat(client.run(RequestLayout.FLUSH, 0, 0, 0)).isZero();
        }
        assertThat(server.fixed.count(IoOp.WRITE)).isZero();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldNotDisconnectWhenLengthIsZero(boolean structured) throws Exception {
        try (NbdClient client = server.open(structured)) {
            assertThat(client.read(0, 10, 0)).isEmpty();
            assertThat(client.runWrite(0, SIZE, new byte[0])).isZero();
            for (int type :
                    new int[] {
                        RequestLayout.TRIM, RequestLayout.WRITE_ZEROES, RequestLayout.CACHE
                    }) {
                assertThat(client.run(type, 0, 10, 0)).isZero();
            }
        }
    }

    @Test
    @LogsErrors("flush at shutdown failed: export=disk, error=ENOSPC")
    void shouldMapErrorsWhenDiskFails() throws Exception {
        record Case(BlockError error, int errno) {}
        List<Case> cases =
                List.of(
                        new Case(BlockError.EPERM, 1),
                        new Case(BlockError.EROFS, 1),
                        new Case(BlockError.EIO, 5),
                        new Case(BlockError.ENOMEM, 12),
                        new Case(BlockError.ENOENT, 22),
                        new Case(BlockError.EOVERFLOW, 22),
                        new Case(BlockError.ENOTSUP, 22),
                        new Case(BlockError.ENOSPC, 28),
                        new Case(BlockError.ESHUTDOWN, 108));
        try (NbdClient client = server.open(false)) {
            for (Case c : cases) {
                server.disk.fail(IoOp.WRITE, c.error());
                assertThat(client.runWrite(0, 0, new byte[1])).isEqualTo(c.errno());
            }
            server.disk.fail(IoOp.FLUSH, BlockError.ENOSPC);
            assertThat(client.run(RequestLayout.FLUSH, 0, 0, 0)).isEqualTo(EIO);
            server.disk.fail(IoOp.CACHE, BlockError.ENOTSUP);
            assertThat(client.run(RequestLayout.CACHE, 0, 0, 1)).isZero();
        }
    }

    @Test
    void shouldRefuseUnalignedWhenDiskHasLargerBlocks() throws Exception {
        var loop = server.loops.loops().get(0);
        Geometry geometry = Geometry.ofSize(1_000_000).blockSizes(512, 4096).transferMax(1 << 20);
        MemoryDisk disk = new MemoryDisk(loop, geometry, MemoryDisk.everything(), 1);
        server.catalogue.add("sectors", "", false, disk, loop);
        try (NbdClient client = NbdClient.open(server.unix(), "sectors", false)) {
            assertThat(client.sizeBytes).isEqualTo(1_000_000 / 512 * 512);
            assertThat(client.runWrite(0, 1, new byte[512])).isEqualTo(EINVAL);
            assertThat(client.runWrite(0, 512, new byte[100])).isEqualTo(EINVAL);
            assertThat(client.runWrite(0, 512, new byte[512])).isZero();
        }
    }

    @Test
    void shouldRefuseFuaAndTrimWhenDiskHasNone() throws Exception {
        var loop = server.loops.loops().get(0);
        Capabilities few = Capabilities.of(Capability.WRITE);
        server.catalogue.add("few", "", false, new MemoryDisk(loop, SIZE, few, 1), loop);
        try (NbdClient client = NbdClient.open(server.unix(), "few", false)) {
            assertThat(client.transmissionFlags)
                    .isEqualTo(
                            TransmissionFlags.HAS_FLAGS
                                    | TransmissionFlags.SEND_FLUSH
                                    | TransmissionFlags.SEND_CACHE
                                    | TransmissionFlags.SEND_WRITE_ZEROES);
            assertThat(client.runWrite(RequestLayout.FLAG_FUA, 0, new byte[1])).isEqualTo(EINVAL);
            assertThat(client.run(RequestLayout.TRIM, 0, 0, 1)).isEqualTo(EINVAL);
        }
    }

    @Test
    void shouldCoverOtherConnectionsWhenFlushed() throws Exception {
        server.disk.pace(MemoryDisk.Pace.REORDERED);
        try (NbdClient writer = server.open(true);
                NbdClient flusher = NbdClient.open(server.tcp(), "disk", false)) {
            for (int i = 0; i < 100; i++) {
                byte[] data = random(3000, i);
                assertThat(writer.runWrite(0, i * 4096L, data)).isZero();
                assertThat(flusher.run(RequestLayout.FLUSH, 0, 0, 0)).isZero();
                int from = i * 4096;
                assertThat(Arrays.copyOfRange(server.disk.stable(), from, from + 3000))
                        .isEqualTo(data);
            }
        }
    }

    @Test
    void shouldSeeWritesOfOtherConnectionsOnceAcknowledged() throws Exception {
        try (NbdClient one = server.open(true);
                NbdClient two = NbdClient.open(server.tcp(), "disk", false)) {
            for (int i = 0; i < 200; i++) {
                byte[] data = random(100, i);
                assertThat(one.runWrite(0, 50, data)).isZero();
                assertThat(two.read(0, 50, 100)).isEqualTo(data);
            }
        }
    }

    @Test
    void shouldGiveTheSameWhenRequestsArriveByteByByte() throws Exception {
        try (NbdClient client = NbdClient.open(server.tcp(), "disk", true)) {
            byte[] data = random(3000, 4);
            for (byte one : NbdClient.writeBytes(0, 6, 1000, data)) {
                client.send(new byte[] {one});
            }
            assertThat(client.readReply(0).cookie()).isEqualTo(6);
            for (byte one : NbdClient.requestBytes(RequestLayout.READ, 0, 7, 1000, 3000)) {
                client.send(new byte[] {one});
            }
            var chunks = client.readChunks();
            byte[] read = new byte[3000];
            for (NbdClient.Reply chunk : chunks) {
                ByteBuffer payload = chunk.buffer();
                int at = (int) payload.getLong() - 1000;
                payload.get(read, at, payload.remaining());
            }
            assertThat(read).isEqualTo(data);
        }
    }

    @Test
    void shouldServeLargestPayloadWhenAskedFor() throws Exception {
        int length = 49_865_728;
        var loop = server.loops.loops().get(1);
        MemoryDisk big = new MemoryDisk(loop, 64 << 20, MemoryDisk.everything(), 1);
        server.catalogue.add("big", "", false, big, loop);
        byte[] data = random(length, 9);
        for (boolean structured : new boolean[] {false, true}) {
            try (NbdClient client = NbdClient.open(server.unix(), "big", structured)) {
                assertThat(client.runWrite(0, 12_345, data)).isZero();
                assertThat(Arrays.equals(big.content(12_345, length), data)).isTrue();
                client.request(RequestLayout.READ, 0, 1, 12_345, length);
                assertThat(Arrays.equals(readLarge(client, 12_345, length), data)).isTrue();
            }
        }
    }

    private static byte[] readLarge(NbdClient client, long offset, int length) throws Exception {
        byte[] data = new byte[length];
        NbdClient.Reply reply;
        do {
            reply = client.readReply(length);
            assertThat(reply.error()).isZero();
            if (!reply.structured()) {
                return reply.payload();
            }
            ByteBuffer payload = reply.buffer();
            int at = (int) (payload.getLong() - offset);
            if (reply.type() == ReplyLayout.TYPE_OFFSET_DATA) {
                payload.get(data, at, payload.remaining());
            }
        } while (!reply.isDone());
        return data;
    }

    @Test
    void shouldRefuseAndStayInStepWhenPayloadIsTooLarge() throws Exception {
        try (NbdClient client = server.open(false)) {
            int length = (64 << 20) + 1;
            client.request(RequestLayout.WRITE, 0, 3, 0, length);
            byte[] part = new byte[1 << 20];
            for (int left = length; left > 0; left -= part.length) {
                client.send(left < part.length ? new byte[left] : part);
            }
            NbdClient.Reply reply = client.readReply(0);
            assertThat(reply.error()).isIn(EINVAL, ENOSPC);
            assertThat(client.run(RequestLayout.READ, 0, 0, length)).isEqualTo(EINVAL);
            assertThat(client.run(RequestLayout.FLUSH, 0, 0, 0)).isZero();
        }
    }

    @Test
    void shouldDisconnectWhenPayloadIsAbsurd() throws Exception {
        try (NbdClient client = server.open(false);
                NbdClient bystander = server.open(false)) {
            client.request(RequestLayout.WRITE, 0, 3, 0, 1L << 31);
            assertThat(client.isClosedSilently()).isTrue();
            assertThat(bystander.run(RequestLayout.FLUSH, 0, 0, 0)).isZero();
        }
    }

    @Test
    void shouldDisconnectOnlyThatClientWhenMagicIsWrong() throws Exception {
        try (NbdClient client = server.open(false);
                NbdClient bystander = server.open(false)) {
            client.send(new byte[RequestLayout.BYTES]);
            assertThat(client.isClosedSilently()).isTrue();
            assertThat(bystander.run(RequestLayout.FLUSH, 0, 0, 0)).isZero();
        }
    }
}
