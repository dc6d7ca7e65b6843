package io.quoin.nbd.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoRequest;
import io.quoin.nbd.client.ScriptedServer.Request;
import io.quoin.nbd.client.ScriptedServer.Script;
import io.quoin.nbd.client.ScriptedServer.Traits;
import io.quoin.nbd.protocol.ReplyLayout;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Servers that answer oddly, wrongly, or not at all. */
@Timeout(60)
class ClientReplyTest {
    private static final int BLOCK = 4096;
    private static final long FOUR_GIB = 0xFFFF_FFFFL;
    private static final int ENOSPC = 28;

    private static byte[] filled(int length, int value) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    private static BlockError read(UnsafeBuffer memory, Script script) throws Exception {
        try (ScriptedServer server = new ScriptedServer(Traits.structured(), script);
                ClientDriver client = new ClientDriver(server)) {
            return client.perform(ClientDriver.read(BLOCK, memory));
        }
    }

    @Test
    void shouldTakeChunksInWhateverOrderTheyCome() throws Exception {
        UnsafeBuffer memory = ClientDriver.memory(3 * BLOCK);
        BlockError error =
                read(
                        memory,
                        server -> {
                            Request request = server.next();
                            server.data(request, false, 2 * BLOCK, filled(BLOCK, 3));
                            server.data(request, false, 0, filled(BLOCK, 1));
                            server.hole(request, true, BLOCK, BLOCK);
                        });
        assertThat(error).isEqualTo(BlockError.OK);
        for (int i = 0; i < 3; i++) {
            assertThat(memory.getByte(i * BLOCK)).isEqualTo((byte) (i == 1 ? 0 : i + 1));
            assertThat(memory.getByte(i * BLOCK + BLOCK - 1)).isEqualTo(memory.getByte(i * BLOCK));
        }
    }

    @ParameterizedTest
    @MethodSource("coverings")
    void shouldFailWhenChunksDoNotCoverTheRangeOnce(String what, int... parts) throws Exception {
        BlockError error =
                read(
                        ClientDriver.memory(4 * BLOCK),
                        server -> {
                            Request request = server.next();
                            for (int i = 0; i < parts.length; i += 2) {
                                byte[] data = filled(parts[i + 1] * BLOCK, 1);
                                server.data(request, false, parts[i] * BLOCK, data);
                            }
                            server.chunk(
                                    request, true, ReplyLayout.TYPE_NONE, ByteBuffer.allocate(0));
                        });
        assertThat(error).as(what).isEqualTo(BlockError.EIO);
    }

