package io.quoin.nbd.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.nbd.client.ScriptedServer.Request;
import io.quoin.nbd.client.ScriptedServer.Traits;
import io.quoin.nbd.protocol.RequestLayout;
import io.quoin.nbd.protocol.TransmissionFlags;
import java.util.Arrays;
import java.util.Random;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests larger than what the server takes at once. */
@Timeout(60)
class ClientPayloadTest {
    private static final int MAX_BYTES = 64 << 10;

    /** Three whole parts and one of a block. */
    private static final int LENGTH_BYTES = 3 * MAX_BYTES + 4096;

    private static final int OFFSET = 8192;
    private static final int ENOSPC = 28;

    private final byte[] disk = new byte[ScriptedServer.SIZE_BYTES];

    ClientPayloadTest() {
        new Random(1).nextBytes(disk);
    }

    private byte[] part(Request request) {
        int start = (int) request.offset();
        return Arrays.copyOfRange(disk, start, start + request.length());
    }

    private static byte[] bytes(UnsafeBuffer memory) {
        byte[] bytes = new byte[memory.capacity()];
        memory.getBytes(0, bytes);
        return bytes;
    }

    private static Traits traits(boolean isStructured) {
        return (isStructured ? Traits.structured() : Traits.simple()).blocks(4096, MAX_BYTES);
    }

    private static Request nextWithin(ScriptedServer server, int type) throws java.io.IOException {
        Request request = server.next();
        assertThat(request.type()).isEqualTo(type);
        assertThat(request.length()).isLessThanOrEqualTo(MAX_BYTES);
        return request;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldReadInPartsWhenTheServerTakesLess(boolean isStructured) throws Exception {
        UnsafeBuffer memory = ClientDriver.memory(LENGTH_BYTES);
        try (ScriptedServer server =
                        new ScriptedServer(
                                traits(isStructured),
                                peer -> {
                                    for (int left = LENGTH_BYTES; left > 0; ) {
                                        Request request = nextWithin(peer, RequestLayout.READ);
                                        if (isStructured) {
                                            peer.data(request, true, 0, part(request));
                                        } else {
                                            peer.simple(request, 0, part(request));
                                        }
                                        left -= request.length();
                                    }
                                });
                ClientDriver client = new ClientDriver(server)) {
            assertThat(client.perform(ClientDriver.read(OFFSET, memory))).isEqualTo(BlockError.OK);
            server.awaitEnd();
        }
        assertThat(bytes(memory))
                .isEqualTo(Arrays.copyOfRange(disk, OFFSET, OFFSET + LENGTH_BYTES));
    }

    @Test
    void shouldZeroTheRightPartOfTheMemoryWhenALaterPartIsAHole() throws Exception {
        UnsafeBuffer memory = ClientDriver.memory(2 * MAX_BYTES);
        try (ScriptedServer server =
                        new ScriptedServer(
                                traits(true),
                                peer -> {
                                    Request first = nextWithin(peer, RequestLayout.READ);
                                    peer.data(first, true, 0, part(first));
                                    Request second = nextWithin(peer, RequestLayout.READ);
                                    peer.hole(second, true, 0, second.length());
                                });
                ClientDriver client = new ClientDriver(server)) {
            assertThat(client.perform(ClientDriver.read(0, memory))).isEqualTo(BlockError.OK);
        }
        byte[] expected = Arrays.copyOf(Arrays.copyOf(disk, MAX_BYTES), 2 * MAX_BYTES);
        assertThat(bytes(memory)).isEqualTo(expected);
    }

    @Test
    void shouldWriteInPartsWhenTheServerTakesLess() throws Exception {
        UnsafeBuffer memory = ClientDriver.memory(LENGTH_BYTES);
        memory.putBytes(0, disk, 0, LENGTH_BYTES);
        byte[] written = new byte[LENGTH_BYTES];
        try (ScriptedServer server =
                        new ScriptedServer(
                                traits(true),
                                peer -> {
                                    for (int left = LENGTH_BYTES; left > 0; ) {
                                        Request request = nextWithin(peer, RequestLayout.WRITE);
                                        assertThat(request.flags())
                                                .isEqualTo(RequestLayout.FLAG_FUA);
                                        int position = (int) request.offset() - OFFSET;
                                        System.arraycopy(
                                                request.data(),
                                                0,
                                                written,
                                                position,
                                                request.length());
                                        peer.simple(request, 0, new byte[0]);
                                        left -= request.length();
                                    }
                                });
                ClientDriver client = new ClientDriver(server)) {
            assertThat(client.perform(ClientDriver.write(OFFSET, memory, IoFlags.FUA)))
                    .isEqualTo(BlockError.OK);
            server.awaitEnd();
        }
        assertThat(written).isEqualTo(Arrays.copyOf(disk, LENGTH_BYTES));
    }

    @Test
    void shouldEndWithTheErrorOfTheFirstPartThatFails() throws Exception {
        UnsafeBuffer memory = ClientDriver.memory(LENGTH_BYTES);
        try (ScriptedServer server =
                        new ScriptedServer(
                                traits(true),
                                peer -> {
                                    peer.simple(peer.next(), 0, new byte[0]);
                                    peer.simple(peer.next(), ENOSPC, new byte[0]);
                                    Request flush = nextWithin(peer, RequestLayout.FLUSH);
                                    peer.simple(flush, 0, new byte[0]);
                                });
                ClientDriver client = new ClientDriver(server)) {
            assertThat(client.perform(ClientDriver.write(0, memory, IoFlags.NONE)))
                    .isEqualTo(BlockError.ENOSPC);
            assertThat(client.perform(new IoRequest().flush())).isEqualTo(BlockError.OK);
            server.awaitEnd();
        }
    }

    @Test
    void shouldWriteZerosInPartsWhenTheServerHasNoCommandForThem() throws Exception {
        try (ScriptedServer server =
                        new ScriptedServer(
                                traits(true).without(TransmissionFlags.SEND_WRITE_ZEROES),
                                peer -> {
                                    for (int left = LENGTH_BYTES; left > 0; ) {
                                        Request request = nextWithin(peer, RequestLayout.WRITE);
                                        assertThat(request.data()).containsOnly(0);
                                        peer.simple(request, 0, new byte[0]);
                                        left -= request.length();
                                    }
                                });
                ClientDriver client = new ClientDriver(server)) {
            IoRequest zero =
                    new IoRequest().prepare(IoOp.WRITE_ZEROES, OFFSET, LENGTH_BYTES, IoFlags.NONE);
            assertThat(client.perform(zero)).isEqualTo(BlockError.OK);
            server.awaitEnd();
        }
    }
}
