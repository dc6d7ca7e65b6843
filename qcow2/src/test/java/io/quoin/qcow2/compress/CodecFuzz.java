package io.quoin.qcow2.compress;

import java.nio.ByteBuffer;

/**
 * Deflate and zstd streams: a cluster or a refusal. The first byte selects the codec and the size
 * of the cluster.
 */
public final class CodecFuzz {
    private CodecFuzz() {}

    public static void fuzzerTestOneInput(byte[] data) {
        if (data.length == 0) {
            return;
        }
        int clusterBytes = 512 << (data[0] >>> 1 & 7);
        ByteBuffer source = ByteBuffer.allocateDirect(data.length - 1);
        source.put(data, 1, data.length - 1).flip();
        ByteBuffer target = ByteBuffer.allocateDirect(clusterBytes);
        Codec codec = (data[0] & 1) == 0 ? new DeflateCodec() : new ZstdCodec();
        try {
            boolean whole = codec.decompress(source, target);
            if (whole && target.hasRemaining()) {
                throw new AssertionError("a cluster said to be whole is not");
            }
            if (whole) {
                compressAgain(codec, target.flip());
            }
        } finally {
            codec.close();
        }
    }

    private static void compressAgain(Codec codec, ByteBuffer plain) {
        ByteBuffer compressed = ByteBuffer.allocateDirect(plain.limit() + 4096);
        int length = codec.compress(plain.duplicate(), compressed);
        ByteBuffer again = ByteBuffer.allocateDirect(plain.limit());
        compressed.flip();
        if (length < 0
                || length != compressed.limit()
                || !codec.decompress(compressed, again)
                || !again.flip().equals(plain)) {
            throw new AssertionError("a cluster changes when it is compressed and decompressed");
        }
    }
}