    private static Stream<Arguments> coverings() {
        return Stream.of(
                Arguments.of("an overlap as long as the gap", new int[] {0, 2, 1, 2}),
                Arguments.of("one part twice", new int[] {0, 2, 0, 2}),
                Arguments.of("overlapping at the end", new int[] {0, 1, 2, 2, 3, 1}),
                Arguments.of("more than the range", new int[] {0, 4, 1, 2}),
                Arguments.of("a gap", new int[] {0, 1, 2, 2}),
                Arguments.of("nothing", new int[] {}));
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, 0, BLOCK - 1, 2 * BLOCK, Long.MAX_VALUE})
    void shouldFailWhenContentIsOutsideOfTheRange(long offset) throws Exception {
        ByteBuffer payload = ByteBuffer.allocate(Long.BYTES + Integer.BYTES);
        payload.putLong(offset).putInt(2 * BLOCK);
        try (ScriptedServer server =
                        new ScriptedServer(
                                Traits.structured(),
                                peer ->
                                        peer.chunk(
                                                peer.next(),
                                                true,
                                                ReplyLayout.TYPE_OFFSET_HOLE,
                                                payload));
                ClientDriver client = new ClientDriver(server)) {
            assertThat(client.perform(ClientDriver.read(BLOCK, ClientDriver.memory(BLOCK))))
                    .isEqualTo(BlockError.EIO);
            assertThat(client.failure()).contains("content outside of the request");
        }
    }

    @Test
    void shouldGoOnWhenAnErrorFollowsContent() throws Exception {
        UnsafeBuffer memory = ClientDriver.memory(2 * BLOCK);
        try (ScriptedServer server =
                        new ScriptedServer(
                                Traits.structured(),
                                peer -> {
                                    Request first = peer.next();
                                    peer.data(first, false, 0, filled(BLOCK, 1));
                                    peer.error(first, false, ENOSPC);
                                    peer.hole(first, true, BLOCK, BLOCK);
                                    Request second = peer.next();
                                    peer.hole(second, true, 0, second.length());
                                });
                ClientDriver client = new ClientDriver(server)) {
            assertThat(client.perform(ClientDriver.read(0, memory))).isEqualTo(BlockError.ENOSPC);
            assertThat(client.perform(ClientDriver.read(0, memory))).isEqualTo(BlockError.OK);
        }
    }

    @ParameterizedTest
    @MethodSource("descriptions")
    void shouldMakeTheBestOfOddExtents(String what, String expected, long... extents)
            throws Exception {
        try (ScriptedServer server =
                        new ScriptedServer(
                                Traits.structured().blocks(BLOCK, 32 << 20),
                                peer -> peer.status(peer.next(), true, extents));
                ClientDriver client = new ClientDriver(server)) {
            IoRequest status = ClientDriver.status(BLOCK, 4 * BLOCK);
            assertThat(client.perform(status)).as(what).isEqualTo(BlockError.OK);
            assertThat(Objects.requireNonNull(status.extents()).toString())
                    .as(what)
                    .isEqualTo(expected);
        }
    }

    private static Stream<Arguments> descriptions() {
        return Stream.of(
                odd("up to the end", "[16384:3]", 4 * BLOCK, 3),
                odd("almost 4 GiB", "[16384:3]", FOUR_GIB, 3),
                odd("more than was asked for", "[4096:0, 12288:3]", BLOCK, 0, FOUR_GIB, 3, 9, 0),
                odd("less than was asked for", "[4096:3]", BLOCK, 3),
                odd("unknown bits", "[16384:1]", 4 * BLOCK, 0xFFFF_FFFDL),
                odd("ends within blocks", "[8192:0, 8192:3]", 1000, 3, 5000, 0, 10384, 3),
                odd("many in a block", "[4096:2, 4096:3]", 9, 3, 9, 2, 4078, 3, BLOCK, 3),
                odd("stops within a block", "[4096:3]", 5000, 3),
                odd("stops within the first block", "[4096:0]", 1000, 3));
    }

    private static Arguments odd(String what, String expected, long... extents) {
        return Arguments.of(what, expected, extents);
    }

    @ParameterizedTest
    @MethodSource("wrongDescriptions")
    void shouldFailWhenTheBlockStatusIsWrong(String what, Script script) throws Exception {
        try (ScriptedServer server = new ScriptedServer(Traits.structured(), script);
                ClientDriver client = new ClientDriver(server)) {
            IoRequest status = ClientDriver.status(0, 4 * BLOCK);
            assertThat(client.perform(status)).as(what).isEqualTo(BlockError.EIO);
        }
    }

    private static Stream<Arguments> wrongDescriptions() {
        return Stream.of(
                wrong("an empty extent", peer -> peer.status(peer.next(), true, BLOCK, 0, 0, 3)),
                wrong(
                        "described twice",
                        peer -> {
                            Request request = peer.next();
                            peer.status(request, false, BLOCK, 3);
                            peer.status(request, true, BLOCK, 0);
                        }),
                wrong(
                        "nothing",
                        peer ->
                                peer.chunk(
                                        peer.next(),
                                        true,
                                        ReplyLayout.TYPE_NONE,
                                        ByteBuffer.allocate(0))),
                wrong(
                        "half an extent",
                        peer ->
                                peer.chunk(
                                        peer.next(),
                                        true,
                                        ReplyLayout.TYPE_BLOCK_STATUS,
                                        ByteBuffer.allocate(16)
                                                .putInt(ScriptedServer.ALLOCATION_ID))),
                wrong(
                        "another context",
                        peer ->
                                peer.chunk(
                                        peer.next(),
                                        true,
                                        ReplyLayout.TYPE_BLOCK_STATUS,
                                        ByteBuffer.allocate(12).putInt(8).putInt(BLOCK))));
    }

    private static Arguments wrong(String what, Script script) {
        return Arguments.of(what, script);
    }

    @Test
    void shouldFailEveryRequestWhenTheServerClosesInTheMiddleOfAReply() throws Exception {
        UnsafeBuffer memory = ClientDriver.memory(BLOCK);
        try (ScriptedServer server =
                        new ScriptedServer(
                                Traits.simple(),
                                peer -> {
                                    Request request = peer.next();
                                    peer.next();
                                    peer.simple(request, 0, filled(BLOCK / 2, 1));
                                });
                ClientDriver client = new ClientDriver(server)) {
            CompletableFuture<BlockError> first = client.start(ClientDriver.read(0, memory));
            CompletableFuture<BlockError> second =
                    client.start(ClientDriver.read(BLOCK, ClientDriver.memory(BLOCK)));
            assertThat(first.get(20, TimeUnit.SECONDS)).isEqualTo(BlockError.EIO);
            assertThat(second.get(20, TimeUnit.SECONDS)).isEqualTo(BlockError.EIO);
            assertThat(client.perform(ClientDriver.read(0, memory))).isEqualTo(BlockError.EIO);
            assertThat(client.failure()).endsWith("it closed the connection");
        }
    }

    @Test
    void shouldSayWhyWhenTheServerClosesWhileMoreIsToBeSent() throws Exception {
        UnsafeBuffer memory = ClientDriver.memory(ScriptedServer.SIZE_BYTES);
        try (ScriptedServer server =
                        new ScriptedServer(
                                Traits.structured(), ScriptedServer::hangUpWithinRequest);
                ClientDriver client = new ClientDriver(server)) {
            CompletableFuture<BlockError> write =
                    client.start(ClientDriver.write(0, memory, IoFlags.NONE));
            assertThat(write.get(20, TimeUnit.SECONDS)).isEqualTo(BlockError.EIO);
            assertThat(client.failure()).endsWith("it closed the connection");
        }
    }

    @Test
    void shouldEndEverythingWhenAServerThatHangsIsGivenUp() throws Exception {
        try (ScriptedServer server =
                        new ScriptedServer(
                                Traits.structured(),
                                peer -> {
                                    peer.next();
                                    peer.awaitHangUp();
                                });
                ClientDriver client = new ClientDriver(server)) {
            CompletableFuture<BlockError> read =
                    client.start(ClientDriver.read(0, ClientDriver.memory(BLOCK)));
            client.abort(BlockError.ETIMEDOUT);
            assertThat(read.get(20, TimeUnit.SECONDS)).isEqualTo(BlockError.ETIMEDOUT);
            assertThat(client.perform(ClientDriver.read(0, ClientDriver.memory(BLOCK))))
                    .isEqualTo(BlockError.ETIMEDOUT);
        }
    }

    @Test
    void shouldFailWhatComesAfterClosing() throws Exception {
        try (ScriptedServer server =
                        new ScriptedServer(
                                Traits.structured(),
                                peer -> {
                                    peer.simple(peer.next(), 0, new byte[0]); // the flush
                                    peer.next(); // the goodbye
                                });
                ClientDriver client = new ClientDriver(server)) {
            client.closeFile();
            server.awaitEnd();
            assertThat(client.perform(ClientDriver.read(0, ClientDriver.memory(BLOCK))))
                    .isEqualTo(BlockError.EIO);
        }
    }
}
