package io.quoin.replicate.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.Unpooled;
import io.quoin.replicate.Request;
import io.quoin.replicate.wire.message.Header;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class FrameReaderTest {
    private static final UUID FILE = UUID.randomUUID();

    private final FrameReader reader = new FrameReader();

    private void admitAndAdd(byte[] bytes) {
        reader.admit();
        reader.add(Unpooled.copiedBuffer(bytes));
    }

    @Test
    void shouldReadEachFrameWhenReceivedInPiecesOfAnySize() {
        List<byte[]> frames = new ArrayList<>();
        ByteArrayOutputStream stream = new ByteArrayOutputStream();
        for (Request.Operation operation : new Samples(1).operations()) {
            byte[] frame = Frames.of(FILE, new Request(1, 2, 3, frames.size(), operation));
            frames.add(frame);
            stream.writeBytes(frame);
        }
        byte[] all = stream.toByteArray();
        for (int pieceBytes : new int[] {1, 2, 3, 7, 11, 12, 13, 100, 4096, all.length}) {
            FrameReader pieces = new FrameReader();
            pieces.admit();
            List<byte[]> read = new ArrayList<>();
            for (int at = 0; at < all.length; at += pieceBytes) {
                int end = Math.min(all.length, at + pieceBytes);
                pieces.add(Unpooled.copiedBuffer(all, at, end - at));
                for (Frame frame = pieces.next(); frame != null; frame = pieces.next()) {
                    read.add(Frames.of(frame.header().toBuilder(), frame.payload().bytes()));
                }
            }
            assertThat(read).usingElementComparator(Arrays::compare).isEqualTo(frames);
        }
    }

    @Test
    void shouldHandOnNothingWhenTheFrameIsCutAtAnyByte() {
        byte[] frame =
                Frames.of(
                        FILE,
                        new Request(
                                1, 2, 3, 4, new Request.Write(0, new Samples(2).payload(), true)));
        for (int cut = 0; cut < frame.length; cut++) {
            FrameReader cutOff = new FrameReader();
            cutOff.admit();
            cutOff.add(Unpooled.copiedBuffer(frame, 0, cut));
            assertThat(cutOff.next()).isNull();
            cutOff.release();
        }
    }

    @Test
    void shouldRefuseTheFrameWhenAnyBitIsFlipped() {
        byte[] frame =
                Frames.of(
                        FILE,
                        new Request(
                                1, 2, 3, 4, new Request.Write(0, new Samples(3).payload(), true)));
        for (int bit = 0; bit < 8 * Math.min(frame.length, 300); bit++) {
            byte[] flipped = frame.clone();
            flipped[bit / 8] ^= (byte) (1 << bit % 8);
            FrameReader corrupt = new FrameReader();
            corrupt.admit();
            corrupt.add(Unpooled.copiedBuffer(flipped));
            // A longer length waits for more; whatever is read is refused.
            try {
                assertThat(corrupt.next()).isNull();
            } catch (WireException e) {
                assertThat(e.getMessage()).contains("frame");
            }
            corrupt.release();
        }
    }

    @Test
    void shouldRefuseLengthsWhenTheyAreHostile() {
        for (int[] lengths :
                new int[][] {
                    {-1, 8},
                    {8, -1},
                    {0, 0},
                    {Integer.MAX_VALUE, 4},
                    {8, 9},
                    {9 + (2 << 20), 9},
                    {7, 0},
                    {Integer.MIN_VALUE, Integer.MIN_VALUE}
                }) {
            FrameReader hostile = new FrameReader();
            hostile.admit();
            byte[] prefix = new byte[FrameLayout.PREFIX_BYTES];
            ByteBuffer.wrap(prefix).putInt(lengths[0]).putInt(lengths[1]);
            hostile.add(Unpooled.copiedBuffer(prefix));
            assertThatThrownBy(hostile::next)
                    .as(Arrays.toString(lengths))
                    .isInstanceOf(WireException.class)
                    .hasMessageStartingWith("illegal frame");
        }
    }

    @Test
    void shouldRefuseLargeFramesWhenThePeerIsNotKnownYet() {
        reader.add(Unpooled.copiedBuffer(Frames.of(new byte[5000], new byte[0])));
        assertThatThrownBy(reader::next).hasMessageContaining("headerBytes=5000");
        FrameReader payload = new FrameReader();
        payload.add(Unpooled.copiedBuffer(Frames.of(Header.newBuilder(), new byte[1])));
        assertThatThrownBy(payload::next).hasMessageContaining("payloadBytes=1");
    }

    @Test
    void shouldTakeLittleMemoryWhenALongHeaderIsOnlyAnnounced() {
        byte[] prefix = new byte[FrameLayout.PREFIX_BYTES];
        ByteBuffer.wrap(prefix)
                .putInt(8 + FrameLayout.HEADER_BYTES_MAX)
                .putInt(FrameLayout.HEADER_BYTES_MAX);
        List<FrameReader> readers = new ArrayList<>();
        // 2,000 of 25 MiB would be 50 GB.
        for (int i = 0; i < 2000; i++) {
            FrameReader announced = new FrameReader();
            announced.admit();
            announced.add(Unpooled.copiedBuffer(prefix));
            assertThat(announced.next()).isNull();
            readers.add(announced);
        }
        assertThat(readers).hasSize(2000);
    }

    @Test
    void shouldReadTheEmptyFrameWhenItIsReceived() {
        admitAndAdd(Frames.of(Header.newBuilder(), new byte[0]));
        Frame frame = reader.next();
        assertThat(frame).isNotNull();
        assertThat(frame.header().getMessageCase()).isEqualTo(Header.MessageCase.MESSAGE_NOT_SET);
        assertThat(reader.next()).isNull();
    }

    @Test
    void shouldThrowNothingElseWhenBytesAreRandom() {
        for (long seed = 0; seed < 20_000; seed++) {
            Random random = new Random(seed);
            FrameReader fuzzed = new FrameReader();
            if (random.nextBoolean()) {
                fuzzed.admit();
            }
            fuzzed.add(Unpooled.copiedBuffer(HostileBytes.frame(random)));
            try {
                for (Frame frame = fuzzed.next(); frame != null; frame = fuzzed.next()) {
                    HostileBytes.decode(frame);
                }
            } catch (WireException e) {
                assertThat(e.getMessage()).isNotEmpty();
            }
            fuzzed.release();
        }
    }
}
