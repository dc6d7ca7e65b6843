package io.quoin.qcow2.compress;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.Deflater;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Where streams end, and what comes of those that end elsewhere. */
@Timeout(60)
class CodecTest {
    private static final int CLUSTER = 4096;
    private static final int BOMB = 64 << 20;

    private static ByteBuffer direct(byte[]... parts) {
        int length = 0;
        for (byte[] part : parts) {
            length += part.length;
        }
        ByteBuffer buffer = ByteBuffer.allocateDirect(length);
        for (byte[] part : parts) {
            buffer.put(part);
        }
        return buffer.flip();
    }

    private static byte[] compress(Codec codec, int length, int value) {
        byte[] plain = new byte[length];
        Arrays.fill(plain, (byte) value);
        ByteBuffer target = ByteBuffer.allocateDirect(length + 1024);
        int written = codec.compress(direct(plain), target);
        byte[] stream = new byte[written];
        target.flip().get(stream);
        return stream;
    }

    /** What the stream gives, or null. */
    private static ByteBuffer decompress(Codec codec, byte[]... parts) {
        ByteBuffer target = ByteBuffer.allocateDirect(CLUSTER);
        return codec.decompress(direct(parts), target) ? target.flip() : null;
    }

    @Test
    @DisplayName("QCOW2 89: deflate has no zlib header and ends with the cluster")
    void shouldTakeOneClusterWhenADeflateStreamIsFollowedByOthers() {
        Codec codec = new DeflateCodec();
        byte[] stream = compress(codec, CLUSTER, 7);
        byte[] garbage = new byte[600];
        Arrays.fill(garbage, (byte) 0xa5);
        byte[] expected = new byte[CLUSTER];
        Arrays.fill(expected, (byte) 7);
        assertThat(decompress(codec, stream, garbage)).isEqualTo(ByteBuffer.wrap(expected));
        byte[] longer = compress(codec, CLUSTER + 512, 7);
        assertThat(decompress(codec, longer)).isEqualTo(ByteBuffer.wrap(expected));
        assertThat(decompress(codec, compress(codec, CLUSTER - 1, 7))).isNull();
        Deflater deflater = new Deflater();
        deflater.setInput(expected);
        deflater.finish();
        byte[] withHeader = new byte[CLUSTER];
        int length = deflater.deflate(withHeader);
        deflater.end();
        assertThat(decompress(codec, Arrays.copyOf(withHeader, length))).isNull();
        codec.close();
    }

    @Test
    @DisplayName("QCOW2 90: frames of zstd are taken until the cluster is full")
    void shouldTakeSeveralFramesWhenEachGivesPartOfACluster() {
        Codec codec = new ZstdCodec();
        byte[] first = compress(codec, 1000, 1);
        byte[] second = compress(codec, CLUSTER - 1000, 2);
        byte[] expected = new byte[CLUSTER];
        Arrays.fill(expected, 0, 1000, (byte) 1);
        Arrays.fill(expected, 1000, CLUSTER, (byte) 2);
        assertThat(decompress(codec, first, second)).isEqualTo(ByteBuffer.wrap(expected));
        assertThat(decompress(codec, first, second, new byte[] {1, 2, 3}))
                .isEqualTo(ByteBuffer.wrap(expected));
        assertThat(decompress(codec, first)).isNull();
        codec.close();
    }

    @Test
    @DisplayName("QCOW2 94: a bomb gives one cluster and no more")
    void shouldStopAfterAClusterWhenAStreamGoesOn() {
        byte[] expected = new byte[CLUSTER];
        Arrays.fill(expected, (byte) 9);
        for (Codec codec : new Codec[] {new DeflateCodec(), new ZstdCodec()}) {
            byte[] bomb = compress(codec, BOMB, 9);
            ByteBuffer target = ByteBuffer.allocateDirect(2 * CLUSTER).limit(CLUSTER);
            assertThat(codec.decompress(direct(bomb), target)).isTrue();
            assertThat(target.position()).isEqualTo(CLUSTER);
            assertThat(target.limit(2 * CLUSTER).get(CLUSTER)).isZero();
            assertThat(target.flip().limit(CLUSTER)).isEqualTo(ByteBuffer.wrap(expected));
            codec.close();
        }
    }
}
