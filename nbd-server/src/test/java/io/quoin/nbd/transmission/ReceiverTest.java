package io.quoin.nbd.transmission;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.quoin.nbd.protocol.RequestLayout;
import java.util.ArrayDeque;
import java.util.Random;
import org.agrona.UnsafeApi;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Payloads in slabs and chunks, however the bytes come in. */
@Timeout(60)
final class ReceiverTest {
    private final UnpooledByteBufAllocator allocator =
            new UnpooledByteBufAllocator(true, true, false);

    /** Puts up to {@code limit} of the stream where the receiver wants it. */
    private static int receive(Receiver receiver, Random stream, int limit) {
        ByteBuf target = receiver.target();
        assertThat(target.isWritable()).isTrue();
        int part = Math.min(limit, target.writableBytes());
        byte[] bytes = new byte[part];
        stream.nextBytes(bytes);
        for (byte one : bytes) {
            target.writeByte(one);
        }
        target.release();
        return part;
    }

    @Test
    void shouldKeepEveryPayloadWhenPinnedInAnyOrder() {
        for (long seed = 1; seed <= 20; seed++) {
            carryThrough(seed);
        }
        assertThat(allocator.metric().usedDirectMemory()).isZero();
    }

    /** A stream of payloads is received in pieces; some stay pinned while others follow. */
    private void carryThrough(long seed) {
        Random random = new Random(seed);
        // Bytes are drawn one call each, so that the split does not change them.
        Random stream = new SplitRandom(seed);
        Random check = new SplitRandom(seed);
        Receiver receiver = new Receiver(allocator);
        ArrayDeque<Command> held = new ArrayDeque<>();
        for (int i = 0; i < 60; i++) {
            Command command = new Command(ended -> {});
            int length = 1 + random.nextInt(i % 7 == 0 ? 900_000 : 20_000);
            command.begin(RequestLayout.WRITE, 0, i, 0, length);
            while (!receiver.collect(command)) {
                receive(receiver, stream, 1 + random.nextInt(60_000));
            }
            assertThat(command.payload.lengthBytes()).isEqualTo(length);
            assertContent(command, check);
            held.add(command);
            while (held.size() > random.nextInt(12)) {
                Command done = random.nextBoolean() ? held.pollFirst() : held.pollLast();
                done.releasePayload(receiver);
            }
        }
        receiver.close();
        held.forEach(command -> command.releasePayload(receiver));
    }

    private static void assertContent(Command command, Random check) {
        for (int segment = 0; segment < command.payload.count(); segment++) {
            long address = command.payload.address(segment);
            int length = command.payload.segmentLengthBytes(segment);
            byte[] expected = new byte[length];
            check.nextBytes(expected);
            for (int i = 0; i < length; i++) {
                if (UnsafeApi.getByte(address + i) != expected[i]) {
                    throw new AssertionError("byte " + i + " of segment " + segment);
                }
            }
        }
    }

    /** Gives the same bytes however many are drawn at a time. */
    private static final class SplitRandom extends Random {
        SplitRandom(long seed) {
            super(seed);
        }

        @Override
        public void nextBytes(byte[] bytes) {
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) nextInt(256);
            }
        }
    }

    @Test
    void shouldGiveSlabBackWhenNothingIsInIt() {
        Receiver receiver = new Receiver(allocator);
        receiver.target().release();
        assertThat(allocator.metric().usedDirectMemory()).isEqualTo(Receiver.SLAB_BYTES_FIRST);
        assertThat(receiver.releaseIdle()).isTrue();
        assertThat(allocator.metric().usedDirectMemory()).isZero();
        receive(receiver, new Random(1), 10);
        assertThat(receiver.releaseIdle()).isFalse();
        receiver.close();
        assertThat(allocator.metric().usedDirectMemory()).isZero();
    }
}
